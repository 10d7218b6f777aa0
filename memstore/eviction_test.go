package memstore_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
)

func TestAnUnknownEvictionIsNamed(t *testing.T) {
	names := fmt.Sprint(policies)
	if names != "[lru 2q adaptive]" {
		t.Errorf("the policies are called %s", names)
	}
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "Options.Eviction is Eviction(3)") {
			t.Errorf("the panic %q does not name the field and its value", p)
		}
	}()
	memstore.New(nil, 1, &memstore.Options[int, int]{Eviction: 3})
}

// request is what a loader does, without the loads.
func request(s *memstore.Store[int, int], k int, e *cache.Entry[int]) (hit bool) {
	if got, _ := s.Get(ctx, k); got != nil {
		return true
	}
	f, _ := s.Reserve(ctx, cache.Slot[int]{Key: k})
	f.Commit(ctx, e)
	return false
}

func ratio(e memstore.Eviction, capacity, requests int, next func(i int) int) float64 {
	s := memstore.New(nil, capacity, &memstore.Options[int, int]{Eviction: e})
	hits := 0
	stored := &cache.Entry[int]{Expires: cache.Forever}
	for i := range requests {
		if request(s, next(i), stored) {
			hits++
		}
	}
	return float64(hits) / float64(requests)
}

func TestOnlyAnLRULosesAllToAScan(t *testing.T) {
	seed := rand.Uint64()
	got := map[memstore.Eviction]float64{}
	for _, e := range policies {
		r, scanned := rand.New(rand.NewPCG(seed, 1)), 1000
		got[e] = ratio(e, 500, 100_000, func(i int) int { // of each 3000 requests, 2000 are a scan
			if i%3000 < 2000 {
				scanned++
				return scanned
			}
			return r.IntN(400)
		})
	}
	if lru := got[memstore.LRU]; got[memstore.TwoQueue] < lru+0.05 || got[memstore.Adaptive] < lru+0.05 {
		t.Errorf("seed %d: hits %v", seed, got)
	}
}

// A key comes twice, with up to 500 others between: frequency says nothing.
func TestAdaptiveFollowsRecency(t *testing.T) {
	seed := rand.Uint64()
	got := map[memstore.Eviction]float64{}
	for _, e := range policies {
		r, last := rand.New(rand.NewPCG(seed, 1)), 0
		due := map[int]int{}
		got[e] = ratio(e, 500, 100_000, func(i int) int {
			if k, ok := due[i]; ok {
				delete(due, i)
				return k
			}
			last++
			due[i+1+r.IntN(1000)] = last
			return last
		})
	}
	if got[memstore.Adaptive] < got[memstore.LRU]-0.01 {
		t.Errorf("seed %d: hits %v", seed, got)
	}
}

// After a long time in which it was an LRU, a loop begins that is too long for that.
func TestAdaptiveLearnsAnew(t *testing.T) {
	for _, capacity := range []int{100, 3000} {
		got := ratio(memstore.Adaptive, capacity, 100*capacity, func(i int) int {
			if i < 20*capacity {
				return i / 2
			}
			return -i % (2 * capacity)
		})
		if got < 0.2*0.5+0.8*0.2 { // half of the first part; half could be had of the second
			t.Errorf("capacity %d: hit ratio %v", capacity, got)
		}
	}
}
