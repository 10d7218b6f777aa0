package aside_test

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// meter is an origin that takes a second and knows how many ask it at once.
type meter struct{ now, most, all atomic.Int64 }

func (o *meter) load(ctx context.Context, key int) (int, error) {
	raise(&o.most, o.now.Add(1))
	defer o.now.Add(-1)
	o.all.Add(1)
	select {
	case <-time.After(time.Second):
		return key, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (o *meter) many(ctx context.Context, keys []int) (map[int]int, error) {
	_, err := o.load(ctx, 0)
	rows := map[int]int{}
	for _, k := range keys {
		rows[k] = k
	}
	return rows, err
}

func limited(seen cache.Observer, l aside.Limits) *aside.Options[int, int] {
	return &aside.Options[int, int]{Observer: seen, Limits: l}
}

func TestTheOriginSeesNoMoreThanItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen := &meter{}, &events{}
		l := aside.New(newProbe(nil), o.load, minute, limited(seen, aside.Limits{Loads: 3, Queue: 5}))
		var all []*answer[int]
		for k := range 20 {
			ctx := t.Context()
			if k%4 == 3 {
				ctx = cache.Bypass(ctx)
			}
			all = append(all, begin(func() (int, error) { return l.Get(ctx, k) }))
		}
		refused := 0
		for _, a := range all {
			if a.done() && errors.Is(a.err, cache.ErrOverloaded) {
				refused++
			}
		}
		if got := seen.of(cache.LoadRefused); refused != 12 || len(got) != 12 || !errors.Is(got[0].Err, cache.ErrOverloaded) {
			t.Errorf("%d are refused, observed: %d", refused, len(got))
		}
		// Those who want a key of which the load waits wait with it.
		follower := begin(func() (int, error) { return l.Get(t.Context(), 4) })
		time.Sleep(4 * time.Second)
		synctest.Wait()
		for k, a := range all[:8] {
			if !a.done() || a.got != k || a.err != nil {
				t.Errorf("key %d: %v", k, a)
			}
		}
		if !follower.done() || follower.got != 4 || o.most.Load() != 3 || o.all.Load() != 8 {
			t.Errorf("the follower has %v; %d loads, %d at once", follower, o.all.Load(), o.most.Load())
		}
		// All places are free again.
		for k := range 3 {
			begin(func() (int, error) { return l.Get(t.Context(), 100+k) })
		}
		if o.now.Load() != 3 {
			t.Errorf("%d at once", o.now.Load())
		}
		l.Close(t.Context())
	})
}

// A load that waits for a place has read nothing, so those who come meanwhile may
// have what it brings, whether the store can vouch for it or not.
func TestWhoComesWhileALoadWaitsForAPlaceNeedsNoOther(t *testing.T) {
	for name, strict := range map[string]bool{"": false, "linearizable": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, p := &meter{}, newProbe(nil)
				if !strict {
					p.hook = failing(errDown, "Commit")
				}
				opts := limited(nil, aside.Limits{Loads: 1, Queue: 1})
				opts.Linearizable = strict
				l := aside.New(p, o.load, minute, opts)
				begin(func() (int, error) { return l.Get(t.Context(), 1) })
				var all []*answer[int]
				for range 5 {
					all = append(all, begin(func() (int, error) { return l.Get(t.Context(), 2) }))
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				for _, a := range all {
					if !a.done() || a.got != 2 || a.err != nil || a.took != 2*time.Second {
						t.Errorf("a caller has %v", a)
					}
				}
				if n := o.all.Load(); n != 2 {
					t.Errorf("%d loads", n)
				}
			})
		})
	}
}

func TestALoadOfManyKeysHasOnePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &meter{}
		b := aside.NewBatch(newProbe(nil), o.many, minute, limited(nil, aside.Limits{Loads: 1}))
		one := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{1, 2, 3, 4}) })
		two := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{5, 6}) })
		time.Sleep(time.Second)
		synctest.Wait()
		if len(one.got) != 4 || one.err != nil || !errors.Is(two.err, cache.ErrOverloaded) {
			t.Errorf("they have %v and %v", one, two)
		}
	})
}

func TestWhoIsRefusedGetsWhatIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen := &meter{}, &events{}
		l := aside.New(newProbe(nil), o.load, onError, limited(seen, aside.Limits{Loads: 1}))
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		begin(func() (int, error) { return l.Get(t.Context(), 2) })
		want(t, "a refused caller", func() (int, error) { return l.Get(t.Context(), 1) }, 1, nil)
		if got := seen.of(cache.StaleOnError); len(got) != 1 || !errors.Is(got[0].Err, cache.ErrOverloaded) {
			t.Errorf("observed: %+v", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		// That a load was refused is no failure of the origin: the next is begun.
		a := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		if a.done() {
			t.Errorf("the next is not loaded: %v", a)
		}
		l.Close(t.Context())
	})
}

func TestALoadWaitsForAPlaceNoLongerThanItMayTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		o := &switchboard{do: func(context.Context, int) (int, error) { <-hang; return 1, nil }}
		opts := limited(nil, aside.Limits{Loads: 1, Queue: 3})
		opts.LoadTimeout = 5 * time.Second
		l := aside.New(newProbe(nil), o.load, minute, opts)
		begin(func() (int, error) { return l.Get(t.Context(), 1) })
		waits := begin(func() (int, error) { return l.Get(t.Context(), 2) })
		ctx, cancel := context.WithCancel(t.Context())
		leaves := begin(func() (int, error) { return l.Get(ctx, 3) })
		cancel()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if !waits.done() || !errors.Is(waits.err, cache.ErrOverloaded) || leaves.err != context.Canceled {
			t.Errorf("they have %v and %v", waits, leaves)
		}
		close(hang)
		synctest.Wait()
		want(t, "when there is a place", func() (int, error) { return l.Get(t.Context(), 4) }, 1, nil)
		l.Close(t.Context())
	})
}

func TestAPanicGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{do: func(context.Context, int) (int, error) { panic("boom") }}
		broken := true
		opts := limited(nil, aside.Limits{Loads: 1})
		opts.KeyTags = func(int) []string {
			if broken {
				panic("no tags")
			}
			return nil
		}
		l := aside.New(newProbe(nil), o.load, minute, opts)
		var pe *cache.PanicError
		for range 3 {
			if _, err := l.Get(t.Context(), 1); !errors.As(err, &pe) {
				t.Errorf("the error is %v", err)
			}
			broken = false
			synctest.Wait()
		}
	})
}

func TestRefreshesAtOnceAreLimited(t *testing.T) {
	for name, c := range map[string]struct {
		limits aside.Limits
		most   int64
	}{
		"by default":        {aside.Limits{}, 16},
		"by Refreshes":      {aside.Limits{Refreshes: 2}, 2},
		"by Loads":          {aside.Limits{Loads: 5, Queue: 100}, 5},
		"by Loads and both": {aside.Limits{Loads: 5, Queue: 100, Refreshes: 3}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, seen := &meter{}, &cache.Counter{}
				l := aside.New(newProbe(nil), o.load, stale, limited(seen, c.limits))
				for k := range 40 {
					l.Get(t.Context(), k)
				}
				synctest.Wait()
				time.Sleep(2 * time.Minute)
				o.most.Store(0)
				for range 3 {
					for k := range 40 {
						want(t, "a stale read", func() (int, error) { return l.Get(t.Context(), k) }, k, nil)
					}
				}
				synctest.Wait()
				if o.now.Load() != c.most || seen.Count(cache.RefreshStarted) != c.most {
					t.Errorf("%d refreshes are under way, %d observed", o.now.Load(), seen.Count(cache.RefreshStarted))
				}
				if n := seen.Count(cache.RefreshSkipped); n != 3*(40-c.most) {
					t.Errorf("%d are left out", n)
				}
				// The next read of a key tries again, until all are fresh.
				for range 40 {
					time.Sleep(1100 * time.Millisecond)
					for k := range 40 {
						l.Get(t.Context(), k)
					}
				}
				if n := seen.Count(cache.RefreshStarted); n != 40 || o.most.Load() != c.most {
					t.Errorf("%d refreshes, %d at once", n, o.most.Load())
				}
			})
		})
	}
}

func TestRefreshesInASecondAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen := &origin{}, &cache.Counter{}
		l := aside.New(newProbe(nil), o.load, stale, limited(seen, aside.Limits{RefreshRate: 4}))
		for k := range 100 {
			l.Get(t.Context(), k)
		}
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		for range 100 {
			for k := range 100 {
				l.Get(t.Context(), k)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := seen.Count(cache.RefreshStarted); n < 42 || n > 44 {
			t.Errorf("%d refreshes in ten seconds", n)
		}
	})
}

func TestLimitsThatMakeNoSenseAreNamed(t *testing.T) {
	set := func(f func(*aside.Options[int, int])) func() {
		return func() {
			var o aside.Options[int, int]
			f(&o)
			aside.New(newProbe(nil), (&origin{}).load, onError, &o)
		}
	}
	type opts = aside.Options[int, int]
	for _, c := range []struct {
		make  func()
		names []string
	}{
		{set(func(o *opts) { o.Limits.Loads = -1 }), []string{"Limits.Loads"}},
		{set(func(o *opts) { o.Limits.Queue = -1 }), []string{"Limits.Queue"}},
		{set(func(o *opts) { o.Limits.Refreshes = -1 }), []string{"Limits.Refreshes"}},
		{set(func(o *opts) { o.Limits.RefreshRate = -1 }), []string{"Limits.RefreshRate"}},
		{set(func(o *opts) { o.Limits.RefreshRate = math.NaN() }), []string{"Limits.RefreshRate"}},
		{set(func(o *opts) { o.Limits.RefreshRate = math.Inf(1) }), []string{"Limits.RefreshRate"}},
		{set(func(o *opts) { o.Limits.Queue = 1 }), []string{"Limits.Queue", "Limits.Loads"}},
		{set(func(o *opts) { o.Limits.Loads, o.Limits.Refreshes = 2, 3 }), []string{"Limits.Refreshes", "Limits.Loads"}},
		{set(func(o *opts) { o.SoftTimeout = -1 }), []string{"Options.SoftTimeout"}},
		{set(func(o *opts) { o.SoftTimeout = 30 * time.Second }), []string{"Options.SoftTimeout", "Options.LoadTimeout"}},
		{func() {
			aside.New(newProbe(nil), (&origin{}).load, minute, &opts{SoftTimeout: time.Second})
		}, []string{"Options.SoftTimeout", "Policy.IfError"}},
		{set(func(o *opts) { o.Linearizable = true }), []string{"Options.Linearizable", "Policy.IfError"}},
		{func() {
			aside.New(newProbe(nil), (&origin{}).load, minute, &opts{Linearizable: true, TTL: func(int, int) time.Duration { return 1 }})
		}, []string{"Options.Linearizable", "Options.TTL"}},
		{func() {
			aside.New(newProbe(nil), (&origin{}).load, invalidation.Policy{Stale: 1}, &opts{TTL: func(int, int) time.Duration { return 1 }})
		}, []string{"Policy.Stale"}},
	} {
		panics(t, c.make, c.names...)
	}
}
