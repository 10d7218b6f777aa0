package redisstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
)

// BenchmarkMemoryHit is a hit of an entry with one tag in memory in front of
// Redis: with a bus, whose lease it checks, and without.
func BenchmarkMemoryHit(b *testing.B) {
	for _, bus := range []bool{false, true} {
		b.Run(fmt.Sprintf("bus=%v", bus), func(b *testing.B) {
			space, err := redisstore.Open(b.Context(), redistest.Client(b), "hit", &redisstore.Options{NoBus: !bus})
			if err != nil {
				b.Fatal(err)
			}
			defer space.Close(context.Background())
			l1 := memstore.New[int, string](space.Domain, 100, nil)
			s := cache.Tiered(l1, redisstore.New[int, string](space, "s", nil))
			if err := space.Fence(b.Context()); bus && err != nil {
				b.Fatal(err)
			}
			for e, _ := l1.Get(b.Context(), 1); e == nil; e, _ = l1.Get(b.Context(), 1) {
				fill(b, s, 1, entry("v", "tag"))
			}
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if e, _ := s.Get(ctx, 1); e == nil {
					b.Fatal("a miss")
				}
			}
		})
	}
}
