package aside_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// While the origin fails for half a minute, everybody has an answer, and the
// origin is asked for a key at most once in a back-off.
func TestAnOriginThatFailsForHalfAMinuteIsNoticedByNobodyAndLeftInPeace(t *testing.T) {
	const keys, backoff = 5, 2 * time.Second
	for name, p := range map[string]invalidation.Policy{
		"stale":    {Fresh: time.Second, Stale: time.Hour, Backoff: backoff},
		"on error": {Fresh: time.Second, IfError: time.Hour, Backoff: backoff},
		"both":     {Fresh: time.Second, Stale: 5 * time.Second, IfError: time.Hour, Backoff: backoff},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				failing, calls := false, map[int][]time.Time{}
				ask := func(key int) (int, error) {
					mu.Lock()
					down := failing
					if down {
						calls[key] = append(calls[key], time.Now())
					}
					mu.Unlock()
					time.Sleep(100 * time.Millisecond)
					if down {
						return 0, errOrigin
					}
					return key, nil
				}
				l := aside.New(newProbe(nil), func(_ context.Context, key int) (int, error) { return ask(key) }, p, nil)
				b := aside.NewBatch(newProbe(nil), func(_ context.Context, all []int) (map[int]int, error) {
					v, err := ask(all[0])
					return map[int]int{all[0]: v}, err
				}, p, nil)
				read := func(i int) error {
					one, many := i%keys, keys+i%keys
					_, err := l.Get(t.Context(), one)
					rows, err2 := b.GetMany(t.Context(), []int{many})
					if err2 == nil && len(rows) != 1 {
						err2 = errors.New("a row is missing")
					}
					return errors.Join(err, err2)
				}
				for i := range keys {
					if err := read(i); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Second)
				mu.Lock()
				failing = true
				mu.Unlock()
				var wg sync.WaitGroup
				for i := range 20 {
					wg.Go(func() {
						for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(37 * time.Millisecond) {
							if err := read(i); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				l.Close(t.Context())
				b.Close(t.Context())
				if len(calls) != 2*keys {
					t.Errorf("the origin was asked for %d keys", len(calls))
				}
				for k, at := range calls {
					for i := 1; i < len(at); i++ { // a load takes a tenth of a second, and a half of the back-off may be left out
						if d := at[i].Sub(at[i-1]); d < backoff/2+100*time.Millisecond {
							t.Errorf("key %d was asked for again after %v", k, d)
						}
					}
					if len(at) < 10 {
						t.Errorf("key %d was asked for only %d times", k, len(at))
					}
				}
			})
		})
	}
}

var backsOff = invalidation.Policy{Fresh: time.Minute, Backoff: 10 * time.Second}

func TestWithoutAStaleValueTheErrorIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen, p := &switchboard{do: fails}, &events{}, newProbe(nil)
		l := aside.New(p, o.load, backsOff, options(seen))
		b := aside.NewBatch(p, o.many, backsOff, options(seen))
		for range 3 {
			if _, err := l.Get(t.Context(), 1); !same(err, errOrigin) {
				t.Errorf("Get is %v", err)
			}
			if _, err := b.GetMany(t.Context(), []int{1}); !same(err, errOrigin) {
				t.Errorf("GetMany is %v", err)
			}
			synctest.Wait()
		}
		got := seen.of(cache.LoadSpared)
		if len(got) != 4 || !same(got[0].Err, errOrigin) || o.count() != 2 {
			t.Errorf("observed: %+v, %d loads", got, o.count())
		}
		if n := p.count("Reserve"); n != 2 {
			t.Errorf("the store was asked for %d fills", n)
		}
		time.Sleep(10 * time.Second)
		o.set(nil)
		if v, err := l.Get(t.Context(), 1); v != 3 || err != nil {
			t.Errorf("after the back-off: %d, %v", v, err)
		}
		synctest.Wait()
	})
}

func TestOtherRowsOfABatchDoNotRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{err: errOrigin}
		b := aside.NewBatch(newProbe(nil), o.load, backsOff, nil)
		b.GetMany(t.Context(), []int{1, 2}) // 1 fails
		synctest.Wait()
		got, err := b.GetMany(t.Context(), []int{1, 2, 3, 4})
		if !same(err, errOrigin) || len(got) != 2 || o.queries() != "[[1 2] [3 4]]" {
			t.Errorf("GetMany is %v, %v; the origin was asked for %s", got, err, o.queries())
		}
		synctest.Wait()
	})
}

func TestABackOffIsEnded(t *testing.T) {
	for name, end := range map[string]func(context.Context, *aside.Loader[int, int]){
		"by Invalidate": func(ctx context.Context, l *aside.Loader[int, int]) { l.Invalidate(ctx, 1) },
		"by a load that succeeds": func(context.Context, *aside.Loader[int, int]) {
			time.Sleep(time.Second) // the first load, which was left behind, ends
			synctest.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &switchboard{do: takes(time.Second, nil)}
				l := aside.New(newProbe(nil), o.load, backsOff, nil)
				begin(func() (int, error) { return l.Get(t.Context(), 1) })
				l.Invalidate(t.Context(), 1)
				o.set(fails)
				want(t, "a load that fails", func() (int, error) { return l.Get(t.Context(), 1) }, 0, errOrigin)
				o.set(nil)
				want(t, "the next", func() (int, error) { return l.Get(t.Context(), 1) }, 0, errOrigin)
				end(t.Context(), l)
				want(t, "after that", func() (int, error) { return l.Get(t.Context(), 1) }, 3, nil)
				l.Close(t.Context())
			})
		})
	}
}

func TestWhatIsNoFailureOfTheOriginStartsNoBackOff(t *testing.T) {
	for name, c := range map[string]struct {
		do    func(context.Context, int) (int, error)
		leave bool
	}{
		"absent":             {do: func(context.Context, int) (int, error) { return 0, fmt.Errorf("key 1: %w", errRow) }},
		"everybody has left": {do: func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, leave: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &switchboard{do: c.do}
				l := aside.New(newProbe(nil), o.load, backsOff, &aside.Options[int, int]{NotFound: errRow, DisableBackgroundCompletion: true})
				ctx, cancel := context.WithCancel(t.Context())
				begin(func() (int, error) { return l.Get(ctx, 1) })
				if c.leave {
					cancel()
				}
				synctest.Wait()
				cancel()
				o.set(nil)
				want(t, "the next", func() (int, error) { return l.Get(t.Context(), 1) }, 2, nil)
				synctest.Wait()
			})
		})
	}
}

func TestWhoHasJoinedTooLateIsNotLoadedForInABackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := &switchboard{do: takes(time.Second, nil)}, newProbe(nil)
		l := aside.New(p, o.load, backsOff, nil)
		begin(func() (int, error) { return l.Get(t.Context(), 1) })
		late := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		p.Store.Invalidate(t.Context(), 1) // so that the late one has another round
		l.Invalidate(t.Context(), 1)       // and others another load
		o.set(fails)
		l.Get(t.Context(), 1)
		o.set(takes(time.Second, errOrigin))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if !late.done() || o.count() > 3 {
			t.Errorf("the late one has %v after %d loads", late, o.count())
		}
	})
}

func TestWhoHasWaitedForAPlaceIsNotLoadedForInABackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, sw := &switchboard{do: takes(time.Second, errOrigin)}, &cache.Switch{}
		opts := limited(nil, aside.Limits{Loads: 1, Queue: 1})
		opts.Switch = sw
		l := aside.New(newProbe(nil), o.load, backsOff, opts)
		begin(func() (int, error) { return l.Get(t.Context(), 1) })
		switchTo(t, sw, "shadow") // so that the next has a load of its own
		waits := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		time.Sleep(time.Second)
		synctest.Wait()
		if !waits.done() || !same(waits.err, errOrigin) || o.count() != 1 {
			t.Errorf("who has waited has %v after %d loads", waits, o.count())
		}
		time.Sleep(time.Minute) // and the place is free again
		want(t, "later", func() (int, error) { return l.Get(t.Context(), 1) }, 0, errOrigin)
	})
}

func TestARefreshThatFailsIsNotRepeatedInABackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen := &switchboard{}, &events{}
		l := aside.New(newProbe(nil), o.load, invalidation.Policy{Fresh: time.Minute, Stale: time.Hour, Backoff: 10 * time.Second}, options(seen))
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(fails)
		for range 100 {
			want(t, "a stale read", func() (int, error) { return l.Get(t.Context(), 1) }, 1, nil)
			synctest.Wait()
		}
		if o.count() != 2 || len(seen.of(cache.StaleServed)) != 100 || len(seen.of(cache.RefreshStarted)) != 1 {
			t.Errorf("%d loads, %d stale reads, %d refreshes", o.count(), len(seen.of(cache.StaleServed)), len(seen.of(cache.RefreshStarted)))
		}
		time.Sleep(10 * time.Second)
		l.Get(t.Context(), 1)
		synctest.Wait()
		if o.count() != 3 {
			t.Errorf("after the back-off: %d loads", o.count())
		}
	})
}
