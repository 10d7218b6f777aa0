package aside_test

import (
	"context"
	"errors"
	"math/rand/v2"
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

// crowd has a thousand callers ask for a key, at moments within spread, and
// returns how long the slowest waited.
func crowd(t *testing.T, spread time.Duration, get func(context.Context, int) (int, error)) (slowest time.Duration) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if spread > 0 {
				time.Sleep(rand.N(spread))
			}
			start := time.Now()
			if _, err := get(t.Context(), 1); err != nil {
				t.Error(err)
			}
			mu.Lock()
			slowest = max(slowest, time.Since(start))
			mu.Unlock()
		})
	}
	wg.Wait()
	return slowest
}

func TestAThousandCallersOfAColdKeyMakeOneLoad(t *testing.T) {
	for name, hook := range map[string]func(string) error{
		"fast store": nil, "slow commit": slow("Commit"), "slow store": slow("Reserve", "Commit"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, spread := range []time.Duration{0, 4 * time.Second} {
				synctest.Test(t, func(t *testing.T) {
					o := &origin{take: time.Second}
					l := aside.New(newProbe(hook), o.load, minute, nil)
					if crowd(t, spread, l.Get); o.loads.Load() != 1 {
						t.Errorf("%d loads", o.loads.Load())
					}
					l.Close(t.Context())
				})
			}
		})
	}
}

func TestWithTheStoreDownNobodyWaitsForMoreThanTwoLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(failing(errDown, "Get", "Reserve", "Commit")), &origin{take: time.Second}
		l := aside.New(p, o.load, minute, nil)
		if slowest := crowd(t, 0, l.Get); o.loads.Load() > 2 || slowest > 2*time.Second {
			t.Errorf("%d loads, the slowest caller waited %v", o.loads.Load(), slowest)
		}
		o.loads.Store(0)
		if slowest := crowd(t, 10*time.Second, l.Get); o.loads.Load() > 12 || slowest > 2*time.Second {
			t.Errorf("over ten seconds: %d loads, the slowest caller waited %v", o.loads.Load(), slowest)
		}
		if n := p.count("Reserve", "Commit"); n != 0 {
			t.Errorf("a store that is down is asked %d times more", n)
		}
	})
}

func TestEarlyCallersDoNotWaitForTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := aside.New(newProbe(slow("Commit")), (&origin{take: time.Second}).load, minute, nil)
		a := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		b := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		time.Sleep(time.Second)
		synctest.Wait()
		if !a.done() || a.got != 101 || b.done() {
			t.Errorf("when the load ends: %+v and, late, %+v", a, b)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !b.done() || b.got != 101 {
			t.Errorf("when the commit ends: %+v", b)
		}
	})
}

// Callers from before an invalidation may have the value from before it. Those
// who come after it never, whatever was invalidated how, and whatever the store
// can say of it.
func TestAnInvalidationDuringALoad(t *testing.T) {
	type scene struct {
		hook   func(string) error
		policy invalidation.Policy
		by     func(context.Context, *probe, *aside.Loader[int, int])
	}
	byKey := func(ctx context.Context, _ *probe, l *aside.Loader[int, int]) { l.Invalidate(ctx, 1) }
	elsewhere := func(ctx context.Context, p *probe, _ *aside.Loader[int, int]) { p.Store.Invalidate(ctx, 1) }
	byTag := func(ctx context.Context, p *probe, _ *aside.Loader[int, int]) {
		p.Domain().InvalidateTags(ctx, "value")
	}
	byKeyTag := func(ctx context.Context, p *probe, _ *aside.Loader[int, int]) {
		p.Domain().InvalidateTags(ctx, "key")
	}
	down := failing(errDown, "Get", "Reserve")
	for name, s := range map[string]scene{
		"key":                   {nil, minute, byKey},
		"key, elsewhere":        {nil, minute, elsewhere},
		"tag of the value":      {nil, minute, byTag},
		"tag of the key":        {nil, minute, byKeyTag},
		"store down":            {down, minute, elsewhere},
		"store down, here":      {down, minute, byKey},
		"commit fails":          {failing(errDown, "Commit"), minute, elsewhere},
		"nothing is stored":     {nil, invalidation.Policy{}, elsewhere},
		"only absence is":       {nil, invalidation.Policy{Negative: time.Hour}, elsewhere},
		"during the commit too": {slow("Commit"), minute, elsewhere},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, version := newProbe(s.hook), atomic.Int64{}
				l := aside.New(p, func(context.Context, int) (int, error) {
					v := version.Load()
					time.Sleep(10 * time.Second)
					return int(v), nil
				}, s.policy, &aside.Options[int, int]{
					NotFound: errRow,
					KeyTags:  func(int) []string { return []string{"key"} },
					Tags:     func(int, int) []string { return []string{"value"} },
				})
				get := func() (int, error) { return l.Get(t.Context(), 1) }
				before := begin(get)
				time.Sleep(5 * time.Second)
				version.Store(1)
				s.by(t.Context(), p, l)
				after := begin(get)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				sealed := begin(get)
				time.Sleep(time.Minute)
				synctest.Wait()
				if !before.done() || before.got != 0 || before.took != 10*time.Second {
					t.Errorf("before: %v", before)
				}
				for _, a := range []*answer[int]{after, sealed} {
					if !a.done() || a.got != 1 || a.err != nil || a.took > 26*time.Second {
						t.Errorf("after: %+v", a)
					}
				}
			})
		})
	}
}

func TestCallersObeyTheirOwnContexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{take: 10 * time.Second}
		l := aside.New(newProbe(nil), o.load, minute, nil)
		first, cancel := context.WithCancel(t.Context())
		a := begin(func() (int, error) { return l.Get(first, 1) })
		short, cancelShort := context.WithTimeout(t.Context(), time.Second)
		defer cancelShort()
		b := begin(func() (int, error) { return l.Get(short, 1) })
		c := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		cancel()
		time.Sleep(time.Second)
		synctest.Wait()
		if !a.done() || a.err != context.Canceled || a.took != 0 {
			t.Errorf("the first caller: %+v", a)
		}
		if !b.done() || b.err != context.DeadlineExceeded || b.took != time.Second {
			t.Errorf("the hasty caller: %+v", b)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !c.done() || c.got != 101 || c.err != nil {
			t.Errorf("the patient caller: %+v", c)
		}
	})
}

type requestID struct{}

func TestTheLoadEndsWithItsLastCallerAndHasTheirValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var why []error
		loads := 0
		l := aside.New(newProbe(nil), func(ctx context.Context, _ int) (int, error) {
			loads++
			if loads > 1 {
				return loads, nil
			}
			if ctx.Value(requestID{}) != "r1" {
				t.Error("the load does not have the values of the caller's context")
			}
			<-ctx.Done()
			why = append(why, ctx.Err())
			time.Sleep(time.Minute) // it is slow to stop
			return 0, ctx.Err()
		}, minute, &aside.Options[int, int]{DisableBackgroundCompletion: true})
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), requestID{}, "r1"))
		for range 3 {
			begin(func() (int, error) { return l.Get(ctx, 1) })
		}
		cancel()
		synctest.Wait()
		if len(why) != 1 || why[0] != context.Canceled {
			t.Errorf("the load has ended with %v", why)
		}
		if v, err := l.Get(t.Context(), 1); v != 2 || err != nil {
			t.Errorf("a newcomer has %d, %v", v, err)
		}
		l.Close(t.Context())
	})
}

func TestTheCommitOutlivesTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(slow("Commit")), &origin{take: time.Second}
		l := aside.New(p, o.load, minute, nil)
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := l.Get(ctx, 1); err != nil {
			t.Error(err)
		}
		cancel()
		time.Sleep(2 * time.Second)
		if l.Get(t.Context(), 1); o.loads.Load() != 1 || p.Len() != 1 {
			t.Errorf("%d loads, %d entries", o.loads.Load(), p.Len())
		}
	})
}

func TestWhatAnAbandonedLoadHasBroughtIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		l := aside.New(p, func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 7, nil // it was as good as done
		}, minute, &aside.Options[int, int]{DisableBackgroundCompletion: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Get(ctx, 1); err != context.DeadlineExceeded {
			t.Errorf("the error is %v", err)
		}
		synctest.Wait()
		if e, _ := p.Store.Get(t.Context(), 1); e == nil || e.Value != 7 {
			t.Errorf("the store has %+v", e)
		}
	})
}

func TestAPanicOrGoexitIsAnErrorAndWedgesNothing(t *testing.T) {
	boom := errors.New("boom")
	for name, end := range map[string]func(){"panic": func() { panic(boom) }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen, p, loads := &events{}, newProbe(nil), 0
				l := aside.New(p, func(context.Context, int) (int, error) {
					if loads++; loads == 1 {
						time.Sleep(time.Second)
						end()
					}
					return loads, nil
				}, minute, &aside.Options[int, int]{Observer: seen})
				var all []*answer[int]
				for range 20 {
					all = append(all, begin(func() (int, error) { return l.Get(t.Context(), 1) }))
				}
				time.Sleep(time.Second)
				synctest.Wait()
				for _, a := range all {
					var pe *cache.PanicError
					if !errors.As(a.err, &pe) || len(pe.Stack) == 0 || errors.Is(a.err, boom) != (name == "panic") {
						t.Errorf("a caller has %+v", a)
					}
				}
				if v, err := l.Get(t.Context(), 1); v != 2 || err != nil {
					t.Errorf("the next caller has %d, %v", v, err)
				}
				var pe *cache.PanicError
				if got := seen.of(cache.LoadPanic); len(got) != 1 || !errors.As(got[0].Err, &pe) {
					t.Errorf("observed: %+v", got)
				}
				if p.count("Cancel") != 1 {
					t.Errorf("the fill is not cancelled: %v", p.verbs)
				}
				synctest.Wait()
			})
		})
	}
}

func TestAPanicOfATagFunctionIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := func(int) []string { panic("no tags") }
		l := aside.New(newProbe(nil), (&origin{}).load, minute, &aside.Options[int, int]{KeyTags: broken})
		m := aside.New(newProbe(nil), (&origin{}).load, minute, &aside.Options[int, int]{Tags: func(int, int) []string { return broken(1) }})
		for _, l := range []*aside.Loader[int, int]{l, m} {
			var pe *cache.PanicError
			if _, err := l.Get(t.Context(), 1); !errors.As(err, &pe) {
				t.Errorf("the error is %v", err)
			}
		}
	})
}

func TestAnErrorAnswersAllWhoWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{take: time.Second, err: errors.New("the origin is down")}
		l := aside.New(newProbe(nil), o.load, minute, nil)
		var all []*answer[int]
		for range 20 {
			all = append(all, begin(func() (int, error) { return l.Get(t.Context(), 1) }))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for _, a := range all {
			if !a.done() || !same(a.err, o.err) {
				t.Errorf("a caller has %+v", a)
			}
		}
		if o.loads.Load() != 1 {
			t.Errorf("%d loads", o.loads.Load())
		}
	})
}

func TestWhatSomebodyElseHasStoredMeanwhileSparesTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var other *aside.Loader[int, int]
		o := &origin{}
		p := newProbe(func(verb string) error {
			if verb == "Reserve" && other != nil {
				l := other
				other = nil
				l.Get(context.Background(), 1)
				l.Close(context.Background())
			}
			return nil
		})
		l := aside.New(p, o.load, minute, nil)
		other = aside.New(p, o.load, minute, nil)
		if v, err := l.Get(t.Context(), 1); v != 101 || err != nil || o.loads.Load() != 1 {
			t.Errorf("Get is %d, %v after %d loads", v, err, o.loads.Load())
		}
		synctest.Wait()
	})
}
