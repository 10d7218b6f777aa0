package aside_test

import (
	"context"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// warm returns a Loader whose store has a hundred keys.
func warm(tb testing.TB, p invalidation.Policy, seen cache.Observer) *aside.Loader[int, int] {
	store := memstore.New[int, int](nil, 100_000, nil)
	open := func() *aside.Loader[int, int] {
		return aside.New(store, func(_ context.Context, k int) (int, error) { return k, nil }, p, &aside.Options[int, int]{
			NotFound: errRow, Observer: seen, Tags: func(int, int) []string { return []string{"tag"} },
		})
	}
	filler := open()
	for k := range 100 {
		filler.Get(tb.Context(), k)
	}
	if err := filler.Close(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return open()
}

func TestAHitAllocatesNothing(t *testing.T) {
	for name, l := range map[string]*aside.Loader[int, int]{
		"TTL":            warm(t, invalidation.TTL(time.Hour), nil),
		"can be stale":   warm(t, invalidation.Policy{Fresh: time.Hour, Stale: time.Hour}, nil),
		"early":          warm(t, invalidation.Policy{Fresh: time.Hour, Early: 1}, nil),
		"ahead":          warm(t, invalidation.Policy{Fresh: time.Hour, Ahead: 0.9}, nil),
		"on error":       warm(t, invalidation.Policy{Fresh: time.Hour, IfError: time.Hour}, nil),
		"with Observers": warm(t, invalidation.TTL(time.Hour), &cache.Counter{}),
	} {
		ctx := t.Context()
		if n := testing.AllocsPerRun(1000, func() { l.Get(ctx, 7) }); n != 0 {
			t.Errorf("%s: a hit allocates %v times", name, n)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	l := warm(b, invalidation.Policy{Fresh: time.Hour, Stale: time.Hour}, nil)
	ctx := b.Context()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Get(ctx, i%100)
	}
}

func BenchmarkHit64Goroutines(b *testing.B) {
	l := warm(b, invalidation.TTL(time.Hour), nil)
	ctx := b.Context()
	b.ReportAllocs()
	b.SetParallelism(32) // of each of the processors: 64 on two
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			l.Get(ctx, i%100)
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	l := warm(b, invalidation.TTL(time.Hour), nil)
	ctx := b.Context()
	b.ReportAllocs()
	for i := 100; b.Loop(); i++ {
		l.Get(ctx, i)
	}
	l.Close(ctx)
}

func BenchmarkGetManyHit100(b *testing.B) {
	many := aside.NewBatch(memstore.New[int, int](nil, 1000, nil), (&table{}).load, invalidation.TTL(time.Hour), nil)
	keys := make([]int, 100)
	for i := range keys {
		keys[i] = i + 1
	}
	ctx := b.Context()
	many.GetMany(ctx, keys)
	b.ReportAllocs()
	for b.Loop() {
		many.GetMany(ctx, keys)
	}
	many.Close(ctx)
}
