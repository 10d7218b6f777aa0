package memstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
)

// bytes is a store of values that say what they weigh.
func bytes(capacity int, e memstore.Eviction, left func(int, memstore.Reason)) *memstore.Store[int, int] {
	return memstore.New(nil, capacity, &memstore.Options[int, int]{Eviction: e,
		Weight: func(_, v int) int { return v },
		OnEvict: func(k int, _ *cache.Entry[int], why memstore.Reason) {
			if left != nil {
				left(k, why)
			}
		}})
}

func TestEntriesWeighNoMoreThanTheCapacity(t *testing.T) {
	for _, capacity := range []int{1, 10, 1000, 100_000} {
		for _, e := range policies {
			seed := rand.Uint64()
			r := rand.New(rand.NewPCG(seed, 1))
			s := bytes(capacity, e, nil)
			heaviest := max(1, capacity/50)
			for range 10_000 {
				k := r.IntN(2000)
				if r.IntN(50) == 0 {
					s.Invalidate(ctx, r.IntN(2000))
				}
				fill(t, s, k, entry(1+r.IntN(heaviest)))
				if n := s.Weight(); n > capacity || !has(t, s, k) {
					t.Fatalf("seed %d, %v: a store of %d weighs %d, or what was stored last is not there", seed, e, capacity, n)
				}
			}
			for k := range 2 * capacity / max(1, heaviest/2) {
				fill(t, s, 5000+k, entry(1+r.IntN(heaviest)))
			}
			if n := s.Weight(); n <= capacity-heaviest {
				t.Errorf("seed %d, %v: a store of %d weighs only %d when it is full", seed, e, capacity, n)
			}
			s.Clear()
			if s.Weight() != 0 || s.Len() != 0 {
				t.Errorf("%v: a store that was cleared weighs %d", e, s.Weight())
			}
		}
	}
}

func TestAFewHeavyEntriesFillAStoreOfManyShards(t *testing.T) {
	for _, e := range policies {
		s := bytes(1<<20, e, nil)
		for k := range 200 {
			fill(t, s, k, entry(1<<16)) // 16 of them is all
			if n := s.Len(); n != min(16, k+1) || !has(t, s, k) {
				t.Errorf("%v: of %d entries %d are there", e, k+1, n)
			}
		}
		fill(t, s, 1000, entry(1<<20))
		if s.Len() != 1 || !has(t, s, 1000) {
			t.Errorf("%v: with an entry as heavy as the store there are %d", e, s.Len())
		}
	}
}

func TestWhatIsTooHeavyLeavesAndSoDoesWhatWasThere(t *testing.T) {
	for _, e := range policies {
		for _, write := range []bool{false, true} {
			var left []string
			s := bytes(100, e, func(k int, why memstore.Reason) { left = append(left, fmt.Sprint(k, " ", why)) })
			fill(t, s, 1, entry(60))
			fill(t, s, 2, entry(40))
			var f cache.Fill[int]
			if write {
				f, _ = s.Quarantine(ctx, cache.Slot[int]{Key: 1})
			} else {
				f, _ = s.Reserve(ctx, cache.Slot[int]{Key: 1})
			}
			out, err := f.Commit(ctx, entry(101))
			if err != nil || out[0] != cache.Stored { // it is valid, so those who wait may have it
				t.Errorf("%v: the fill is %v, %v", e, out, err)
			}
			if has(t, s, 1) || !has(t, s, 2) || s.Weight() != 40 {
				t.Errorf("%v: the store weighs %d, or has what it should not", e, s.Weight())
			}
			if want := map[bool]string{false: "[1 replaced 1 full]", true: "[1 invalidated 1 full]"}[write]; fmt.Sprint(left) != want {
				t.Errorf("%v: they left as %v, not %s", e, left, want)
			}
		}
	}
}

func TestAnEntryThatGrowsPushesOthersOut(t *testing.T) {
	for _, e := range policies {
		s := bytes(100, e, nil)
		for k := range 10 {
			fill(t, s, k, entry(10))
		}
		fill(t, s, 5, entry(95))
		if !has(t, s, 5) || s.Weight() != 95 {
			t.Errorf("%v: the store weighs %d", e, s.Weight())
		}
		fill(t, s, 5, entry(1))
		if s.Weight() != 1 {
			t.Errorf("%v: the store weighs %d", e, s.Weight())
		}
	}
}

func TestAWeightIsAtLeastOne(t *testing.T) {
	for _, e := range policies {
		s := bytes(100, e, nil)
		for k := range 1000 {
			fill(t, s, k, entry(-k))
		}
		if s.Len() != 100 || s.Weight() != 100 {
			t.Errorf("%v: %d entries weigh %d", e, s.Len(), s.Weight())
		}
	}
	counted := memstore.New[int, int](nil, 100, nil)
	fill(t, counted, 1, entry(1000))
	if counted.Weight() != 1 {
		t.Errorf("an entry without a weight weighs %d", counted.Weight())
	}
}

func TestAPanicOfWeightHoldsNoKey(t *testing.T) {
	s := memstore.New(nil, 100, &memstore.Options[int, int]{Weight: func(_, v int) int { return 100 / v }})
	f, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 1}, cache.Slot[int]{Key: 2})
	var p *cache.PanicError
	if _, err := f.Commit(ctx, entry(100), entry(0)); !errors.As(err, &p) || p.Function != "Options.Weight" {
		t.Errorf("the panic is not the error of the commit: %v", err)
	}
	fill(t, s, 1, entry(100))
	fill(t, s, 2, entry(100))
}
