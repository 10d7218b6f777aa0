package memstore_test

import (
	"fmt"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

func TestAnUnrelatedInvalidationDoesNotRefuseAFill(t *testing.T) {
	for n := 1; n <= 128; n *= 2 {
		s := memstore.New[int, int](nil, 1000, nil)
		f, _ := s.Reserve(ctx, cache.Slot[int]{Key: 1, Tags: []string{"mine"}})
		for i := range n {
			s.Invalidate(ctx, i+2)
			s.Domain().Expire(fmt.Sprint("other", i))
		}
		if out, _ := f.Commit(ctx, entry(1, "mine")); out[0] != cache.Stored {
			t.Errorf("after %d other invalidations the fill is %v", n, out[0])
		}
	}
}

func TestAFillThatCannotRememberIsRefused(t *testing.T) {
	s := memstore.New[int, int](nil, 1000, nil)
	f, _ := s.Reserve(ctx, cache.Slot[int]{Key: 1})
	s.Invalidate(ctx, 1)
	for i := range 500 { // more than a shard remembers
		s.Invalidate(ctx, i+2)
	}
	if out, _ := f.Commit(ctx, entry(1)); out[0] != cache.Refused {
		t.Errorf("the fill is %v", out[0])
	}
	f, _ = s.Reserve(ctx, cache.Slot[int]{Key: 1})
	q, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 2})
	s.Clear()
	for _, open := range []cache.Fill[int]{f, q} {
		if out, _ := open.Commit(ctx, entry(1)); out[0] != cache.Refused {
			t.Errorf("after Clear the fill is %v", out[0])
		}
	}
}

func TestAFillDoesNotDependOnTheSlotsItWasGiven(t *testing.T) {
	s := memstore.New[int, int](nil, 10, nil)
	tags := []string{"a"}
	f, _ := s.Reserve(ctx, cache.Slot[int]{Key: 1, Tags: tags})
	s.Domain().Expire("b")
	tags[0] = "b"
	if out, _ := f.Commit(ctx, entry(1, "b")); out[0] != cache.Refused || has(t, s, 1) {
		t.Errorf("%v with a tag that was invalidated since Reserve", out[0])
	}
}

func TestSharedDomainReachesEveryStore(t *testing.T) {
	d := invalidation.NewDomain()
	a, b := memstore.New[int, int](d, 10, nil), memstore.New[string, string](d, 10, nil)
	fill(t, a, 1, entry(1, "tag"))
	fill(t, b, "x", entry("x", "other", "tag"))
	fill(t, b, "y", entry("y", "other"))
	if err := d.InvalidateTags(ctx, "tag"); err != nil {
		t.Fatal(err)
	}
	if has(t, a, 1) || has(t, b, "x") || !has(t, b, "y") {
		t.Error("the wrong entries are gone")
	}
	d.ExpireAll()
	if has(t, b, "y") {
		t.Error("ExpireAll has left an entry")
	}
}

func TestALoadFromBeforeTheReleaseIsNeverGoodAfterIt(t *testing.T) {
	s := memstore.New[int, int](nil, 10, nil)
	q, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 1})
	during, _ := s.Reserve(ctx, cache.Slot[int]{Key: 1})
	during2, _ := s.Reserve(ctx, cache.Slot[int]{Key: 1})
	if out, _ := during.Commit(ctx, entry(1)); out[0] != cache.Passed || has(t, s, 1) {
		t.Errorf("during the quarantine a fill is %v", out[0])
	}
	if out, _ := q.Commit(ctx, entry(2)); out[0] != cache.Stored {
		t.Errorf("the writer's value is %v", out[0])
	}
	if out, _ := during2.Commit(ctx, entry(1)); out[0] != cache.Refused {
		t.Errorf("after the release the fill is %v", out[0])
	}
	if e, _ := s.Get(ctx, 1); e == nil || e.Value != 2 {
		t.Errorf("the store has %+v", e)
	}
}

func TestOverlappingWritersInstallNothing(t *testing.T) {
	s := memstore.New[int, int](nil, 10, nil)
	a, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 1})
	b, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 1})
	for _, q := range []cache.Fill[int]{a, b} {
		if out, _ := q.Commit(ctx, entry(1)); out[0] != cache.Refused || has(t, s, 1) {
			t.Errorf("the value is %v", out[0])
		}
	}
	fill(t, s, 1, entry(3)) // the quarantine is over
	if _, err := s.Quarantine(ctx, cache.Slot[int]{Key: 2}, cache.Slot[int]{Key: 2}); err == nil {
		t.Error("one key in two slots is not an error")
	}
	fill(t, s, 2, entry(3)) // and nothing is left of it
}

func TestFillsEndOnce(t *testing.T) {
	s := memstore.New[int, int](nil, 10, nil)
	open := func() []cache.Fill[int] {
		r, _ := s.Reserve(ctx, cache.Slot[int]{Key: 1})
		q, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 2})
		return []cache.Fill[int]{r, q}
	}
	for _, f := range open() {
		f.Cancel(ctx)
		if _, err := f.Commit(ctx, entry(1)); err != cache.ErrFillDone {
			t.Errorf("Commit after Cancel: %v", err)
		}
		if err := f.Cancel(ctx); err != cache.ErrFillDone {
			t.Errorf("Cancel after Cancel: %v", err)
		}
	}
	for _, f := range open() {
		if _, err := f.Commit(ctx); err == nil {
			t.Error("Commit of no entry to one slot is not an error")
		}
	}
	fill(t, s, 2, entry(3)) // the quarantine was released all the same
}

func BenchmarkHit(b *testing.B) {
	s := memstore.New[string, int](nil, 100_000, nil)
	keys := make([]string, 50_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("key-%012d", i)
		fill(b, s, keys[i], entry(i, "tag"))
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			s.Get(ctx, keys[i%len(keys)])
		}
	})
}

func BenchmarkFill(b *testing.B) {
	s := memstore.New[int, int](nil, 100_000, nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f, _ := s.Reserve(ctx, cache.Slot[int]{Key: i})
		f.Commit(ctx, entry(i))
	}
}
