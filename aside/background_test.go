package aside_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// hurry asks with a deadline, and returns the error.
func hurry(t *testing.T, d time.Duration, get func(context.Context, int) (int, error), key int) error {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	_, err := get(ctx, key)
	return err
}

// Twenty callers with short deadlines, one after the other, of a key that takes longer.
func TestBackgroundCompletion_ShortDeadlinesWarmASlowKey(t *testing.T) {
	for _, mode := range []string{"on", "shadow", "linearizable", "batch"} {
		synctest.Test(t, func(t *testing.T) {
			o, p, sw := &origin{take: 150 * time.Millisecond}, newProbe(nil), &cache.Switch{}
			opts := &aside.Options[int, int]{Switch: sw, Linearizable: mode == "linearizable"}
			if mode == "shadow" {
				switchTo(t, sw, mode)
			}
			l := aside.New(p, o.load, minute, opts)
			get, wait := l.Get, l.Wait
			if mode == "batch" {
				b := aside.NewBatch(p, func(ctx context.Context, keys []int) (map[int]int, error) {
					v, err := o.load(ctx, keys[0])
					return map[int]int{keys[0]: v}, err
				}, minute, opts)
				get = func(ctx context.Context, key int) (int, error) {
					rows, err := b.GetMany(ctx, []int{key})
					return rows[key], err
				}
				wait = b.Wait
			}
			late := 0
			for range 20 {
				if hurry(t, 50*time.Millisecond, get, 1) != nil {
					late++
				}
				if mode == "shadow" && p.Len() > 0 {
					break // which loads each time
				}
			}
			if err := wait(t.Context()); err != nil {
				t.Error(err)
			}
			if late > 3 || o.loads.Load() != 1 || p.Len() != 1 {
				t.Errorf("%s: %d callers left with nothing, %d loads, %d entries", mode, late, o.loads.Load(), p.Len())
			}
		})
	}
}

func TestBackgroundCompletion_IsWithinLoadTimeoutAndLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &meter{}
		p := newProbe(nil)
		l := aside.New(p, o.load, minute, &aside.Options[int, int]{Limits: aside.Limits{Loads: 2, Queue: 1}})
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for k := range errs { // two have a place, one waits, one is refused
			wg.Go(func() {
				errs[k] = hurry(t, 100*time.Millisecond, l.Get, k)
			})
			synctest.Wait()
		}
		wg.Wait()
		synctest.Wait()
		refused := 0
		for _, err := range errs {
			if errors.Is(err, cache.ErrOverloaded) {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("the callers have %v", errs)
		}
		if err := hurry(t, 100*time.Millisecond, l.Get, 9); err != context.DeadlineExceeded {
			t.Errorf("while the places are taken a caller has %v", err)
		}
		l.Wait(t.Context())
		if o.all.Load() != 2 || o.most.Load() != 2 || p.Len() != 2 { // who waited for a place has left
			t.Errorf("%d loads, %d at once, %d entries", o.all.Load(), o.most.Load(), p.Len())
		}

		hung := aside.New(newProbe(nil), func(ctx context.Context, _ int) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, minute, nil)
		began := time.Now()
		hurry(t, time.Second, hung.Get, 1)
		if err := hung.Wait(t.Context()); err != nil || time.Since(began) != 30*time.Second {
			t.Errorf("a load that hangs ends after %v, %v", time.Since(began), err)
		}
	})
}

// A load whose value cannot be stored is not finished for the cache.
func TestBackgroundCompletion_IsOnlyForWhatCanBeStored(t *testing.T) {
	for name, c := range map[string]struct {
		policy invalidation.Policy
		hook   func(string) error
		opts   aside.Options[int, int]
		mode   string
	}{
		"nothing is stored":  {policy: invalidation.Policy{}},
		"the store is down":  {policy: minute, hook: failing(errDown, "Get", "Reserve")},
		"no fill":            {policy: minute, hook: failing(errDown, "Reserve")},
		"bypass":             {policy: minute, mode: "bypass"},
		"it is switched off": {policy: minute, opts: aside.Options[int, int]{DisableBackgroundCompletion: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ended atomic.Int64
				sw := &cache.Switch{}
				if c.mode != "" {
					switchTo(t, sw, c.mode)
				}
				c.opts.Switch = sw
				l := aside.New(newProbe(c.hook), func(ctx context.Context, _ int) (int, error) {
					<-ctx.Done()
					ended.Add(1)
					return 0, ctx.Err()
				}, c.policy, &c.opts)
				hurry(t, time.Second, l.Get, 1)
				if synctest.Wait(); ended.Load() != 1 {
					t.Error("the load goes on")
				}
			})
		})
	}
}

// A load that nobody waits for any more ends with Close; what others wait for does not.
func TestBackgroundCompletion_EndsWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{take: 10 * time.Second}
		l := aside.New(newProbe(nil), func(ctx context.Context, key int) (int, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(10 * time.Second):
				return o.load(ctx, key)
			}
		}, minute, nil)
		hurry(t, time.Second, l.Get, 1)
		waits := begin(func() (int, error) { return l.Get(t.Context(), 2) })
		began := time.Now()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Close(short); err == nil {
			t.Error("Close does not wait for the load that somebody waits for")
		}
		if err := l.Close(t.Context()); err != nil || time.Since(began) != 20*time.Second {
			t.Errorf("Close is %v after %v", err, time.Since(began))
		}
		if synctest.Wait(); !waits.done() || waits.err != nil || o.loads.Load() != 1 {
			t.Errorf("who waits has %v after %d loads", waits, o.loads.Load())
		}
	})
}

// While a writer holds the key nothing can be vouched for, and nobody waits for it.
func TestBackgroundCompletion_ALinearizableLoadIsTriedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{take: time.Second}
		w, err := p.Store.Quarantine(t.Context(), cache.Slot[int]{Key: 1})
		if err != nil {
			t.Fatal(err)
		}
		l := aside.New(p, o.load, minute, &aside.Options[int, int]{Linearizable: true})
		hurry(t, 500*time.Millisecond, l.Get, 1)
		short, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := l.Wait(short); err != nil || o.loads.Load() != 1 {
			t.Errorf("%v after %d loads", err, o.loads.Load())
		}
		w.Cancel(t.Context())
		l.Close(t.Context())
	})
}

// An invalidation during a load that nobody waits for is not lost.
func TestBackgroundCompletion_StoresNothingThatWasInvalidated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{take: time.Second}
		l := aside.New(p, o.load, minute, nil)
		hurry(t, 500*time.Millisecond, l.Get, 1)
		p.Store.Invalidate(t.Context(), 1)
		a := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		l.Wait(t.Context())
		time.Sleep(time.Minute)
		if synctest.Wait(); !a.done() || a.got != 102 || o.loads.Load() != 2 {
			t.Errorf("who came after it has %v after %d loads", a, o.loads.Load())
		}
	})
}
