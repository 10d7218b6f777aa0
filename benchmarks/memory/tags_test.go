package memory

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// tagger invalidates the entries of a tag.
type tagger func(tag string)

// counters is the least that can be done by hand: a number for each tag, which
// entries would be compared with when they are read.
func counters(tag string, _ int) tagger {
	var mu sync.RWMutex
	byTag := map[string]*atomic.Uint64{tag: {}}
	return func(tag string) {
		mu.RLock()
		n := byTag[tag]
		mu.RUnlock()
		n.Add(1)
	}
}

// tagged is a store whose entries have a tag.
func tagged(tag string, members int) (*memstore.Store[int, []byte], *invalidation.Domain) {
	domain := invalidation.NewDomain()
	s := memstore.New[int, []byte](domain, max(members, 1024), nil)
	expires := cache.Now().Add(ttl)
	for i := range members {
		e := &cache.Entry[[]byte]{Value: value, Tags: []string{tag}, Fresh: expires, Expires: expires}
		if ok, err := cache.Put(context.Background(), s, i, e); !ok || err != nil {
			panic(err)
		}
	}
	return s, domain
}

func larderTags(tag string, members int) tagger {
	_, domain := tagged(tag, members)
	return func(tag string) {
		if err := domain.InvalidateTags(context.Background(), tag); err != nil {
			panic(err)
		}
	}
}

// BenchmarkInvalidateTag is of a tag that members entries have.
func BenchmarkInvalidateTag(b *testing.B) {
	for _, members := range []int{10, 1000, 100_000} {
		for _, l := range []struct {
			name string
			open func(tag string, members int) tagger
		}{{"larder", larderTags}, {"counter-by-hand", counters}} {
			b.Run("members="+strconv.Itoa(members)+"/lib="+l.name, func(b *testing.B) {
				invalidate := l.open("members", members)
				b.ReportAllocs()
				for b.Loop() {
					invalidate("members")
				}
			})
		}
	}
}

func TestAnInvalidatedTagLeavesNoMember(t *testing.T) {
	s, domain := tagged("a", 1000)
	if e, err := s.Get(t.Context(), 7); e == nil || err != nil {
		t.Fatal(e, err)
	}
	if err := domain.InvalidateTags(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if e, _ := s.Get(t.Context(), i); e != nil {
			t.Fatalf("%d is still there", i)
		}
	}
}
