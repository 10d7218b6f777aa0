package aside_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
)

// What a caller may have because the load fails has grown older while they waited.
func TestWish_MaxAgeIsKeptWhenTheLoadFails(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(context.Context, int) (int, error)
		soft time.Duration
		w    aside.Wish
		err  error
	}{
		"it fails":          {takes(4*time.Second, errOrigin), 0, aside.Wish{MaxAge: 63 * time.Second}, errOrigin},
		"it takes too long": {takes(time.Minute, nil), 0, aside.Wish{MaxAge: 63 * time.Second}, cache.ErrLoadTimeout},
		"it is slow":        {takes(4*time.Second, errOrigin), 2 * time.Second, aside.Wish{MaxAge: 63 * time.Second}, nil},
		"and too slow":      {takes(4*time.Second, errOrigin), 3 * time.Second, aside.Wish{MaxAge: 63 * time.Second}, errOrigin},
		"and comes":         {takes(4*time.Second, nil), 3 * time.Second, aside.Wish{MaxAge: 63 * time.Second}, nil},
		"just young enough": {takes(4*time.Second, errOrigin), 0, aside.Wish{MaxAge: 65 * time.Second}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &switchboard{}
				l := aside.New(newProbe(nil), o.load, onError, &aside.Options[int, int]{LoadTimeout: 10 * time.Second, SoftTimeout: c.soft})
				l.Get(t.Context(), 1)
				synctest.Wait()
				time.Sleep(61 * time.Second)
				o.set(c.do)
				a, err := l.Lookup(t.Context(), 1, c.w)
				if !errors.Is(err, c.err) || err == nil && a.Age > c.w.MaxAge {
					t.Errorf("%+v, %v", a, err)
				}
				if _, err := l.Get(t.Context(), 1); err != nil { // which has no such wish
					t.Errorf("for others: %v", err)
				}
				l.Close(t.Context())
			})
		})
	}
}

// Whoever joins a load has what it brings when the store has vouched for it.
func TestWish_MaxAgeIsKeptHoweverLongTheCommitTakes(t *testing.T) {
	for _, strict := range []bool{false, true} {
		for _, mode := range []string{"on", "shadow"} {
			synctest.Test(t, func(t *testing.T) {
				o, sw := &switchboard{do: takes(time.Second, nil)}, &cache.Switch{}
				switchTo(t, sw, mode)
				p := newProbe(func(verb string) error {
					if verb == "Commit" {
						time.Sleep(5 * time.Second)
					}
					return nil
				})
				l := aside.New(p, o.load, minute, &aside.Options[int, int]{Switch: sw, Linearizable: strict})
				w := aside.Wish{MaxAge: 2 * time.Second}
				ask := func() (aside.Answer[int], error) { return l.Lookup(t.Context(), 1, w) }
				all := []*answer[aside.Answer[int]]{begin(ask)}
				for range 20 {
					time.Sleep(500 * time.Millisecond)
					all = append(all, begin(ask))
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				for i, a := range all {
					switch {
					case !a.done():
						t.Errorf("%s, %v: caller %d has no answer", mode, strict, i)
					case a.err == nil && a.got.Age > w.MaxAge, a.err != nil && !(strict && errors.Is(a.err, cache.ErrLoadTimeout)):
						t.Errorf("%s, %v: caller %d has %v", mode, strict, i, a)
					}
				}
				l.Close(t.Context())
			})
		}
	}
}

// The moment at which a stale value is too stale comes while a caller waits.
func TestWish_MaxStaleIsKeptWhenTheLoadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{}
		l := aside.New(newProbe(nil), o.load, onError, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(61 * time.Second)
		o.set(takes(5*time.Second, errOrigin))
		for w, err := range map[aside.Wish]error{{MaxStale: aside.NoStale}: errOrigin, {MaxStale: time.Millisecond}: errOrigin, {MaxStale: time.Minute}: nil} {
			if a, got := l.Lookup(t.Context(), 1, w); !errors.Is(got, err) {
				t.Errorf("%+v: %+v, %v", w, a, got)
			}
			time.Sleep(2 * time.Second)
		}
		l.Close(t.Context())
	})
}
