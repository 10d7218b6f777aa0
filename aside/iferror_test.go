package aside_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// onError serves values on error only: fresh for a minute, then for an hour if
// the origin fails. It has no back-off to speak of.
var onError = invalidation.Policy{Fresh: time.Minute, IfError: time.Hour, Backoff: time.Millisecond}

var errOrigin = errors.New("the origin is down")

// switchboard is an origin that does what it is told, and counts. Its zero value
// answers with the number of the load.
type switchboard struct {
	mu    sync.Mutex
	loads int
	do    func(ctx context.Context, n int) (int, error)
}

func (o *switchboard) set(do func(ctx context.Context, n int) (int, error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.do = do
}

func (o *switchboard) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.loads
}

func (o *switchboard) load(ctx context.Context, _ int) (int, error) {
	o.mu.Lock()
	o.loads++
	n, do := o.loads, o.do
	o.mu.Unlock()
	if do == nil {
		return n, nil
	}
	return do(ctx, n)
}

func (o *switchboard) many(ctx context.Context, keys []int) (map[int]int, error) {
	v, err := o.load(ctx, 0)
	if err != nil {
		return nil, err
	}
	rows := map[int]int{}
	for _, k := range keys {
		rows[k] = v
	}
	return rows, nil
}

func fails(context.Context, int) (int, error) { return 0, errOrigin }

// takes returns what makes a load take so long, whatever its context says.
func takes(d time.Duration, err error) func(context.Context, int) (int, error) {
	return func(_ context.Context, n int) (int, error) {
		time.Sleep(d)
		if err != nil {
			return 0, err
		}
		return n, nil
	}
}

func options(seen cache.Observer) *aside.Options[int, int] {
	return &aside.Options[int, int]{Observer: seen}
}

func want(t *testing.T, who string, get func() (int, error), v int, err error) {
	t.Helper()
	got, failed := get()
	if got != v || !errors.Is(failed, err) {
		t.Errorf("%s: %d, %v; want %d, %v", who, got, failed, v, err)
	}
}

func TestAValueIsServedIfTheOriginFailsUntilItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen := &switchboard{}, &events{}
		l := aside.New(newProbe(nil), o.load, onError, options(seen))
		get := func() (int, error) { return l.Get(t.Context(), 1) }
		want(t, "the first", get, 1, nil)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		want(t, "past its time, while the origin works", get, 2, nil)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(fails)
		want(t, "while the origin fails", get, 2, nil)
		if got := seen.of(cache.StaleOnError); len(got) != 1 || !same(got[0].Err, errOrigin) || got[0].N != 1 {
			t.Errorf("observed: %+v", got)
		}
		if got := seen.of(cache.StaleServed); len(got) != 0 {
			t.Errorf("it was not served at once, but observed: %+v", got)
		}
		o.set(func(context.Context, int) (int, error) { panic("boom") })
		time.Sleep(time.Minute)
		want(t, "while the origin panics", get, 2, nil)
		time.Sleep(time.Hour)
		o.set(fails)
		want(t, "after it has expired", get, 0, errOrigin)
	})
}

func TestWhatIsServedAtOnceAndWhatOnErrorAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{}
		p := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, IfError: time.Minute, Backoff: time.Millisecond}
		l := aside.New(newProbe(nil), o.load, p, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		o.set(takes(time.Second, errOrigin))
		for _, c := range []struct {
			after, took time.Duration
			err         error
		}{{59 * time.Second, 0, nil}, {61 * time.Second, 0, nil}, {119 * time.Second, 0, nil}, {122 * time.Second, time.Second, nil},
			{175 * time.Second, time.Second, nil}, {181 * time.Second, time.Second, errOrigin}} {
			time.Sleep(time.Until(began.Add(c.after)))
			start := time.Now()
			_, err := l.Get(t.Context(), 1)
			if took := time.Since(start); took != c.took || err != c.err {
				t.Errorf("after %v: %v, %v", c.after, took, err)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

// began is when time begins in a bubble.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestAValueThatIsInvalidatedWhileACallerWaitsIsNotServedOnError(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"error": 0, "soft timeout": time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, p := &switchboard{}, newProbe(nil)
				opts := &aside.Options[int, int]{SoftTimeout: timeout}
				l := aside.New(p, o.load, onError, opts)
				b := aside.NewBatch(p, o.many, onError, opts)
				l.Get(t.Context(), 1)
				b.GetMany(t.Context(), []int{2, 3})
				synctest.Wait()
				time.Sleep(2 * time.Minute)
				o.set(takes(10*time.Second, errOrigin))
				one := begin(func() (int, error) { return l.Get(t.Context(), 1) })
				many := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{2, 3}) })
				time.Sleep(100 * time.Millisecond)
				p.Store.Invalidate(t.Context(), 1, 2) // by another process
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if !one.done() || one.got != 0 || !same(one.err, errOrigin) {
					t.Errorf("Get is %v", one)
				}
				if !many.done() || !maps.Equal(many.got, map[int]int{3: 2}) || !same(many.err, errOrigin) {
					t.Errorf("GetMany is %v", many)
				}
			})
		})
	}
}

func TestTheSoftTimeoutServesWhatIsThereAndTheLoadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen := &switchboard{}, &events{}
		l := aside.New(newProbe(nil), o.load, onError, &aside.Options[int, int]{SoftTimeout: time.Second, Observer: seen})
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		var cancelled error
		o.set(func(ctx context.Context, n int) (int, error) {
			time.Sleep(10 * time.Second)
			cancelled = ctx.Err()
			return n, nil
		})
		start := time.Now()
		if v, err := l.Get(t.Context(), 1); v != 1 || err != nil || time.Since(start) != time.Second {
			t.Errorf("Get is %d, %v after %v", v, err, time.Since(start))
		}
		if got := seen.of(cache.StaleOnError); len(got) != 1 || !errors.Is(got[0].Err, cache.ErrLoadTimeout) {
			t.Errorf("observed: %+v", got)
		}
		if v, err := l.Get(t.Context(), 1); v != 1 || err != nil || o.count() != 2 {
			t.Errorf("another has %d, %v, after %d loads", v, err, o.count())
		}
		time.Sleep(20 * time.Second)
		if v, err := l.Get(t.Context(), 1); v != 2 || err != nil || cancelled != nil || o.count() != 2 {
			t.Errorf("when the load has ended: %d, %v; its context: %v, %d loads", v, err, cancelled, o.count())
		}
	})
}

func TestTheSoftTimeoutIsOnlyForThoseWhoHaveAnotherAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{do: takes(10*time.Second, nil)}
		b := aside.NewBatch(newProbe(nil), o.many, onError, &aside.Options[int, int]{SoftTimeout: time.Second})
		if v, err := b.Get(t.Context(), 1); v != 1 || err != nil {
			t.Errorf("Get is %d, %v", v, err)
		}
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		// 1 has a spare value, and 2 has none: who wants both gets both anew.
		got, err := b.GetMany(t.Context(), []int{1, 2})
		if err != nil || !maps.Equal(got, map[int]int{1: 2, 2: 2}) {
			t.Errorf("GetMany is %v, %v", got, err)
		}
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		start := time.Now()
		got, err = b.GetMany(t.Context(), []int{1, 2})
		if err != nil || !maps.Equal(got, map[int]int{1: 2, 2: 2}) || time.Since(start) != time.Second {
			t.Errorf("GetMany is %v, %v after %v", got, err, time.Since(start))
		}
		time.Sleep(time.Minute)
	})
}

func TestABatchServesWhatItHasIfTheOriginFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen, p := &switchboard{}, &events{}, newProbe(nil)
		b := aside.NewBatch(p, o.many, onError, options(seen))
		b.GetMany(t.Context(), []int{1, 2})
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(fails)
		got, err := b.GetMany(t.Context(), []int{1, 2, 3})
		if !same(err, errOrigin) || !maps.Equal(got, map[int]int{1: 1, 2: 1}) {
			t.Errorf("GetMany is %v, %v", got, err)
		}
		if got := seen.of(cache.StaleOnError); len(got) != 1 || got[0].N != 2 || !same(got[0].Err, errOrigin) {
			t.Errorf("observed: %+v", got)
		}
		if n := p.count("GetMany"); n != 3 {
			t.Errorf("the store was asked %d times", n)
		}
	})
}

func TestACallerWhoLeavesGetsNoStaleValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{}
		l := aside.New(newProbe(nil), o.load, onError, &aside.Options[int, int]{SoftTimeout: 5 * time.Second})
		b := aside.NewBatch(newProbe(nil), o.many, onError, nil)
		l.Get(t.Context(), 1)
		b.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Get(ctx, 1)
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err2 := b.GetMany(ctx, []int{1})
		if err != context.DeadlineExceeded || err2 != context.DeadlineExceeded || len(got) != 0 {
			t.Errorf("%v, %v", err, err2)
		}
		l.Close(t.Context())
		b.Close(t.Context())
	})
}

func TestAStoreThatFailsTooIsTheOriginsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, seen := &switchboard{}, newProbe(nil), &events{}
		l := aside.New(p, o.load, onError, options(seen))
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(func(context.Context, int) (int, error) {
			p.hook = failing(fmt.Errorf("%w: now", cache.ErrUnavailable), "Get")
			return 0, errOrigin
		})
		if _, err := l.Get(t.Context(), 1); !same(err, errOrigin) || len(seen.of(cache.Unavailable)) != 1 {
			t.Errorf("the error is %v, observed: %+v", err, seen.list)
		}
		synctest.Wait()
	})
}

func TestAnotherPolicyDoesNotServeWhatItWouldNotKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := &switchboard{}, newProbe(nil)
		aside.New(p, o.load, onError, nil).Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(fails)
		if _, err := aside.New(p, o.load, minute, nil).Get(t.Context(), 1); !same(err, errOrigin) {
			t.Errorf("the error is %v", err)
		}
		synctest.Wait()
	})
}
