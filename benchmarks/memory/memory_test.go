package memory

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
)

const (
	capacity = 100_000
	resident = 50_000
	space    = 1 << 20 // keys that are asked for
)

// width is that of a key.
const width = len("key:000000000000")

var (
	// text is all keys, one after the other: a million strings would be looked at
	// by every garbage collection.
	text  string
	value = make([]byte, 64)
	// mild and steep are numbers of keys, those that are asked for often spread
	// over all.
	mild, steep []uint32
)

func init() {
	all := make([]byte, 0, space*width)
	for i := range space {
		all = fmt.Appendf(all, "key:%012d", i)
	}
	text = string(all)
	mild, steep = zipf(1.01), zipf(1.3)
}

func key(i uint32) string {
	at := int(i) * width
	return text[at : at+width]
}

func zipf(s float64) []uint32 {
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, s, 1, space-1)
	places := r.Perm(space)
	out := make([]uint32, 1<<20)
	for i := range out {
		out[i] = uint32(places[z.Uint64()])
	}
	return out
}

// each runs a benchmark for all libraries, each with a store that is filled once
// for a number of processors: some make themselves for it.
func each(b *testing.B, entries int, f func(b *testing.B, s store)) {
	for _, l := range libraries {
		var s store
		procs := 0
		b.Run("lib="+l.name, func(b *testing.B) {
			if procs != runtime.GOMAXPROCS(0) {
				procs = runtime.GOMAXPROCS(0)
				discard(s)
				s = l.open(capacity)
				fill(s, entries)
			}
			f(b, s)
		})
		discard(s)
	}
}

// fill stores keys. It waits now and then, as some libraries drop what comes too
// fast.
func fill(s store, entries int) {
	for i := range entries {
		s.set(key(uint32(i)), value)
		if i%1000 == 999 {
			settle(s)
		}
	}
	settle(s)
}

var seeds atomic.Uint64

// parallel runs step, each goroutine from a place of its own. With goroutines
// there are that many, otherwise one for each processor.
func parallel(b *testing.B, goroutines int, step func(i uint32)) {
	b.ReportAllocs()
	if goroutines > 0 {
		b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := uint32(seeds.Add(0x9e3779b9)); pb.Next(); i++ {
			step(i)
		}
	})
}

// hot returns the key of step i among those that are resident.
func hot(i uint32) string { return key(i * 2654435761 >> 8 % resident) }

func hits(b *testing.B, goroutines int) {
	each(b, resident, func(b *testing.B, s store) {
		parallel(b, goroutines, func(i uint32) { s.get(hot(i)) })
	})
}

func BenchmarkHit(b *testing.B)             { hits(b, 0) }
func BenchmarkHit64Goroutines(b *testing.B) { hits(b, 64) }

func BenchmarkHitOneKey(b *testing.B) {
	each(b, resident, func(b *testing.B, s store) {
		parallel(b, 64, func(uint32) { s.get(key(7)) })
	})
}

// mix reads, and writes what writes in a hundred say, over all keys. All
// libraries are asked for the same keys in the same order, but for the place that
// each goroutine begins at.
func mix(b *testing.B, places []uint32, writes uint32) {
	each(b, capacity, func(b *testing.B, s store) {
		parallel(b, 0, func(i uint32) {
			k := key(places[i%uint32(len(places))])
			if i*2246822519>>16%100 < writes {
				s.set(k, value)
			} else {
				s.get(k)
			}
		})
	})
}

func BenchmarkZipf(b *testing.B)      { mix(b, mild, 0) }
func BenchmarkSteepZipf(b *testing.B) { mix(b, steep, 5) }
func BenchmarkMix75(b *testing.B)     { mix(b, mild, 25) }
func BenchmarkMix50(b *testing.B)     { mix(b, mild, 50) }
func BenchmarkSet(b *testing.B)       { mix(b, mild, 100) }

// A store that has lost what it is asked for would be measured at misses.
func TestTheKeysThatAreHitAreResident(t *testing.T) {
	for _, l := range libraries {
		s := l.open(capacity)
		fill(s, resident)
		found := 0
		for i := range uint32(resident) {
			if v, ok := s.get(key(i)); ok && len(v) == len(value) {
				found++
			}
		}
		discard(s)
		if found < resident*999/1000 {
			t.Errorf("%s has %d of %d keys", l.name, found, resident)
		}
	}
}
