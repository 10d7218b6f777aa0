package aside_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

var stale = invalidation.Policy{Fresh: time.Minute, Stale: time.Hour}

func TestAHundredThousandStaleReadsMakeOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, n := &origin{}, &cache.Counter{}
		l := aside.New(newProbe(nil), o.load, stale, &aside.Options[int, int]{Observer: n})
		l.Get(t.Context(), 1)
		time.Sleep(time.Minute)
		o.take = time.Second
		goroutines := runtime.NumGoroutine()
		for range 100_000 {
			if v, err := l.Get(t.Context(), 1); v != 101 || err != nil {
				t.Fatalf("Get is %d, %v", v, err)
			}
		}
		if n := runtime.NumGoroutine() - goroutines; n > 2 { // a trip, and its load
			t.Errorf("%d goroutines refresh", n)
		}
		time.Sleep(2 * time.Second)
		if v, _ := l.Get(t.Context(), 1); v != 102 || o.loads.Load() != 2 {
			t.Errorf("after the refresh Get is %d, after %d loads", v, o.loads.Load())
		}
		if n.Count(cache.StaleServed) != 100_000 {
			t.Errorf("%d stale reads are counted", n.Count(cache.StaleServed))
		}
	})
}

func TestAHundredThousandStaleReadsAtOnceMakeOneRefreshOfEachKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys = 10
		o, seen := &origin{}, &cache.Counter{}
		l := aside.New(newProbe(nil), o.load, stale, &aside.Options[int, int]{Observer: seen})
		b := aside.NewBatch(newProbe(nil), func(ctx context.Context, all []int) (map[int]int, error) {
			rows := map[int]int{}
			for _, k := range all {
				rows[k], _ = o.load(ctx, k)
			}
			return rows, nil
		}, stale, &aside.Options[int, int]{Observer: seen})
		all := make([]int, keys)
		for k := range keys {
			all[k] = k
			l.Get(t.Context(), k)
		}
		b.GetMany(t.Context(), all)
		synctest.Wait()
		time.Sleep(time.Minute)
		o.take = time.Second
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				for i := range 1000 {
					if _, err := l.Get(t.Context(), i%keys); err != nil {
						t.Error(err)
					}
					if i%10 == 0 {
						b.GetMany(t.Context(), all)
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(20 * time.Second)
		if n := o.loads.Load(); n != 4*keys || seen.Count(cache.RefreshStarted) != 2*keys || seen.Count(cache.RefreshSkipped) != 0 {
			t.Errorf("%d loads, %d refreshes, %d left out", n, seen.Count(cache.RefreshStarted), seen.Count(cache.RefreshSkipped))
		}
	})
}

func TestARefreshThatFailsIsObservedAndTheStaleValueServedUntilItExpires(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error":  func() error { return errors.New("the origin is down") },
		"panic":  func() error { panic("boom") },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen, loads := &events{}, 0
				l := aside.New(newProbe(nil), func(context.Context, int) (int, error) {
					if loads++; loads > 1 {
						return 0, fail()
					}
					return 7, nil
				}, stale, &aside.Options[int, int]{Observer: seen})
				l.Get(t.Context(), 1)
				synctest.Wait()
				for range 60 {
					time.Sleep(time.Minute)
					if v, err := l.Get(t.Context(), 1); v != 7 || err != nil {
						t.Fatalf("Get is %d, %v", v, err)
					}
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				if _, err := l.Get(t.Context(), 1); err == nil {
					t.Error("the value is served after it has expired")
				}
				synctest.Wait()
				failures := len(seen.of(cache.LoadPanic))
				for _, e := range seen.of(cache.Load) {
					if e.Err != nil {
						failures++
					}
				}
				if failures != 61 {
					t.Errorf("%d failures are observed", failures)
				}
			})
		})
	}
}

func TestARefreshNeverBringsAnInvalidatedValueBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var version atomic.Int64
		l := aside.New(newProbe(nil), func(context.Context, int) (int, error) {
			v := version.Load()
			time.Sleep(time.Second)
			return int(v), nil
		}, stale, nil)
		l.Get(t.Context(), 1)
		time.Sleep(time.Minute)
		l.Get(t.Context(), 1) // a refresh reads version 0
		synctest.Wait()
		version.Store(1)
		l.Invalidate(t.Context(), 1)
		for range 3 {
			if v, err := l.Get(t.Context(), 1); v != 1 || err != nil {
				t.Errorf("Get is %d, %v", v, err)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestARefreshOutlivesWhoHasCausedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{take: time.Second}
		l := aside.New(newProbe(nil), o.load, stale, nil)
		l.Get(t.Context(), 1)
		time.Sleep(time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		l.Get(ctx, 1)
		cancel()
		time.Sleep(2 * time.Second)
		if v, _ := l.Get(t.Context(), 1); v != 102 {
			t.Errorf("Get is %d", v)
		}
		synctest.Wait()
	})
}

func TestAStaleValueMetAtReserveIsLoadedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{}
		l := aside.New(p, o.load, stale, nil)
		l.Get(t.Context(), 1)
		time.Sleep(time.Minute)
		for range 2 { // the first read starts a refresh, the second meets its result
			l.Get(t.Context(), 1)
			synctest.Wait()
		}
		if p.count("Reserve") != 2 || o.loads.Load() != 2 {
			t.Errorf("%d loads, %v", o.loads.Load(), p.verbs)
		}
	})
}

func TestAnInvalidatedValueIsNotServedAsStale(t *testing.T) {
	for name, by := range map[string]func(context.Context, *probe, *aside.Loader[int, int]) error{
		"key": func(ctx context.Context, _ *probe, l *aside.Loader[int, int]) error { return l.Invalidate(ctx, 1) },
		"tag": func(ctx context.Context, p *probe, _ *aside.Loader[int, int]) error {
			return p.Domain().InvalidateTags(ctx, "value")
		},
		"tag of the key": func(ctx context.Context, p *probe, _ *aside.Loader[int, int]) error {
			return p.Domain().InvalidateTags(ctx, "key")
		},
	} {
		for when, refreshing := range map[string]bool{"idle": false, "during a refresh": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var version atomic.Int64
					p := newProbe(nil)
					l := aside.New(p, func(context.Context, int) (int, error) {
						v := version.Load()
						time.Sleep(time.Second)
						return int(v), nil
					}, stale, &aside.Options[int, int]{
						KeyTags: func(int) []string { return []string{"key"} },
						Tags:    func(int, int) []string { return []string{"value"} },
					})
					l.Get(t.Context(), 1)
					time.Sleep(time.Minute)
					if refreshing {
						l.Get(t.Context(), 1) // the refresh reads version 0
						synctest.Wait()
					}
					version.Store(1)
					if err := by(t.Context(), p, l); err != nil {
						t.Fatal(err)
					}
					for range 5 {
						if v, err := l.Get(t.Context(), 1); v != 1 || err != nil {
							t.Errorf("Get is %d, %v", v, err)
						}
						time.Sleep(time.Minute)
					}
					if err := l.Close(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
