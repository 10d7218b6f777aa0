package aside_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
)

func TestCloseWaitsForRefreshesAndCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{}
		l := aside.New(p, o.load, stale, nil)
		l.Get(t.Context(), 1)
		time.Sleep(time.Minute)
		o.take = time.Second
		l.Get(t.Context(), 1) // a refresh
		p.hook = slow("Commit")
		start := time.Now()
		if err := l.Close(t.Context()); err != nil || time.Since(start) != 2*time.Second {
			t.Errorf("Close is %v after %v", err, time.Since(start))
		}
		if p.count("Commit") != 2 {
			t.Errorf("%d commits", p.count("Commit"))
		}
	})
}

func TestCloseSaysHowManyItHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := aside.New(newProbe(nil), (&origin{take: 10 * time.Second}).load, minute, nil)
		all := []*answer[int]{
			begin(func() (int, error) { return l.Get(t.Context(), 1) }),
			begin(func() (int, error) { return l.Get(t.Context(), 2) }),
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := l.Close(ctx)
		if err == nil || !strings.Contains(err.Error(), "2 loads") || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close is %v", err)
		}
		if err := l.Close(t.Context()); err != nil {
			t.Errorf("the second Close is %v", err)
		}
		synctest.Wait()
		for _, a := range all {
			if !a.done() || a.err != nil {
				t.Errorf("who asked before Close has %v", a)
			}
		}
	})
}

func TestUseAfterClose(t *testing.T) {
	p, o := newProbe(nil), &origin{}
	l := aside.New(p, o.load, minute, nil)
	b := aside.NewBatch(p, (&table{}).load, minute, nil)
	zero := aside.New(p, o.load, minute, nil)
	l.Get(t.Context(), 1)
	for range 2 {
		if err := errors.Join(l.Close(t.Context()), b.Close(t.Context()), zero.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	for name, get := range map[string]func() error{
		"Loader.Get":    func() error { _, err := l.Get(t.Context(), 1); return err },
		"Batch.Get":     func() error { _, err := b.Get(t.Context(), 1); return err },
		"Batch.GetMany": func() error { _, err := b.GetMany(t.Context(), []int{1, 2}); return err },
		"without store": func() error { _, err := zero.Get(t.Context(), 1); return err },
	} {
		if err := get(); err != cache.ErrClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := l.Invalidate(t.Context(), 1); err != nil || p.Len() != 0 {
		t.Errorf("Invalidate: %v", err)
	}
}

func TestAClosedStoreIsNoOutage(t *testing.T) {
	p, o := newProbe(nil), &origin{}
	p.Close()
	l := aside.New(p, o.load, minute, nil)
	if _, err := l.Get(t.Context(), 1); err != cache.ErrClosed || o.loads.Load() != 0 {
		t.Errorf("Get is %v after %d loads", err, o.loads.Load())
	}
	b := aside.NewBatch(p, (&table{}).load, minute, nil)
	if _, err := b.GetMany(t.Context(), []int{1}); err != cache.ErrClosed {
		t.Errorf("GetMany is %v", err)
	}
	if err := l.Invalidate(t.Context(), 1); err != cache.ErrClosed {
		t.Errorf("Invalidate is %v", err)
	}
}
