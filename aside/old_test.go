package aside_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// shown is an origin that says what it was shown.
type shown struct {
	origin switchboard
	old    []string
}

func (o *shown) load(ctx context.Context, key int) (int, error) {
	v, ok := aside.Old[int](ctx)
	o.old = append(o.old, fmt.Sprint(v, ok))
	return o.origin.load(ctx, key)
}

func (o *shown) last() string { return o.old[len(o.old)-1] }

var notModified = fmt.Errorf("304: %w", cache.ErrNotModified)

func TestAValueThatStillHoldsIsKeptWithNewTimes(t *testing.T) {
	for name, c := range map[string]struct {
		policy invalidation.Policy
		strict bool
	}{
		"stale":        {policy: stale},
		"on error":     {policy: onError},
		"ahead":        {policy: invalidation.Policy{Fresh: 4 * time.Minute, Ahead: 0.4}},
		"linearizable": {policy: stale, strict: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, seen, p := &shown{}, &events{}, newProbe(nil)
				l := aside.New(p, o.load, c.policy, &aside.Options[int, int]{Observer: seen, Linearizable: c.strict, Tags: func(int, int) []string { return []string{"t"} }})
				get := func() (int, error) { return l.Get(t.Context(), 1) }
				want(t, "the first", get, 1, nil)
				synctest.Wait()
				o.origin.set(func(context.Context, int) (int, error) { return 99, notModified })
				for range 3 {
					time.Sleep(2 * time.Minute)
					want(t, "past its time", get, 1, nil)
					synctest.Wait()
					if e, _ := p.Store.Get(t.Context(), 1); e == nil || e.Value != 1 || e.Fresh < cache.Now().Add(50*time.Second) || e.Loaded() != cache.Now() || len(e.Tags) != 1 {
						t.Errorf("the store has %+v at %d", e, cache.Now())
					}
				}
				if got := seen.of(cache.NotModified); len(got) != 3 || o.last() != "1 true" || o.old[0] != "0 false" {
					t.Errorf("observed: %+v, shown: %v", got, o.old)
				}
				for _, e := range seen.of(cache.Load) {
					if e.Err != nil {
						t.Errorf("that nothing has changed is observed as the error %v", e.Err)
					}
				}
				o.origin.set(nil)
				time.Sleep(2 * time.Minute)
				get()
				synctest.Wait()
				want(t, "when it has changed", get, 5, nil)
			})
		})
	}
}

func TestNotModifiedWithoutAValueIsTheLoadsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &shown{}
		o.origin.set(func(context.Context, int) (int, error) { return 0, notModified })
		p := newProbe(nil)
		l := aside.New(p, o.load, invalidation.Policy{Fresh: time.Minute, Negative: time.Minute}, &aside.Options[int, int]{NotFound: errRow})
		if _, err := l.Get(t.Context(), 1); !same(err, notModified) {
			t.Errorf("Get is %v", err)
		}
		if _, err := l.Get(cache.Bypass(t.Context()), 1); !same(err, notModified) {
			t.Errorf("Get past the cache is %v", err)
		}
		synctest.Wait()
	})
}

func TestAnInvalidatedValueIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &shown{}
		p := newProbe(nil)
		l := aside.New(p, o.load, onError, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		p.hook = func(verb string) error {
			if verb == "Reserve" { // after the caller has read it
				p.Store.Invalidate(context.Background(), 1)
			}
			return nil
		}
		o.origin.set(func(context.Context, int) (int, error) { return 0, notModified })
		if _, err := l.Get(t.Context(), 1); !same(err, notModified) || o.last() != "0 false" {
			t.Errorf("Get is %v, shown: %v", err, o.old)
		}
		synctest.Wait()
	})
}

// A load that asks another Loader, or a Batch, must not take its own value from
// before for theirs.
func TestAnotherLoadIsNotShownTheValueOfThis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &shown{}
		var rows []string
		b := aside.NewBatch(newProbe(nil), func(ctx context.Context, keys []int) (map[int]int, error) {
			v, ok := aside.Old[int](ctx)
			rows = append(rows, fmt.Sprint(v, ok))
			return map[int]int{keys[0]: 1}, nil
		}, stale, nil)
		in := aside.New(newProbe(nil), inner.load, minute, nil)
		out := aside.New(newProbe(nil), func(ctx context.Context, k int) (int, error) {
			v, err := in.Get(ctx, k+int(time.Since(began)))
			_, err2 := in.Get(cache.Bypass(ctx), k)
			_, err3 := b.Get(ctx, k)
			return v, errors.Join(err, err2, err3)
		}, stale, nil)
		for range 3 {
			if _, err := out.Get(t.Context(), 1); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			time.Sleep(2 * time.Minute)
		}
		synctest.Wait()
		for _, s := range append(inner.old, rows...) {
			if s != "0 false" {
				t.Errorf("they are shown %v and %v", inner.old, rows)
				break
			}
		}
		if len(inner.old) != 6 || len(rows) != 3 {
			t.Errorf("they were asked %d and %d times", len(inner.old), len(rows))
		}
	})
}

func TestTTLIsTheValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seconds := func(_, v int) time.Duration { return time.Duration(v) * time.Second }
		for name, p := range map[string]invalidation.Policy{
			"instead of Fresh": {Fresh: time.Hour, Stale: time.Minute, IfError: time.Second, Negative: time.Hour},
			"alone":            {Stale: time.Minute, IfError: time.Second, Negative: time.Hour},
		} {
			s, many := newProbe(nil), newProbe(nil)
			l := aside.New(s, func(_ context.Context, k int) (int, error) { return k, nil }, p, &aside.Options[int, int]{TTL: seconds, NotFound: errRow})
			b := aside.NewBatch(many, func(_ context.Context, keys []int) (map[int]int, error) {
				return map[int]int{10: 10, 20: 20, 0: 0, -5: -5}, nil
			}, p, &aside.Options[int, int]{TTL: seconds})
			for _, k := range []int{10, 20, 0, -5} {
				want(t, name, func() (int, error) { return l.Get(t.Context(), k) }, k, nil)
			}
			if got, err := b.GetMany(t.Context(), []int{10, 20, 0, -5}); len(got) != 4 || err != nil {
				t.Errorf("GetMany is %v, %v", got, err)
			}
			synctest.Wait()
			for _, s := range []*probe{s, many} {
				if s.Len() != 2 {
					t.Errorf("%s: %d entries", name, s.Len())
				}
				for k, e := range s.All() {
					if fresh := e.Fresh.Sub(cache.Now()); fresh != time.Duration(k)*time.Second || e.Expires.Sub(e.Fresh) != time.Minute+time.Second {
						t.Errorf("%s: %d is fresh for %v and then kept for %v", name, k, fresh, e.Expires.Sub(e.Fresh))
					}
				}
			}
		}
	})
}

func TestTTLIsJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		l := aside.New(p, (&origin{}).load, invalidation.TTL(time.Hour), &aside.Options[int, int]{TTL: func(int, int) time.Duration { return 100 * time.Second }})
		times := map[cache.Moment]bool{}
		for k := range 200 {
			l.Get(t.Context(), k)
		}
		synctest.Wait()
		for _, e := range p.committed {
			if d := e.Fresh.Sub(cache.Now()); d < 90*time.Second || d > 100*time.Second {
				t.Fatalf("a value is fresh for %v", d)
			}
			times[e.Fresh] = true
		}
		if len(times) < 150 {
			t.Errorf("200 values expire at %d moments", len(times))
		}
	})
}
