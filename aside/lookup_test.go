package aside_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// fact fails the test unless Lookup answers so.
func fact(t *testing.T, who string, l *aside.Loader[int, int], w aside.Wish, want aside.Answer[int], err error) {
	t.Helper()
	got, failed := l.Lookup(t.Context(), 1, w)
	if !errors.Is(got.Err, want.Err) || !errors.Is(failed, err) {
		t.Errorf("%s: %+v, %v; want %+v, %v", who, got, failed, want, err)
	}
	if got.Err = want.Err; got != want {
		t.Errorf("%s: %+v, want %+v", who, got, want)
	}
	synctest.Wait()
}

type facts = aside.Answer[int]

func TestLookupSaysWhereAValueWasAndHowOldItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l1, l2 := memstore.New[int, int](nil, 10, nil), located{memstore.New[int, int](nil, 10, nil)}
		o := &origin{take: 2 * time.Second}
		l := aside.New(cache.Tiered[int, int](l1, l2), o.load, minute, nil)
		fact(t, "loaded", l, aside.Wish{}, facts{Value: 101, Level: cache.Origin, Remaining: time.Minute}, nil)
		time.Sleep(10 * time.Second)
		fact(t, "in memory", l, aside.Wish{}, facts{Value: 101, Level: cache.Memory, Age: 10 * time.Second, Remaining: 50 * time.Second}, nil)
		l1.Clear()
		time.Sleep(10 * time.Second)
		fact(t, "below", l, aside.Wish{}, facts{Value: 101, Level: cache.Shared, Age: 20 * time.Second, Remaining: 40 * time.Second}, nil)
		fact(t, "moved up", l, aside.Wish{}, facts{Value: 101, Level: cache.Memory, Age: 20 * time.Second, Remaining: 40 * time.Second}, nil)
	})
}

// located is a store that processes share.
type located struct{ *memstore.Store[int, int] }

func (located) Level() cache.Level { return cache.Shared }

func TestLookupSaysWhatSomebodyElseHasStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *probe
		p = newProbe(func(verb string) error { // between the Get and the Reserve of the Loader
			if verb == "Reserve" {
				e := &cache.Entry[int]{Value: 7, Fresh: cache.Now().Add(time.Minute), Expires: cache.Now().Add(time.Minute)}
				e.SetLoaded(cache.Now() - 3000)
				cache.Put(context.Background(), p.Store, 1, e)
			}
			return nil
		})
		o := &switchboard{}
		l := aside.New(p, o.load, minute, nil)
		fact(t, "met", l, aside.Wish{}, facts{Value: 7, Level: cache.Memory, Age: 3 * time.Second, Remaining: time.Minute}, nil)
		if o.count() != 0 {
			t.Errorf("%d loads", o.count())
		}
		p.Clear()
		fact(t, "met, but too old", l, aside.Wish{MaxAge: time.Second}, facts{Value: 1, Remaining: time.Minute}, nil)
	})
}

func TestLookupSaysThatThereIsNoValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{}
		o.set(func(context.Context, int) (int, error) { return 0, errRow })
		l := aside.New(newProbe(nil), o.load, invalidation.Policy{Negative: time.Minute}, &aside.Options[int, int]{NotFound: errRow})
		fact(t, "loaded", l, aside.Wish{}, facts{Remaining: time.Minute}, errRow)
		time.Sleep(time.Second)
		fact(t, "from memory", l, aside.Wish{}, facts{Level: cache.Memory, Age: time.Second, Remaining: 59 * time.Second}, errRow)
		fact(t, "from the cache only", l, aside.Wish{CacheOnly: true}, facts{Level: cache.Memory, Age: time.Second, Remaining: 59 * time.Second}, errRow)
	})
}

func TestLookupSaysWhyAValueIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen := &switchboard{}, &events{}
		p := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, IfError: time.Hour, Backoff: 10 * time.Second}
		l := aside.New(newProbe(nil), o.load, p, &aside.Options[int, int]{Observer: seen, SoftTimeout: 100 * time.Millisecond,
			Limits: aside.Limits{Loads: 1, Refreshes: 1}})
		stale := func(age time.Duration, why aside.Reason, err error) facts {
			return facts{Value: 1, Level: cache.Memory, Age: age, Remaining: time.Minute - age, Stale: true, Reason: why, Err: err}
		}
		fact(t, "loaded", l, aside.Wish{}, facts{Value: 1, Remaining: time.Minute}, nil)
		time.Sleep(90 * time.Second)
		o.set(fails)
		fact(t, "stale", l, aside.Wish{}, stale(90*time.Second, aside.Refreshing, nil), nil)
		fact(t, "the refresh has failed", l, aside.Wish{}, stale(90*time.Second, aside.BackingOff, errOrigin), nil)
		seen.expect(t, cache.StaleServed, 2)
		time.Sleep(60 * time.Second)
		fact(t, "the load fails", l, aside.Wish{}, stale(150*time.Second, aside.OriginFailed, errOrigin), nil)
		fact(t, "it has just failed", l, aside.Wish{}, stale(150*time.Second, aside.BackingOff, errOrigin), nil)
		time.Sleep(10 * time.Second)
		o.set(takes(time.Second, errOrigin))
		begin(func() (int, error) { return l.Get(t.Context(), 2) })
		fact(t, "another load is under way", l, aside.Wish{}, stale(160*time.Second, aside.Overloaded, cache.ErrOverloaded), nil)
		time.Sleep(20 * time.Second)
		fact(t, "the load is slow", l, aside.Wish{}, stale(180*time.Second+100*time.Millisecond, aside.OriginSlow, cache.ErrLoadTimeout), nil)
		time.Sleep(time.Minute)
		o.set(nil)
		a, err := l.Lookup(t.Context(), 1, aside.Wish{})
		if a.Stale || a.Reason != aside.NotStale || a.Err != nil || a.Level != cache.Origin || err != nil {
			t.Errorf("the origin works again: %+v, %v", a, err)
		}
		synctest.Wait()
	})
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := aside.NotStale; r <= aside.NotAsked; r++ {
		if name := r.String(); name == "" || name == "unknown" || seen[name] {
			t.Errorf("reason %d is called %q", r, name)
		} else {
			seen[name] = true
		}
	}
	if got := (aside.NotAsked + 1).String(); got != "unknown" {
		t.Errorf("a reason that is not there is called %q", got)
	}
}

func TestAValueThatIsOlderThanWishedIsLoadedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l1, l2 := memstore.New[int, int](nil, 10, nil), memstore.New[int, int](nil, 10, nil)
		o := &switchboard{}
		l := aside.New(cache.Tiered[int, int](l1, l2), o.load, onError, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(10 * time.Second)
		ten := aside.Wish{MaxAge: 10 * time.Second}
		fact(t, "just young enough", l, ten, facts{Value: 1, Level: cache.Memory, Age: 10 * time.Second, Remaining: 50 * time.Second}, nil)
		time.Sleep(time.Millisecond)
		fact(t, "too old", l, ten, facts{Value: 2, Remaining: time.Minute}, nil)
		for name, s := range map[string]cache.Cache[int, int]{"memory": l1, "below": l2} {
			if e, _ := s.Get(t.Context(), 1); e == nil || e.Value != 2 {
				t.Errorf("%s has %+v", name, e)
			}
		}
		fact(t, "young again", l, ten, facts{Value: 2, Level: cache.Memory, Remaining: time.Minute}, nil)
		time.Sleep(11 * time.Second)
		o.set(fails)
		fact(t, "too old, and the origin fails", l, ten, facts{}, errOrigin)
		fact(t, "for others it is not", l, aside.Wish{}, facts{Value: 2, Level: cache.Memory, Age: 11 * time.Second, Remaining: 49 * time.Second}, nil)
		fact(t, "from the cache only", l, aside.Wish{MaxAge: 10 * time.Second, CacheOnly: true}, facts{}, cache.ErrNotCached)
		time.Sleep(time.Minute)
		fact(t, "past its time, too old, and the origin fails", l, ten, facts{}, errOrigin)
	})
}

func TestAValueOfUnknownAgeIsTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New[int, int](nil, 10, nil)
		cache.Put(t.Context(), s, 1, &cache.Entry[int]{Value: 7, Fresh: cache.Forever, Expires: cache.Forever})
		l := aside.New(s, (&switchboard{}).load, minute, nil)
		fact(t, "any age", l, aside.Wish{}, facts{Value: 7, Level: cache.Memory, Age: -1, Remaining: invalidation.Forever}, nil)
		fact(t, "an age", l, aside.Wish{MaxAge: time.Hour}, facts{Value: 1, Remaining: time.Minute}, nil)
	})
}

func TestHowStaleAValueMayBeIsWished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			after, max time.Duration
			served     bool
		}{
			{59 * time.Second, aside.NoStale, true},
			{61 * time.Second, aside.NoStale, false},
			{61 * time.Second, time.Second, true},
			{61*time.Second + time.Millisecond, time.Second, false},
			{61 * time.Second, 0, true},
			{150 * time.Second, 0, true}, // as the origin fails
			{150 * time.Second, 90 * time.Second, true},
			{150 * time.Second, 89 * time.Second, false},
			{150 * time.Second, aside.NoStale, false},
			{12 * time.Minute, time.Hour, false}, // it has expired
		} {
			o, seen := &switchboard{}, &events{}
			p := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, IfError: 8 * time.Minute, Backoff: time.Millisecond}
			l := aside.New(newProbe(nil), o.load, p, options(seen))
			l.Get(t.Context(), 1)
			synctest.Wait()
			time.Sleep(c.after)
			o.set(fails)
			a, err := l.Lookup(t.Context(), 1, aside.Wish{MaxStale: c.max})
			if served := err == nil && a.Value == 1; served != c.served || !served && !errors.Is(err, errOrigin) {
				t.Errorf("after %v, with %v: %+v, %v", c.after, c.max, a, err)
			}
			synctest.Wait()
			// What is served at once is loaded again in the background.
			atOnce := c.served && c.after > time.Minute && (c.max > 0 || c.after < 2*time.Minute)
			if atOnce != (a.Reason == aside.Refreshing) {
				t.Errorf("after %v, with %v, it is %v", c.after, c.max, a.Reason)
			}
			if n := len(seen.of(cache.RefreshStarted)); atOnce != (n == 1) {
				t.Errorf("after %v, with %v: %d refreshes", c.after, c.max, n)
			}
		}
	})
}

func TestFromTheCacheOnlyNothingIsLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := &switchboard{}, newProbe(nil)
		sw := &cache.Switch{}
		policy := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, IfError: time.Hour, Ahead: 0.5}
		l := aside.New(p, o.load, policy, &aside.Options[int, int]{Switch: sw})
		only := aside.Wish{CacheOnly: true}
		fact(t, "nothing is there", l, only, facts{}, cache.ErrNotCached)
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(40 * time.Second) // and would be loaded ahead
		fact(t, "fresh", l, only, facts{Value: 1, Level: cache.Memory, Age: 40 * time.Second, Remaining: 20 * time.Second}, nil)
		time.Sleep(50 * time.Second)
		fact(t, "stale", l, only, facts{Value: 1, Level: cache.Memory, Age: 90 * time.Second, Remaining: -30 * time.Second, Stale: true, Reason: aside.NotAsked}, nil)
		fact(t, "stale, and not wished", l, aside.Wish{CacheOnly: true, MaxStale: aside.NoStale}, facts{}, cache.ErrNotCached)
		time.Sleep(50 * time.Second)
		fact(t, "to be served only if the origin fails", l, only, facts{}, cache.ErrNotCached)
		fact(t, "wished", l, aside.Wish{CacheOnly: true, MaxStale: 2 * time.Minute},
			facts{Value: 1, Level: cache.Memory, Age: 140 * time.Second, Remaining: -80 * time.Second, Stale: true, Reason: aside.NotAsked}, nil)
		for _, mode := range []string{"bypass", "shadow"} {
			switchTo(t, sw, mode)
			fact(t, mode, l, aside.Wish{CacheOnly: true, MaxStale: 2 * time.Minute}, facts{}, cache.ErrNotCached)
		}
		switchTo(t, sw, "on")
		if n := o.count(); n != 1 {
			t.Errorf("%d loads", n)
		}
		p.hook = failing(errDown, "Get")
		fact(t, "the store is down", l, only, facts{}, cache.ErrNotCached)
		fact(t, "the store is down", l, only, facts{}, errDown)
		none := aside.New(p, o.load, invalidation.Policy{}, nil)
		fact(t, "nothing is stored", none, only, facts{}, cache.ErrNotCached)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Lookup(ctx, 1, only); !same(err, context.Canceled) {
			t.Errorf("a caller who has left: %v", err)
		}
	})
}

func TestBypassIsAWish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, seen := &switchboard{}, newProbe(nil), &events{}
		l := aside.New(p, o.load, minute, options(seen))
		fact(t, "wished", l, aside.Wish{Bypass: true}, facts{Value: 1}, nil)
		if a, err := l.Lookup(cache.Bypass(t.Context()), 1, aside.Wish{}); a.Value != 2 || err != nil {
			t.Errorf("with cache.Bypass: %+v, %v", a, err)
		}
		if len(p.verbs) != 0 {
			t.Errorf("the store was asked: %v", p.verbs)
		}
		seen.expect(t, cache.Direct, 2)
		o.set(fails)
		fact(t, "the origin fails", l, aside.Wish{Bypass: true}, facts{}, errOrigin)
	})
}

// sessions hears of what it is told.
type sessions struct {
	asked []string
	err   error
	then  func()
}

func (s *sessions) AtLeast(ctx context.Context, token string) error {
	s.asked = append(s.asked, token)
	if s.then != nil {
		s.then()
	}
	return s.err
}

func TestAValueIsAsNewAsATokenWishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p, d, seen := &switchboard{}, newProbe(nil), &sessions{}, &events{}
		l := aside.New(p, o.load, minute, &aside.Options[int, int]{Domain: d, Observer: seen})
		token := tokenOf(t)
		l.Get(t.Context(), 1)
		synctest.Wait()
		w := aside.Wish{AtLeast: token}
		fact(t, "heard of", l, w, facts{Value: 1, Level: cache.Memory, Remaining: time.Minute}, nil)
		d.then = func() { p.Store.Invalidate(t.Context(), 1) } // what it waited for
		fact(t, "heard of just now", l, w, facts{Value: 2, Remaining: time.Minute}, nil)
		if fmt.Sprint(d.asked) != fmt.Sprint([]string{token, token}) {
			t.Errorf("asked for %q", d.asked)
		}
		d.then, d.err = nil, errDown
		verbs := len(p.verbs)
		fact(t, "not heard of", l, w, facts{Value: 3}, nil)
		if len(p.verbs) != verbs {
			t.Errorf("the store was asked: %v", p.verbs[verbs:])
		}
		if got := seen.of(cache.Unavailable); len(got) != 1 || !same(got[0].Err, errDown) {
			t.Errorf("observed: %+v", got)
		}
		fact(t, "not heard of, and from the cache only", l, aside.Wish{AtLeast: token, CacheOnly: true}, facts{}, cache.ErrNotCached)
		fact(t, "without a token", l, aside.Wish{}, facts{Value: 2, Level: cache.Memory, Remaining: time.Minute}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Lookup(ctx, 1, w); !same(err, context.Canceled) {
			t.Errorf("a caller who has left: %v", err)
		}
		if n := o.count(); n != 3 {
			t.Errorf("%d loads", n)
		}
	})
}

// tokenOf returns a token that is well made.
func tokenOf(t *testing.T) string {
	ctx, s := invalidation.NewSession(t.Context())
	invalidation.Control{}.Note(ctx, invalidation.Mark{Space: "shop", Line: "0123456789abcdef", Seq: 1})
	if s.Token() == "" {
		t.Fatal("there is no token")
	}
	return s.Token()
}

func TestWishesThatMakeNoSenseNameTheirFields(t *testing.T) {
	o := &switchboard{}
	for _, c := range []struct {
		w    aside.Wish
		d    aside.Sessions
		want []string
	}{
		{aside.Wish{CacheOnly: true, Bypass: true}, nil, []string{"CacheOnly", "Bypass"}},
		{aside.Wish{Bypass: true, MaxStale: time.Second}, nil, []string{"Bypass", "MaxStale"}},
		{aside.Wish{MaxAge: -1}, nil, []string{"MaxAge"}},
		{aside.Wish{MaxStale: -2}, nil, []string{"MaxStale"}},
		{aside.Wish{AtLeast: "x"}, nil, []string{"AtLeast", "Domain"}},
		{aside.Wish{AtLeast: "no token"}, &sessions{}, []string{"AtLeast", "token"}},
	} {
		l := aside.New(newProbe(nil), o.load, minute, &aside.Options[int, int]{Domain: c.d})
		_, err := l.Lookup(t.Context(), 1, c.w)
		for _, field := range c.want {
			if err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("%+v: %v does not name %s", c.w, err, field)
			}
		}
	}
	l := aside.New(newProbe(nil), o.load, minute, nil)
	if _, err := l.Lookup(cache.Bypass(t.Context()), 1, aside.Wish{CacheOnly: true}); err == nil || !strings.Contains(err.Error(), "CacheOnly") || !strings.Contains(err.Error(), "Bypass") {
		t.Errorf("from the cache only, with cache.Bypass: %v", err)
	}
	if o.count() != 0 {
		t.Errorf("%d loads", o.count())
	}
}

func TestLookupReturnsWhatGetDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, sw := &switchboard{}, &cache.Switch{}
		o.set(func(context.Context, int) (int, error) { return 5, errOrigin })
		l := aside.New(newProbe(nil), o.load, minute, &aside.Options[int, int]{Switch: sw})
		for _, mode := range []string{"on", "bypass", "shadow"} {
			switchTo(t, sw, mode)
			want(t, mode, func() (int, error) { return l.Get(t.Context(), 1) }, 5, errOrigin)
			fact(t, mode, l, aside.Wish{}, facts{Value: 5}, errOrigin)
		}
		fact(t, "bypass wished", l, aside.Wish{Bypass: true}, facts{Value: 5}, errOrigin)
	})
}
