package workload

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// KeySource draws keys. It is for one goroutine at a time.
type KeySource struct {
	next   func() uint32
	latest *latest // of Latest alone
}

// Next returns the next key. It is below the number of keys that the source was opened
// for, unless it is one of those that come once.
func (s *KeySource) Next() uint32 { return s.next() }

// Insert returns a key for a write that makes a new row. In Latest that is the key after
// the newest, which it succeeds: after the last key of all comes the first, so that the
// oldest row gives place to it. In all other shapes it is Next.
func (s *KeySource) Insert() uint32 {
	if s.latest != nil {
		return s.latest.insert()
	}
	return s.next()
}

// Open returns a source of keys below keys that draws from rng: who opens it with a rng
// in the same state draws the same. It panics if keys is not positive or no int32. A
// source takes little memory, however many keys there are, and up to some 50 ns a key.
func (p Popularity) Open(rng *rand.Rand, keys int) *KeySource {
	if keys < 1 || keys > math.MaxInt32 {
		panic(fmt.Sprintf("workload: Popularity.Open: keys is %d: it must be from 1 to %d", keys, math.MaxInt32))
	}
	s := &KeySource{}
	switch p.Shape {
	case Uniform:
		s.next = func() uint32 { return rng.Uint32N(uint32(keys)) }
	case Zipfian:
		s.next = scattered(rng, keys, NewZipf(rng, keys, p.Skew).Rank)
	case Hotspot:
		s.next = scattered(rng, keys, p.hotspot(rng, keys))
	case Latest:
		s.latest = &latest{ages: NewZipf(rng, keys, p.Skew), keys: keys, newest: keys - 1, every: p.Every}
		s.next = s.latest.next
	case Loop:
		at := -1
		s.next = func() uint32 {
			at = (at + 1) % keys
			return uint32(at)
		}
	case Shift:
		s.next = shift(rng, keys, p.Every, NewZipf(rng, keys, p.Skew).Rank)
	case Exponential:
		s.next = scattered(rng, keys, exponential(rng, keys, p.Spread/100*float64(keys)))
	case Gaussian:
		s.next = scattered(rng, keys, gaussian(rng, keys, p.Spread/100*float64(keys)))
	default:
		panic(fmt.Sprintf("workload: Popularity.Open: Shape is %d: it is none of those that there are", p.Shape))
	}
	if p.OneHit > 0 {
		again, fresh := s.next, uint32(keys)
		s.next = func() uint32 {
			if rng.Float64() >= p.OneHit {
				return again()
			}
			fresh++
			return fresh - 1
		}
	}
	return s
}

// Span returns a number that all keys are below which a source of so many keys draws in
// so many requests.
func (p Popularity) Span(keys, requests int) int {
	if p.OneHit > 0 {
		return keys + requests
	}
	return keys
}

// scattered turns a source of ranks into one of keys.
func scattered(rng *rand.Rand, keys int, rank func() int) func() uint32 {
	of := newScatter(rng, keys)
	return func() uint32 { return of.key(rank()) }
}

func shift(rng *rand.Rand, keys, every int, rank func() int) func() uint32 {
	of, left := newScatter(rng, keys), every
	return func() uint32 {
		if left == 0 {
			of, left = newScatter(rng, keys), every
		}
		left--
		return of.key(rank())
	}
}

// hotspot draws ranks of which the first are the hot ones.
func (p Popularity) hotspot(rng *rand.Rand, keys int) func() int {
	hot := min(max(1, int(math.Round(p.HotKeys/100*float64(keys)))), keys)
	return func() int {
		if hot == keys || 100*rng.Float64() < p.HotRequests {
			return rng.IntN(hot)
		}
		return hot + rng.IntN(keys-hot)
	}
}

// exponential draws ranks by the inverse of their distribution. Rounding down keeps it
// exact: the weight of [k, k+1) under exp(-x/mean) is that of 0 times exp(-k/mean).
func exponential(rng *rand.Rand, keys int, mean float64) func() int {
	whole := -math.Expm1(-float64(keys) / mean)
	return func() int {
		return min(int(-mean*math.Log1p(-rng.Float64()*whole)), keys-1)
	}
}

// gaussian draws ranks around the middle and draws again what is outside.
func gaussian(rng *rand.Rand, keys int, deviation float64) func() int {
	middle := float64(keys) / 2
	return func() int {
		for {
			if x := middle + deviation*rng.NormFloat64(); x >= 0 && x < float64(keys) {
				return int(x)
			}
		}
	}
}

// latest draws keys by their age.
type latest struct {
	ages   *Zipf
	keys   int
	newest int
	every  int // 0: never by itself
	drawn  int
}

func (l *latest) insert() uint32 {
	l.newest = (l.newest + 1) % l.keys
	return uint32(l.newest)
}

func (l *latest) next() uint32 {
	if l.every > 0 {
		if l.drawn++; l.drawn == l.every {
			l.drawn = 0
			return l.insert()
		}
	}
	return uint32((l.newest - l.ages.Rank() + l.keys) % l.keys)
}
