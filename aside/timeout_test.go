package aside_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

const grace = 10 * time.Millisecond

// stuck returns what makes a load deaf to its context until hang is closed.
func stuck(hang chan struct{}, end func()) func(context.Context, int) (int, error) {
	return func(_ context.Context, n int) (int, error) {
		<-hang
		if end != nil {
			end()
		}
		return n, nil
	}
}

func timed(seen cache.Observer) *aside.Options[int, int] {
	return &aside.Options[int, int]{LoadTimeout: 5 * time.Second, Observer: seen}
}

func TestALoadThatIgnoresItsDeadlineHoldsNobodyAndNothing(t *testing.T) {
	for name, end := range map[string]func(){"returns": nil, "panics": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hang := make(chan struct{})
				o, seen, p := &switchboard{do: stuck(hang, end)}, &events{}, newProbe(nil)
				l := aside.New(p, o.load, minute, timed(seen))
				first := begin(func() (int, error) { return l.Get(t.Context(), 1) })
				late := begin(func() (int, error) { return l.Get(t.Context(), 1) })
				time.Sleep(5*time.Second + grace)
				synctest.Wait()
				for _, a := range []*answer[int]{first, late} {
					if !a.done() || !errors.Is(a.err, cache.ErrLoadTimeout) || !errors.Is(a.err, context.DeadlineExceeded) || a.got != 0 {
						t.Errorf("a caller has %v", a)
					}
				}
				if got := seen.of(cache.LoadTimeout); len(got) != 1 || got[0].Took < 5*time.Second || !errors.Is(got[0].Err, cache.ErrLoadTimeout) {
					t.Errorf("observed: %+v", got)
				}
				if p.count("Cancel") != 1 {
					t.Errorf("the fill is not cancelled: %v", p.verbs)
				}
				o.set(nil)
				want(t, "the next caller", func() (int, error) { return l.Get(t.Context(), 1) }, 2, nil)
				synctest.Wait()
				close(hang)
				synctest.Wait()
				want(t, "after the load has returned", func() (int, error) { return l.Get(t.Context(), 1) }, 2, nil)
				if n := len(seen.of(cache.LoadPanic)); (n == 1) != (end != nil) || p.count("Commit") != 1 {
					t.Errorf("%d panics are observed, %d commits", n, p.count("Commit"))
				}
				if n := len(seen.of(cache.Load)); (n == 2) != (end == nil) {
					t.Errorf("%d loads are observed", n)
				}
			})
		})
	}
}

func TestALoadThatTakesTooLongLeavesWhatIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		o, seen := &switchboard{}, &events{}
		l := aside.New(newProbe(nil), o.load, onError, timed(seen))
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(stuck(hang, nil))
		start := time.Now()
		want(t, "a caller", func() (int, error) { return l.Get(t.Context(), 1) }, 1, nil)
		if took := time.Since(start); took != 5*time.Second+grace || len(seen.of(cache.StaleOnError)) != 1 {
			t.Errorf("after %v; observed: %+v", took, seen.list)
		}
		close(hang)
	})
}

func TestALoadThatWasLeftAloneKeepsItsPlaceAndIsReportedByClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		o := &switchboard{do: stuck(hang, nil)}
		opts := timed(nil)
		opts.Limits.Loads = 2
		l := aside.New(newProbe(nil), o.load, minute, opts)
		begin(func() (int, error) { return l.Get(t.Context(), 1) })
		begin(func() (int, error) { return l.Get(cache.Bypass(t.Context()), 2) })
		time.Sleep(10 * time.Second)
		if _, err := l.Get(t.Context(), 1); !errors.Is(err, cache.ErrOverloaded) || o.count() != 2 {
			t.Errorf("the next has %v after %d loads", err, o.count())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Close(ctx); err == nil || !strings.Contains(err.Error(), "2 loads") || !strings.Contains(err.Error(), "2 do not end") || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close is %v", err)
		}
		closed := begin(func() (int, error) { return 0, l.Close(t.Context()) })
		if closed.done() {
			t.Errorf("Close does not wait: %v", closed)
		}
		close(hang)
		synctest.Wait()
		if !closed.done() || closed.err != nil {
			t.Errorf("when they have returned, Close is %v", closed)
		}
	})
}

func TestADirectLoadHasATimeoutToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		o, seen := &switchboard{do: stuck(hang, nil)}, &events{}
		l := aside.New(newProbe(nil), o.load, minute, timed(seen))
		b := aside.NewBatch(newProbe(nil), o.many, minute, timed(seen))
		ctx := cache.Bypass(t.Context())
		one := begin(func() (int, error) { return l.Get(ctx, 1) })
		many := begin(func() (map[int]int, error) { return b.GetMany(ctx, []int{1, 2}) })
		time.Sleep(5*time.Second + grace)
		synctest.Wait()
		if !one.done() || !errors.Is(one.err, cache.ErrLoadTimeout) || !many.done() || !errors.Is(many.err, cache.ErrLoadTimeout) {
			t.Errorf("they have %v and %v", one, many)
		}
		if got := seen.of(cache.LoadTimeout); len(got) != 2 || got[0].N+got[1].N != 3 {
			t.Errorf("observed: %+v", got)
		}
		close(hang)
	})
}

func TestADirectLoadThatEndsItsGoroutineIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, end := range []func(){func() { panic("boom") }, runtime.Goexit} {
			seen := &events{}
			l := aside.New(newProbe(nil), func(context.Context, int) (int, error) { end(); return 1, nil }, minute, timed(seen))
			var pe *cache.PanicError
			if _, err := l.Get(cache.Bypass(t.Context()), 1); !errors.As(err, &pe) || len(seen.of(cache.LoadPanic)) != 1 {
				t.Errorf("the error is %v, observed: %+v", err, seen.list)
			}
		}
	})
}

func TestAnErrorOfOurDeadlineSaysSoAndStaysTheOrigins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := fmt.Errorf("query: %w", context.DeadlineExceeded)
		other := errors.New("query: connection lost")
		o, seen := &switchboard{}, &events{}
		l := aside.New(newProbe(nil), o.load, minute, timed(seen))
		at := func(ctx context.Context, err error) func() (int, error) {
			return func() (int, error) {
				o.set(func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, err })
				return l.Get(ctx, 1)
			}
		}
		for name, ctx := range map[string]context.Context{"shared": t.Context(), "direct": cache.Bypass(t.Context())} {
			_, err := at(ctx, own)()
			if !errors.Is(err, cache.ErrLoadTimeout) || !errors.Is(err, own) {
				t.Errorf("%s: %v", name, err)
			}
			synctest.Wait()
			if _, err := at(ctx, other)(); !same(err, other) {
				t.Errorf("%s, another error: %v", name, err)
			}
			synctest.Wait()
		}
		if got := seen.of(cache.LoadTimeout); len(got) != 2 || !errors.Is(got[0].Err, own) {
			t.Errorf("observed: %+v", got)
		}
		// The caller's own deadline is none of ours.
		ctx, cancel := context.WithTimeout(cache.Bypass(t.Context()), time.Second)
		defer cancel()
		if _, err := at(ctx, own)(); !same(err, own) {
			t.Errorf("at the caller's deadline: %v", err)
		}
		o.set(func(context.Context, int) (int, error) { return 0, own }) // before any deadline
		if _, err := l.Get(t.Context(), 2); !same(err, own) {
			t.Errorf("of a deadline of the origin's own: %v", err)
		}
		synctest.Wait()
	})
}

func TestABatchThatIgnoresItsDeadlineFailsAllItsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		o, seen := &switchboard{}, &events{}
		b := aside.NewBatch(newProbe(nil), o.many, onError, timed(seen))
		b.GetMany(t.Context(), []int{1})
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(stuck(hang, nil))
		got, err := b.GetMany(t.Context(), []int{1, 2, 3})
		if !errors.Is(err, cache.ErrLoadTimeout) || !maps.Equal(got, map[int]int{1: 1}) {
			t.Errorf("GetMany is %v, %v", got, err)
		}
		if got := seen.of(cache.LoadTimeout); len(got) != 1 || got[0].N != 3 {
			t.Errorf("observed: %+v", got)
		}
		close(hang)
	})
}

func TestALinearizableLoadThatIgnoresItsDeadlineHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		o := &switchboard{do: stuck(hang, nil)}
		l := aside.New(memstore.New[int, int](nil, 10, nil), o.load, invalidation.TTL(time.Hour),
			&aside.Options[int, int]{Linearizable: true, LoadTimeout: 5 * time.Second})
		first := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		o.set(nil)
		sealed := begin(func() (int, error) { return l.Get(t.Context(), 1) }) // of the next round
		time.Sleep(5*time.Second + grace)
		synctest.Wait()
		if !errors.Is(first.err, cache.ErrLoadTimeout) || sealed.got != 2 || sealed.err != nil {
			t.Errorf("they have %v and %v", first, sealed)
		}
		close(hang)
	})
}
