package aside_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
)

func TestAStoreThatFailsIsNotTheCallersProblem(t *testing.T) {
	for verb, asked := range map[string][]string{
		"Get":     {"Get", "Get"},
		"Reserve": {"Get", "Reserve", "Get", "Reserve"},
		"Commit":  {"Get", "Reserve", "Commit", "Get", "Reserve", "Commit"},
	} {
		t.Run(verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, o, seen := newProbe(failing(errDown, verb)), &origin{}, &events{}
				l := aside.New(p, o.load, minute, &aside.Options[int, int]{Observer: seen, Name: "rows"})
				for i := range 2 {
					if v, err := l.Get(t.Context(), 1); v != 101+i || err != nil {
						t.Errorf("Get is %d, %v", v, err)
					}
					synctest.Wait()
				}
				if n := p.count("Get", "Reserve", "Commit"); n != len(asked) || p.Len() != 0 {
					t.Errorf("the store was asked %v", p.verbs)
				}
				got := seen.of(cache.Unavailable)
				if len(got) != 2 || !errors.Is(got[0].Err, cache.ErrUnavailable) || got[0].Cache != "rows" || got[0].N != 1 {
					t.Errorf("observed: %+v", got)
				}
			})
		})
	}
}

func TestAStoreThatHangsDoesNotWedgeAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		s := &hanging{p}
		l := aside.New(s, (&origin{}).load, minute, nil)
		a := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		b := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		time.Sleep(time.Minute)
		synctest.Wait()
		if !a.done() || a.got != 101 || !b.done() || b.err != nil {
			t.Errorf("the callers have %+v and %+v", a, b)
		}
	})
}

// hanging is a store with no patience of its own.
type hanging struct{ *probe }

func (*hanging) Reserve(ctx context.Context, _ ...cache.Slot[int]) (cache.Fill[int], error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTheStoreIsUsedAgainWhenItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		p, o := newProbe(nil), &origin{take: time.Second}
		p.hook = func(string) error {
			if down.Load() {
				return errDown
			}
			return nil
		}
		l := aside.New(p, o.load, minute, nil)
		stop := make(chan struct{})
		for i := range 8 { // so that there is always somebody who waits
			go func() {
				time.Sleep(time.Duration(i) * 250 * time.Millisecond)
				for {
					select {
					case <-stop:
						return
					default:
						l.Get(t.Context(), 1)
						time.Sleep(time.Millisecond)
					}
				}
			}()
		}
		time.Sleep(10 * time.Second)
		down.Store(false)
		time.Sleep(5 * time.Second)
		if n := o.loads.Load(); p.Len() != 1 {
			t.Errorf("after %d loads nothing is stored", n)
		}
		close(stop)
		time.Sleep(time.Minute)
	})
}

func TestARefusedFillIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, seen := newProbe(nil), &events{}
		l := aside.New(p, func(ctx context.Context, k int) (int, error) {
			p.Store.Invalidate(ctx, k)
			return 7, nil
		}, minute, &aside.Options[int, int]{Observer: seen})
		if v, err := l.Get(t.Context(), 1); v != 7 || err != nil {
			t.Errorf("Get is %d, %v", v, err)
		}
		synctest.Wait()
		if p.Len() != 0 || len(seen.of(cache.Unavailable)) != 0 {
			t.Errorf("%d entries, observed: %v", p.Len(), seen.list)
		}
	})
}

func TestWhatCannotBeStoredIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &events{}
		l := aside.New(newProbe(failing(cache.ErrNotStorable, "Commit")), (&origin{}).load, minute, &aside.Options[int, int]{Observer: seen})
		if _, err := l.Get(t.Context(), 1); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := seen.of(cache.Unavailable); len(got) != 0 {
			t.Errorf("observed: %+v", got)
		}
	})
}

func TestAFailingInvalidateSaysSo(t *testing.T) {
	l := aside.New(newProbe(failing(errDown, "Invalidate")), (&origin{}).load, minute, nil)
	if err := l.Invalidate(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("the error is %v", err)
	}
}

func TestACallerWhoLeavesWhileTheStoreIsAskedIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, o, seen := newProbe(nil), &origin{}, &events{}
	p.hook = func(string) error {
		cancel()
		return errDown
	}
	l := aside.New(p, o.load, minute, &aside.Options[int, int]{Observer: seen})
	if _, err := l.Get(ctx, 1); err != context.Canceled || o.loads.Load() != 0 || len(seen.list) != 0 {
		t.Errorf("the error is %v after %d loads, observed: %v", err, o.loads.Load(), seen.list)
	}
}
