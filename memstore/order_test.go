package memstore

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestOneGoroutineAlwaysSeesTheSame(t *testing.T) {
	for eviction := range Adaptive + 1 {
		s := New(nil, 5000, &Options[int, int]{Eviction: eviction})
		first, again := hits(t, s), ""
		for range 2 {
			s2 := New(nil, 5000, &Options[int, int]{Eviction: eviction})
			s2.seed = s.seed // of the hashes, so that they have the same shards and samples
			if again = hits(t, s2); again != first {
				t.Errorf("%v: the same requests have other hits", eviction)
			}
		}
		if !strings.Contains(first, "+") || !strings.Contains(first, "-") {
			t.Errorf("%v: all requests are alike", eviction)
		}
	}
}

func hits(t *testing.T, s *Store[int, int]) string {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for range 100_000 {
		k := int(r.ExpFloat64() * 5000)
		if r.IntN(20) == 0 {
			s.Invalidate(t.Context(), k)
		}
		e, _ := s.Get(t.Context(), k)
		if e != nil {
			b.WriteByte('+')
			continue
		}
		b.WriteByte('-')
		f, _ := s.Reserve(t.Context(), cache.Slot[int]{Key: k})
		f.Commit(t.Context(), &cache.Entry[int]{Expires: cache.Forever})
	}
	return b.String()
}

func TestGenerationsMayWrap(t *testing.T) {
	s := New(nil, 50, &Options[int, int]{Eviction: Adaptive})
	q := &s.shards[0].order.(*adaptive).queues
	for _, q := range append([]*queues{q}, &s.common.trials.miniatures[0].queues, &s.common.trials.miniatures[2].queues) {
		q.now.Store(generationBits - 20)
		q.oldest = generationBits - 20
	}
	hits(t, s)
	if now := q.now.Load(); now > generationBits-20 {
		t.Errorf("the generation is only %d", now)
	}
	sound(t, s)
}

func TestGhostsForgetTheOldestFirst(t *testing.T) {
	var g ghosts
	g.grow(4)
	for hash := uint32(1); hash <= 5; hash++ {
		g.add(hash << 16)
	}
	if g.take(1 << 16) {
		t.Error("a bucket has more than four")
	}
	for _, hash := range []uint32{4, 2, 5, 3} {
		if !g.take(hash<<16) || g.take(hash<<16) {
			t.Errorf("%d is not there, or is not taken", hash)
		}
	}
	g.add(7 << 16)
	g.grow(16)
	if len(g) != 4 || !g.take(7<<16) {
		t.Errorf("after growing to %d buckets it has forgotten", len(g))
	}
}

func TestAFillAllocatesNoMoreForAdaptive(t *testing.T) {
	allocs := map[Eviction]float64{}
	for _, eviction := range []Eviction{LRU, Adaptive} {
		s, k := New(nil, 1000, &Options[int, int]{Eviction: eviction}), 0
		fill := func() {
			k++
			s.Get(t.Context(), k/2) // some are hits
			f, _ := s.Reserve(t.Context(), cache.Slot[int]{Key: k})
			f.Commit(t.Context(), &cache.Entry[int]{Expires: cache.Forever})
		}
		for range 10_000 {
			fill()
		}
		allocs[eviction] = testing.AllocsPerRun(10_000, fill)
	}
	if allocs[Adaptive] > allocs[LRU] {
		t.Errorf("allocations: %v", allocs)
	}
}
