package aside_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// What is decorated keeps its signature, so it can be passed on in place of the
// load function.
var (
	_ func(context.Context, int) (int, error)           = new(aside.Loader[int, int]).Get
	_ func(context.Context, []int) (map[int]int, error) = new(aside.Batch[int, int]).GetMany
	_ func(context.Context, int) (int, error)           = new(aside.Batch[int, int]).Get
)

func TestANilValueIsAValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		l := aside.New(memstore.New[int, *int](nil, 10, nil), func(context.Context, int) (*int, error) {
			loads++
			return nil, nil
		}, invalidation.Policy{Fresh: time.Minute, Negative: time.Minute}, &aside.Options[int, *int]{NotFound: errRow})
		b := aside.NewBatch(memstore.New[int, *int](nil, 10, nil), func(context.Context, []int) (map[int]*int, error) {
			loads++
			return map[int]*int{1: nil}, nil
		}, minute, nil)
		for range 3 {
			if v, err := l.Get(t.Context(), 1); v != nil || err != nil {
				t.Errorf("Get is %v, %v", v, err)
			}
			got, err := b.GetMany(t.Context(), []int{1})
			if v, ok := got[1]; !ok || v != nil || err != nil {
				t.Errorf("GetMany is %v, %v", got, err)
			}
			synctest.Wait()
		}
		if loads != 2 {
			t.Errorf("%d loads", loads)
		}
	})
}

func TestErrorsOfLarderAreValuesLikeOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, v := range []any{
			nil, errRow, cache.ErrNotFound, cache.ErrClosed, cache.ErrUnavailable, cache.ErrNotStorable, context.Canceled,
			&cache.PanicError{}, &cache.Entry[any]{Absent: true}, "", false, struct{}{}, cache.Refused,
		} {
			loads := 0
			l := aside.New(memstore.New[string, any](nil, 10, nil), func(context.Context, string) (any, error) {
				loads++
				return v, nil
			}, invalidation.Policy{Fresh: time.Minute, Negative: time.Minute}, &aside.Options[string, any]{NotFound: errRow})
			for range 2 {
				if got, err := l.Get(t.Context(), ""); got != v || err != nil {
					t.Errorf("Get of %v is %v, %v", v, got, err)
				}
				synctest.Wait()
			}
			if loads != 1 {
				t.Errorf("%d loads of %v", loads, v)
			}
		}
	})
}

func TestAbsenceEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrapped := fmt.Errorf("row 7: %w", errRow)
		o := &origin{err: wrapped}
		l := aside.New(newProbe(nil), o.load, invalidation.Policy{Fresh: time.Hour, Stale: time.Hour, Negative: time.Minute},
			&aside.Options[int, int]{NotFound: errRow})
		l.Get(t.Context(), 7)
		time.Sleep(time.Minute - time.Millisecond)
		if _, err := l.Get(t.Context(), 7); !same(err, errRow) || o.loads.Load() != 1 {
			t.Errorf("within its time: %v after %d loads", err, o.loads.Load())
		}
		time.Sleep(time.Millisecond)
		if _, err := l.Get(t.Context(), 7); !same(err, wrapped) || o.loads.Load() != 2 {
			t.Errorf("after its time: %v after %d loads", err, o.loads.Load())
		}
		synctest.Wait()
		o.err = nil // the row is created
		if err := l.Invalidate(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		if v, err := l.Get(t.Context(), 7); v != 703 || err != nil {
			t.Errorf("after it was invalidated: %d, %v", v, err)
		}
		synctest.Wait()
	})
}

func TestAMillisecondIsATimeToLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Now().Truncate(time.Millisecond).Add(time.Millisecond)))
		o := &origin{}
		l := aside.New(newProbe(nil), o.load, invalidation.Policy{Fresh: time.Millisecond}, nil)
		for round := range 3 {
			for range 3 {
				if v, err := l.Get(t.Context(), 1); v != 101+round || err != nil {
					t.Errorf("in round %d Get is %d, %v", round, v, err)
				}
				synctest.Wait()
			}
			time.Sleep(time.Millisecond)
		}
		if o.loads.Load() != 3 {
			t.Errorf("%d loads", o.loads.Load())
		}
	})
}

func TestEntriesOfTheStoreDifferInTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		many := aside.NewBatch(p, (&table{}).load, invalidation.Policy{Fresh: time.Hour, Stale: time.Hour, Jitter: 0.2}, nil)
		var keys []int
		for k := range 500 {
			keys = append(keys, k+1)
		}
		if _, err := many.GetMany(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		times := map[cache.Moment]bool{}
		now := cache.Now()
		for _, e := range p.All() {
			times[e.Expires] = true
			if d := e.Expires.Sub(now); d < 108*time.Minute || d > 2*time.Hour || e.Expires.Sub(e.Fresh) != time.Hour {
				t.Errorf("an entry is fresh for %v and expires after %v", e.Fresh.Sub(now), d)
			}
		}
		if p.Len() != 500 || len(times) < 450 {
			t.Errorf("%d entries loaded together expire at %d moments", p.Len(), len(times))
		}
	})
}

func TestACanceledContextOfTheOriginIsTheOriginsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Such as from a connection pool that was shut down: nobody here has left.
		own := fmt.Errorf("pool: %w", context.Canceled)
		l := aside.New(newProbe(nil), (&origin{err: own}).load, minute, nil)
		if _, err := l.Get(t.Context(), 1); !same(err, own) {
			t.Errorf("the error is %v", err)
		}
		synctest.Wait()
	})
}

func TestACallerWhoHasLeftLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		l := aside.New(p, (&origin{take: time.Second}).load, minute, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Get(ctx, 1); err != context.Canceled {
			t.Errorf("Get is %v", err)
		}
		start := time.Now()
		if err := l.Close(t.Context()); err != nil || time.Since(start) != 0 || p.Len() != 0 {
			t.Errorf("Close is %v after %v, with %d entries", err, time.Since(start), p.Len())
		}
	})
}
