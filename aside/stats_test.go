package aside_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

var (
	_ cache.Source = (*aside.Loader[int, int])(nil)
	_ cache.Source = (*aside.Batch[int, int])(nil)
)

func TestStatsAreWhatAnObserverHasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n cache.Counter
		fails := false
		settle := func() { // what goes on in the background ends
			time.Sleep(2 * time.Second)
			synctest.Wait()
		}
		p := newProbe(nil)
		b := aside.NewBatch(p, func(_ context.Context, keys []int) (map[int]int, error) {
			time.Sleep(time.Second)
			if fails {
				return nil, context.DeadlineExceeded
			}
			if keys[0] == 13 {
				panic("thirteen")
			}
			all := map[int]int{}
			for _, k := range keys {
				all[k] = k
			}
			return all, nil
		}, invalidation.Policy{Fresh: time.Minute, Stale: time.Hour}, &aside.Options[int, int]{Name: "rows", Observer: &n})
		b.GetMany(t.Context(), []int{1, 2, 3})
		b.Get(t.Context(), 1) // a hit, which the store counts
		time.Sleep(2 * time.Minute)
		b.Get(t.Context(), 1) // is stale
		settle()
		fails = true
		b.GetMany(t.Context(), []int{5, 6})
		settle()
		fails = false
		b.Get(t.Context(), 13)
		b.Invalidate(t.Context(), 1, 2)
		settle()
		p.hook = failing(errDown, "GetMany", "Invalidate")
		b.GetMany(t.Context(), []int{7})
		b.Invalidate(t.Context(), 1)
		settle()
		s := b.Stats()
		for _, k := range cache.Kinds() {
			if s.Counts.Of(k) != n.Count(k) {
				t.Errorf("%v: %d, not %d", k, s.Counts.Of(k), n.Count(k))
			}
		}
		for k, want := range map[cache.Kind]int64{cache.Load: 3 + 1 + 2 + 1, cache.LoadPanic: 1, cache.StaleServed: 1, cache.Unavailable: 1, cache.Invalidated: 3, cache.Hit: 0} {
			if s.Counts.Of(k) != want {
				t.Errorf("%v: %d, not %d", k, s.Counts.Of(k), want)
			}
		}
		if s.Cache != "rows" || s.Level != cache.Origin || s.Loads.Count != 4 || s.Loads.Sum != int64(4*time.Second) {
			t.Errorf("%q, %v, loads %+v", s.Cache, s.Level, s.Loads)
		}
		if e := s.Errors; e.Of(cache.ClassTimeout) != 1 || e.Of(cache.ClassPanic) != 1 || e.All() != 4 {
			t.Errorf("the errors are %v", e)
		}
	})
}

func TestStatsNeedNoObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := aside.New(newProbe(nil), func(context.Context, int) (int, error) { return 0, errors.New("no") }, minute, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		if s := l.Stats(); s.Counts.Of(cache.Load) != 1 || s.Errors.Of(cache.ClassOther) != 1 || s.Loads.Count != 1 {
			t.Errorf("%+v", s)
		}
	})
}
