package aside_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// origin counts loads, and gives each a value of its own.
type origin struct {
	loads atomic.Int64
	take  time.Duration
	err   error
}

func (o *origin) load(ctx context.Context, key int) (int, error) {
	n := int(o.loads.Add(1))
	if o.take > 0 {
		select {
		case <-time.After(o.take):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return 100*key + n, o.err
}

func TestAValueIsLoadedOnceAndThenAHit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{take: time.Second}
		l := aside.New(p, o.load, minute, nil)
		for range 3 {
			if v, err := l.Get(t.Context(), 7); v != 701 || err != nil {
				t.Errorf("Get is %d, %v", v, err)
			}
			synctest.Wait()
		}
		time.Sleep(time.Minute) // from the end of the load, not from its begin
		if v, _ := l.Get(t.Context(), 7); v != 702 || o.loads.Load() != 2 {
			t.Errorf("after its time the value is %d", v)
		}
		synctest.Wait()
		if e := p.committed[0]; e.Cost != time.Second || e.Expires != e.Fresh {
			t.Errorf("the entry is %+v", e)
		}
	})
}

func TestTimesCountFromTheEndOfTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{take: 20 * time.Second}
		l := aside.New(p, o.load, invalidation.Policy{Fresh: time.Minute, Stale: time.Hour}, nil)
		l.Get(t.Context(), 7)
		synctest.Wait()
		now := cache.Now()
		if e := p.committed[0]; e.Fresh.Sub(now) != time.Minute || e.Expires.Sub(now) != time.Hour+time.Minute || e.Cost != 20*time.Second {
			t.Errorf("the entry is %+v at %d", e, now)
		}
	})
}

func TestAnErrorOfTheLoadIsUntouchedAndLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o, seen := newProbe(nil), &origin{err: errors.New("the origin is down")}, &events{}
		l := aside.New(p, o.load, minute, &aside.Options[int, int]{NotFound: errRow, Name: "rows", Observer: seen})
		for range 2 {
			if _, err := l.Get(t.Context(), 7); !same(err, o.err) {
				t.Errorf("the error is %v", err)
			}
			synctest.Wait()
		}
		if o.loads.Load() != 2 || p.Len() != 0 || p.count("Commit") != 0 || p.count("Cancel") != 2 {
			t.Errorf("%d loads, %d entries, %v", o.loads.Load(), p.Len(), p.verbs)
		}
		if got := seen.of(cache.Load); len(got) != 2 || !same(got[0].Err, o.err) || got[0].Cache != "rows" || got[0].N != 1 {
			t.Errorf("observed: %+v", got)
		}
	})
}

func TestNotFoundIsCachedAndComesBackIdentical(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrapped := fmt.Errorf("user 7: %w", errRow)
		p, o := newProbe(nil), &origin{err: wrapped}
		l := aside.New(p, o.load, invalidation.Policy{Negative: time.Minute}, &aside.Options[int, int]{
			NotFound: errRow,
			KeyTags:  func(int) []string { return []string{"rows"} },
			Tags:     func(int, int) []string { panic("there is no value") },
		})
		if _, err := l.Get(t.Context(), 7); !same(err, wrapped) {
			t.Errorf("the origin's answer is %v", err)
		}
		synctest.Wait()
		if _, err := l.Get(t.Context(), 7); !same(err, errRow) || o.loads.Load() != 1 {
			t.Errorf("the cached answer is %v after %d loads", err, o.loads.Load())
		}
		// A value is never stored by this Policy, and a key tag reaches absence.
		o.err = nil
		p.Domain().InvalidateTags(t.Context(), "rows")
		l.Get(t.Context(), 8)
		if v, err := l.Get(t.Context(), 7); v == 0 || err != nil {
			t.Errorf("after the tag was invalidated: %d, %v", v, err)
		}
		synctest.Wait()
		if p.count("Commit") != 1 {
			t.Errorf("%d commits", p.count("Commit"))
		}
	})
}

func TestNotFoundIsNotCachedUnlessAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{err: errRow}
		l := aside.New(p, o.load, minute, &aside.Options[int, int]{NotFound: errRow})
		for range 2 {
			if _, err := l.Get(t.Context(), 7); !same(err, errRow) {
				t.Errorf("the error is %v", err)
			}
			synctest.Wait()
		}
		if o.loads.Load() != 2 || p.count("Commit") != 0 {
			t.Errorf("%d loads, %v", o.loads.Load(), p.verbs)
		}
	})
}

func TestAbsenceIsAMissForWhoCannotExpressIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{err: errRow}
		negative := invalidation.Policy{Fresh: time.Minute, Negative: time.Minute}
		aside.New(p, o.load, negative, &aside.Options[int, int]{NotFound: errRow}).Get(t.Context(), 7)
		synctest.Wait()
		o.err = nil
		if v, err := aside.New(p, o.load, minute, nil).Get(t.Context(), 7); v != 702 || err != nil {
			t.Errorf("Get is %d, %v", v, err)
		}
		synctest.Wait()
	})
}

func TestValuesLikeAnySentinelAreValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, v := range []int{0, -1, 1, math.MaxInt, math.MinInt} {
			n := 0
			l := aside.New(newProbe(nil), func(context.Context, int) (int, error) { n++; return v, nil }, minute, nil)
			for range 2 {
				if got, err := l.Get(t.Context(), 1); got != v || err != nil {
					t.Errorf("Get of %d is %d, %v", v, got, err)
				}
				synctest.Wait()
			}
			if n != 1 {
				t.Errorf("%d loads of %d", n, v)
			}
		}
	})
}

func TestTagsAreWatchedFromBeforeTheLoadAndNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		keyTags := []string{"all", "even", "all"}
		l := aside.New(p, (&origin{}).load, minute, &aside.Options[int, int]{
			KeyTags: func(int) []string { return keyTags },
			Tags:    func(int, int) []string { return []string{"odd", "even", "odd"} },
		})
		l.Get(t.Context(), 7)
		synctest.Wait()
		if s := p.slots[0]; !slices.Equal(s.Tags, []string{"all", "even"}) || !s.LateTags {
			t.Errorf("the slot is %+v", s)
		}
		if e := p.committed[0]; !slices.Equal(e.Tags, []string{"all", "even", "odd"}) {
			t.Errorf("the tags are %q", e.Tags)
		}
		for _, tag := range []string{"all", "odd"} {
			p.Domain().InvalidateTags(t.Context(), tag)
			if e, _ := p.Store.Get(t.Context(), 7); e != nil {
				t.Errorf("the entry does not depend on %s", tag)
			}
			l.Get(t.Context(), 7)
			synctest.Wait()
		}
		q := newProbe(nil)
		aside.New(q, (&origin{}).load, minute, nil).Get(t.Context(), 7)
		synctest.Wait()
		if q.slots[0].LateTags {
			t.Error("without a Tags function there are late tags")
		}
	})
}

func TestTheZeroPolicyNeverTouchesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &origin{take: time.Second}
		l := aside.New(p, o.load, invalidation.Policy{}, nil)
		for range 10 {
			go l.Get(t.Context(), 7)
		}
		l.Get(t.Context(), 7)
		time.Sleep(2 * time.Second)
		if o.loads.Load() > 2 || len(p.verbs) != 0 {
			t.Errorf("%d loads, %v", o.loads.Load(), p.verbs)
		}
	})
}

func TestJitterSpreadsTheTimesOfLoadedValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		l := aside.New(p, (&origin{}).load, invalidation.Policy{Fresh: 100 * time.Second, Jitter: 0.5}, nil)
		for k := range 1000 {
			l.Get(t.Context(), k)
		}
		synctest.Wait()
		var buckets [5]int // of ten seconds, from the 50th
		for _, e := range p.committed {
			d := e.Fresh.Sub(cache.Now())
			if d < 50*time.Second || d > 100*time.Second {
				t.Fatalf("a value is fresh for %v", d)
			}
			buckets[min(int((d-50*time.Second)/(10*time.Second)), 4)]++
		}
		for i, n := range buckets {
			if n < 120 || n > 280 {
				t.Errorf("bucket %d of %v has %d", i, buckets, n)
			}
		}
	})
}

// panics checks that make panics and says all names.
func panics(t *testing.T, make func(), names ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		got := fmt.Sprint(recover())
		for _, n := range names {
			if !strings.Contains(got, n) {
				t.Errorf("the panic %q does not say %q", got, n)
			}
		}
	}()
	make()
}

func TestNonsenseIsNamedAtConstruction(t *testing.T) {
	p, o := newProbe(nil), &origin{}
	many := func(context.Context, []int) (map[int]int, error) { return nil, nil }
	for want, make := range map[string]func(){
		"aside.New: store is nil":      func() { aside.New(nil, o.load, minute, nil) },
		"aside.New: load is nil":       func() { aside.New[int, int](p, nil, minute, nil) },
		"Policy.Fresh":                 func() { aside.New(p, o.load, invalidation.Policy{Fresh: -1}, nil) },
		"Policy.Jitter":                func() { aside.New(p, o.load, invalidation.Policy{Fresh: time.Hour, Jitter: 2}, nil) },
		"Options.NotFound":             func() { aside.New(p, o.load, invalidation.Policy{Negative: time.Hour}, nil) },
		"Options.LoadTimeout":          func() { aside.New(p, o.load, minute, &aside.Options[int, int]{LoadTimeout: -1}) },
		"aside.NewBatch: store is nil": func() { aside.NewBatch(nil, many, minute, nil) },
		"aside.NewBatch: load is nil":  func() { aside.NewBatch[int, int](p, nil, minute, nil) },
		"aside.NewBatch: larder: Pol":  func() { aside.NewBatch(p, many, invalidation.Policy{Fresh: -1}, nil) },
	} {
		panics(t, make, want)
	}
	aside.NewBatch(p, many, invalidation.Policy{Negative: time.Hour}, nil)
}

func TestLoadTimeoutBoundsTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timeout, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Second: time.Second} {
			l := aside.New(newProbe(nil), (&origin{take: time.Hour}).load, minute, &aside.Options[int, int]{LoadTimeout: timeout})
			a := begin(func() (int, error) { return l.Get(t.Context(), 1) })
			time.Sleep(want)
			synctest.Wait()
			if !a.done() || !errors.Is(a.err, context.DeadlineExceeded) || a.took != want {
				t.Errorf("with the timeout %v: %+v", timeout, a)
			}
		}
	})
}
