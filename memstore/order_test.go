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
