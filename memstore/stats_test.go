package memstore_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
)

func TestStatsAreWhatAnObserverHasSeen(t *testing.T) {
	for _, policy := range policies {
		synctest.Test(t, func(t *testing.T) {
			var n cache.Counter
			var mu sync.Mutex
			left := map[string]int64{}
			s := memstore.New(nil, 50, &memstore.Options[int, int]{Name: "rows", Observer: &n, Eviction: policy,
				OnEvict: func(_ int, _ *cache.Entry[int], why memstore.Reason) {
					mu.Lock()
					left[why.String()]++
					mu.Unlock()
				}})
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			var wg sync.WaitGroup
			for g := range uint64(4) {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(seed, g))
					for range 2000 {
						use(t, s, r)
					}
				})
			}
			wg.Wait()
			st := s.Stats()
			for _, k := range cache.Kinds() {
				if st.Counts.Of(k) != n.Count(k) {
					t.Errorf("%v: %d, not %d", k, st.Counts.Of(k), n.Count(k))
				}
			}
			for _, k := range []cache.Kind{cache.Hit, cache.Miss, cache.MissExpired, cache.MissTag, cache.MissWriter, cache.FillStored,
				cache.FillRefused, cache.FillPassed, cache.Evicted, cache.Invalidated} {
				if n.Count(k) == 0 {
					t.Errorf("%v has not happened", k)
				}
			}
			if fmt.Sprint(st.Evicted) != fmt.Sprint(left) || len(left) != 4 {
				t.Errorf("%v have left, not %v", st.Evicted, left)
			}
			if st.Cache != "rows" || st.Level != cache.Memory || st.Entries != int64(s.Len()) || st.Entries == 0 {
				t.Errorf("%q, %v, %d entries", st.Cache, st.Level, st.Entries)
			}
		})
	}
}

// use does something with a store that may have any outcome.
func use(t *testing.T, s *memstore.Store[int, int], r *rand.Rand) {
	k := r.IntN(120)
	switch r.IntN(20) {
	case 0:
		s.Invalidate(ctx, k, k+1)
	case 1:
		s.Domain().Expire("tag")
	case 2:
		q, err := s.Quarantine(ctx, cache.Slot[int]{Key: k})
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
		q.Commit(ctx, entry(k))
	case 3:
		s.GetMany(ctx, []int{k, k + 1, k + 2, k})
	case 4, 5, 6, 7, 8, 9:
		f, err := s.Reserve(ctx, cache.Slot[int]{Key: k, LateTags: true})
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
		e := entry(k, []string{"tag", "other"}[r.IntN(2)])
		if r.IntN(3) == 0 {
			e.Expires = cache.Now().Add(time.Duration(r.IntN(40)) * time.Millisecond)
		}
		f.Commit(ctx, e)
	default:
		s.Get(ctx, k)
	}
}

func TestManyHitsAreCountedBySomeOfTheKeys(t *testing.T) {
	for name, keys := range map[string]int{"one key": 1, "many keys": 1000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memstore.New[int, int](nil, 2000, nil)
				for k := range keys {
					fill(t, s, k, entry(k))
				}
				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				r := rand.New(rand.NewPCG(seed, 0))
				const periods, in = 1 + 8 + 16 + 32 + 64, 12_000 // the first tells that there are many
				time.Sleep(5 * time.Millisecond)                 // in the middle of a period
				some := false
				for p := range periods {
					for range in {
						s.Get(ctx, r.IntN(keys))
					}
					some = some || s.Stats().Counts.Of(cache.Hit) != int64(p+1)*in
					time.Sleep(10 * time.Millisecond)
				}
				if got := s.Stats().Counts.Of(cache.Hit); got < periods*in*95/100 || got > periods*in*105/100 || !some {
					t.Errorf("of %d hits, %d are counted; not one by one: %v", periods*in, got, some)
				}
				time.Sleep(time.Second) // nobody uses it
				before := s.Stats().Counts.Of(cache.Hit)
				for range 100 {
					for range 50 {
						s.Get(ctx, 0)
					}
					time.Sleep(10 * time.Millisecond)
				}
				if got := s.Stats().Counts.Of(cache.Hit) - before; got != 5000 {
					t.Errorf("when there are few again, %d of 5000 are counted", got)
				}
			})
		})
	}
}

func TestFewHitsAreCountedOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New[int, int](nil, 10, nil)
		fill(t, s, 1, entry(1))
		time.Sleep(5 * time.Millisecond) // in the middle of a period
		for range 50 {
			for range 9_999 {
				s.Get(ctx, 1)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if got := s.Stats().Counts.Of(cache.Hit); got != 50*9_999 {
			t.Errorf("%d are counted", got)
		}
	})
}
