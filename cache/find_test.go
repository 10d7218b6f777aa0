package cache_test

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
)

// leveled is a store that says where it is.
type leveled struct {
	store
	level cache.Level
}

func (l leveled) Level() cache.Level { return l.level }

func found(t *testing.T, s store, key, value string, level cache.Level) {
	t.Helper()
	e, got, err := cache.Find(t.Context(), s, key)
	if err != nil || got != level || (e == nil) != (value == "") || e != nil && e.Value != value {
		t.Errorf("Find(%s) is %+v, %v, %v; want %q from %v", key, e, got, err, value, level)
	}
}

func TestFindSaysWhichLevelHasAnswered(t *testing.T) {
	alone := func() store { return storetest.Reference().Store }
	t.Run("one store", func(t *testing.T) {
		for _, c := range []struct {
			s    store
			want cache.Level
		}{{alone(), cache.Memory}, {leveled{alone(), cache.Memory}, cache.Memory}, {leveled{alone(), cache.Shared}, cache.Shared}} {
			load(t, c.s, "k", an("v"))
			found(t, c.s, "k", "v", c.want)
			found(t, c.s, "other", "", cache.Origin)
		}
	})
	t.Run("two", func(t *testing.T) {
		l1, l2 := alone(), alone()
		s := cache.Tiered(l1, l2)
		load(t, l2, "k", an("v"))
		found(t, s, "k", "v", cache.Shared)
		found(t, s, "k", "v", cache.Memory) // it was moved up
		found(t, s, "other", "", cache.Origin)
	})
	t.Run("three", func(t *testing.T) {
		l1, l2, l3 := alone(), leveled{alone(), cache.Memory}, leveled{alone(), cache.Shared}
		s := cache.Tiered(l1, cache.Tiered[string, string](l2, l3))
		load(t, l3, "k", an("v"))
		found(t, s, "k", "v", cache.Shared)
		l1.Invalidate(t.Context(), "k")
		found(t, s, "k", "v", cache.Memory)
	})
}

func TestFindOfAStrictStoreLooksPastMemory(t *testing.T) {
	l1, l2 := storetest.Reference().Store, storetest.Reference().Store
	s := cache.Strict(cache.Tiered(l1, l2))
	load(t, l1, "k", an("behind"))
	found(t, s, "k", "", cache.Origin)
	load(t, l2, "k", an("now"))
	found(t, s, "k", "now", cache.Shared)
	want(t, l1, "k", "now")
}

func TestFindPassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	for name, parts := range map[string][2]*faulty{
		"l1":           {{store: storetest.Reference().Store, get: broken}, {store: storetest.Reference().Store}},
		"l1's reserve": {{store: storetest.Reference().Store, reserve: broken}, {store: storetest.Reference().Store}},
		"l2":           {{store: storetest.Reference().Store}, {store: storetest.Reference().Store, get: broken}},
	} {
		s := cache.Tiered[string, string](parts[0], parts[1])
		load(t, parts[1].store, "k", an("v"))
		if e, level, err := cache.Find(t.Context(), s, "k"); e != nil || level != cache.Origin || !errors.Is(err, broken) {
			t.Errorf("%s: %+v, %v, %v", name, e, level, err)
		}
	}
	if e, level, err := cache.Find[string, string](t.Context(), &faulty{store: storetest.Reference().Store, get: broken}, "k"); e != nil || level != cache.Origin || !errors.Is(err, broken) {
		t.Errorf("%+v, %v, %v", e, level, err)
	}
}

// What is invalidated while Find reads l2 must not get into l1.
func TestFindReservesBeforeItReads(t *testing.T) {
	l1, l2 := storetest.Reference().Store, storetest.Reference().Store
	load(t, l2, "k", an("old"))
	s := cache.Tiered[string, string](l1, meanwhile{l2, func(ctx context.Context) { l1.Invalidate(ctx, "k") }})
	found(t, s, "k", "old", cache.Shared)
	want(t, l1, "k", "")
}

// meanwhile is a store in which something happens between a read and its answer.
type meanwhile struct {
	store
	do func(context.Context)
}

func (m meanwhile) Get(ctx context.Context, key string) (*entry, error) {
	e, err := m.store.Get(ctx, key)
	m.do(ctx)
	return e, err
}
