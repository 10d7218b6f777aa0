package aside_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

func switchTo(t testing.TB, s *cache.Switch, text string) {
	t.Helper()
	if err := s.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// expect fails the test unless the events of a kind are about n keys.
func (e *events) expect(t *testing.T, kind cache.Kind, n int) {
	t.Helper()
	got := 0
	for _, ev := range e.of(kind) {
		got += ev.N
	}
	if got != n {
		t.Errorf("%v of %d keys, not %d", kind, got, n)
	}
}

func TestABypassedCacheIsNeitherReadNorFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o, seen, sw := newProbe(nil), &switchboard{}, &events{}, &cache.Switch{}
		b := aside.NewBatch(p, o.many, minute, &aside.Options[int, int]{Observer: seen, Switch: sw})
		b.Get(t.Context(), 1)
		synctest.Wait()
		switchTo(t, sw, "bypass")
		before := len(p.verbs)
		want(t, "Get", func() (int, error) { return b.Get(t.Context(), 1) }, 2, nil)
		if got, err := b.GetMany(t.Context(), []int{1, 2, 1}); err != nil || fmt.Sprint(got) != "map[1:3 2:3]" {
			t.Errorf("GetMany is %v, %v", got, err)
		}
		if a, err := b.Lookup(t.Context(), 1, aside.Wish{}); err != nil || a.Value != 4 || a.Level != cache.Origin || a.Age != 0 || a.Remaining != 0 || a.Stale {
			t.Errorf("Lookup is %+v, %v", a, err)
		}
		synctest.Wait()
		if len(p.verbs) != before {
			t.Errorf("the store was asked: %v", p.verbs[before:])
		}
		seen.expect(t, cache.Direct, 4)
		switchTo(t, sw, "on")
		want(t, "switched on again", func() (int, error) { return b.Get(t.Context(), 1) }, 1, nil)
	})
}

func TestInvalidationsReachABypassedCache(t *testing.T) {
	for _, mode := range []string{"bypass", "shadow"} {
		synctest.Test(t, func(t *testing.T) {
			o, sw := &switchboard{}, &cache.Switch{}
			l := aside.New(newProbe(nil), o.load, minute, &aside.Options[int, int]{Switch: sw})
			l.Get(t.Context(), 1)
			l.Get(t.Context(), 2)
			synctest.Wait()
			switchTo(t, sw, mode)
			if err := l.Invalidate(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			switchTo(t, sw, "on")
			want(t, mode, func() (int, error) { return l.Get(t.Context(), 1) }, 3, nil)
			want(t, mode+", another key", func() (int, error) { return l.Get(t.Context(), 2) }, 2, nil)
		})
	}
}

func TestCallersShareLoadsAroundTheCache(t *testing.T) {
	for _, mode := range []string{"bypass", "shadow"} {
		synctest.Test(t, func(t *testing.T) {
			o, sw := &origin{take: time.Second}, &cache.Switch{}
			l := aside.New(newProbe(nil), o.load, minute, &aside.Options[int, int]{Switch: sw})
			switchTo(t, sw, mode)
			get := func() (int, error) { return l.Get(t.Context(), 1) }
			answers := []*answer[int]{begin(get)}
			for range 50 {
				answers = append(answers, begin(get))
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			// In shadow, the store vouches for the first load, so that it is good for all.
			least, loads := 102, int64(2)
			if mode == "shadow" {
				least, loads = 101, 1
			}
			for i, a := range answers {
				if !a.done() || a.err != nil || i > 0 && a.got < least {
					t.Errorf("%s: caller %d has %v", mode, i, a)
				}
			}
			if n := o.loads.Load(); n != loads {
				t.Errorf("%s: %d loads", mode, n)
			}
		})
	}
}

func TestShadowCountsWhatTheCacheWouldHaveSaidWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var during func()
		p := newProbe(func(verb string) error {
			if verb == "Commit" && during != nil {
				during()
			}
			return nil
		})
		var row atomic.Int64
		o, seen, sw := &switchboard{}, &events{}, &cache.Switch{}
		gone := false
		o.set(func(context.Context, int) (int, error) {
			if gone {
				return 0, errRow
			}
			return int(row.Load()), nil
		})
		policy := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, IfError: time.Hour, Negative: time.Minute, Backoff: time.Millisecond}
		l := aside.New(p, o.load, policy, &aside.Options[int, int]{Observer: seen, Switch: sw, NotFound: errRow})
		agreed, differed := 0, 0
		step := func(who string, v int, err error) {
			t.Helper()
			want(t, who, func() (int, error) { return l.Get(t.Context(), 1) }, v, err)
			synctest.Wait()
			seen.expect(t, cache.ShadowAgreed, agreed)
			seen.expect(t, cache.ShadowDiffered, differed)
		}
		switchTo(t, sw, "shadow")
		step("nothing is there", 0, nil)
		agreed++
		step("nothing has changed", 0, nil)
		row.Store(1)
		differed++
		step("changed without an invalidation", 1, nil)
		agreed++
		step("and was stored", 1, nil)
		row.Store(2)
		l.Invalidate(t.Context(), 1)
		step("changed with an invalidation", 2, nil)
		row.Store(3)
		during = func() { p.Store.Invalidate(t.Context(), 1) }
		step("invalidated during the load", 3, nil)
		during = nil
		step("stored again", 3, nil)
		time.Sleep(90 * time.Second)
		row.Store(4)
		differed++
		step("past its time, but served", 4, nil)
		time.Sleep(3 * time.Minute)
		row.Store(5)
		step("past its time, and served only if the origin fails", 5, nil)
		gone = true
		differed++
		step("gone", 0, errRow)
		agreed++
		step("gone still", 0, errRow)
		gone = false
		differed++
		step("there again", 5, nil)
		o.set(fails)
		step("the origin fails", 0, errOrigin)
		if n := p.count("Get", "GetMany"); n != 0 {
			t.Errorf("the store was read %d times", n)
		}
	})
}

func TestShadowComparesAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seen, sw := &switchboard{}, &events{}, &cache.Switch{}
		l := aside.New(newProbe(nil), o.load, minute, &aside.Options[int, int]{Observer: seen, Switch: sw,
			Equal: func(stored, loaded int) bool { return stored == 1 && loaded == 2 }})
		switchTo(t, sw, "shadow")
		for range 3 {
			l.Get(t.Context(), 1)
			synctest.Wait()
		}
		seen.expect(t, cache.ShadowAgreed, 1)
		seen.expect(t, cache.ShadowDiffered, 1)
	})
}

// A load function that is shown what the cache has could say that it still holds.
func TestShadowDoesNotShowTheOriginWhatTheCacheHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sw := &cache.Switch{}
		l := aside.New(newProbe(nil), func(ctx context.Context, _ int) (int, error) {
			if _, ok := aside.Old[int](ctx); ok {
				t.Error("it is shown")
			}
			return 1, nil
		}, minute, &aside.Options[int, int]{Switch: sw})
		switchTo(t, sw, "shadow")
		for range 2 {
			l.Get(t.Context(), 1)
			synctest.Wait()
		}
	})
}

func TestShadowFillsBothLevelsAlthoughMemoryIsFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l1, l2 := memstore.New[int, int](nil, 10, nil), memstore.New[int, int](nil, 10, nil)
		o, seen, sw := &switchboard{}, &events{}, &cache.Switch{}
		l := aside.New(cache.Tiered(l1, l2), o.load, minute, &aside.Options[int, int]{Observer: seen, Switch: sw})
		l.Get(t.Context(), 1)
		synctest.Wait()
		switchTo(t, sw, "shadow")
		want(t, "shadow", func() (int, error) { return l.Get(t.Context(), 1) }, 2, nil)
		synctest.Wait()
		for name, s := range map[string]cache.Cache[int, int]{"memory": l1, "below": l2} {
			if e, _ := s.Get(t.Context(), 1); e == nil || e.Value != 2 {
				t.Errorf("%s has %+v", name, e)
			}
		}
		seen.expect(t, cache.ShadowDiffered, 1)
	})
}

func TestAPartOfTheKeysGoesAroundTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, seen := newProbe(nil), &events{}
		var loads atomic.Int64
		var failed error
		space := cache.NewSwitch(nil)
		sw := cache.NewSwitch(space)
		b := aside.NewBatch(p, func(_ context.Context, keys []int) (map[int]int, error) {
			loads.Add(1)
			if failed != nil {
				return nil, failed
			}
			rows := map[int]int{}
			for _, k := range keys {
				rows[k] = k
			}
			return rows, nil
		}, minute, &aside.Options[int, int]{Observer: seen, Switch: sw})
		var keys []int
		for k := range 100 {
			keys = append(keys, k)
		}
		b.GetMany(t.Context(), keys)
		synctest.Wait()
		switchTo(t, sw, "shadow:40%")
		switchTo(t, space, "bypass:20%")
		var modes [3]int
		for _, k := range keys {
			modes[cache.ModeOf(sw, k)]++
		}
		p.read = nil
		before := loads.Load()
		got, err := b.GetMany(t.Context(), keys)
		if len(got) != 100 || err != nil {
			t.Errorf("GetMany has %d keys, %v", len(got), err)
		}
		for k, v := range got {
			if k != v {
				t.Errorf("%d has the value of %d", k, v)
			}
		}
		synctest.Wait()
		if len(p.read) != modes[cache.ModeOn] || min(modes[0], modes[1], modes[2]) == 0 {
			t.Errorf("%d keys were read; the modes are %v", len(p.read), modes)
		}
		if n := loads.Load() - before; n != 2 {
			t.Errorf("%d loads for two parts", n)
		}
		seen.expect(t, cache.Direct, modes[cache.ModeBypass])
		seen.expect(t, cache.ShadowAgreed, modes[cache.ModeShadow])
		failed = errOrigin
		got, err = b.GetMany(t.Context(), keys)
		if len(got) != modes[cache.ModeOn] || !same(err, errOrigin) {
			t.Errorf("while the origin fails, GetMany has %d keys, %v", len(got), err)
		}
	})
}

func TestAroundTheCacheNothingOldIsServedOnError(t *testing.T) {
	for _, mode := range []string{"bypass", "shadow"} {
		synctest.Test(t, func(t *testing.T) {
			o, sw := &switchboard{}, &cache.Switch{}
			l := aside.New(newProbe(nil), o.load, onError, &aside.Options[int, int]{Switch: sw})
			l.Get(t.Context(), 1)
			synctest.Wait()
			time.Sleep(2 * time.Minute)
			o.set(fails)
			switchTo(t, sw, mode)
			want(t, mode, func() (int, error) { return l.Get(t.Context(), 1) }, 0, errOrigin)
			switchTo(t, sw, "on")
			time.Sleep(time.Second)
			want(t, "on", func() (int, error) { return l.Get(t.Context(), 1) }, 1, nil)
		})
	}
}

func TestAroundTheCacheStoresThatFailAreNoErrors(t *testing.T) {
	for _, mode := range []string{"bypass", "shadow"} {
		synctest.Test(t, func(t *testing.T) {
			o, sw := &switchboard{}, &cache.Switch{}
			p := newProbe(failing(errDown, "Get", "Reserve", "Commit"))
			l := aside.New(p, o.load, minute, &aside.Options[int, int]{Switch: sw})
			switchTo(t, sw, mode)
			want(t, mode, func() (int, error) { return l.Get(t.Context(), 1) }, 1, nil)
			p.hook = failing(errDown, "Commit")
			want(t, mode, func() (int, error) { return l.Get(t.Context(), 1) }, 2, nil)
			synctest.Wait()
		})
	}
}

func TestPanicsAndCloseAroundTheCache(t *testing.T) {
	for _, mode := range []string{"bypass", "shadow"} {
		synctest.Test(t, func(t *testing.T) {
			o, sw := &switchboard{}, &cache.Switch{}
			l := aside.New(newProbe(nil), o.load, minute, &aside.Options[int, int]{Switch: sw})
			switchTo(t, sw, mode)
			get := func() (int, error) { return l.Get(t.Context(), 1) }
			o.set(func(context.Context, int) (int, error) { panic("boom") })
			if _, err := get(); !errors.As(err, new(*cache.PanicError)) {
				t.Errorf("%s: a load that panics is %v", mode, err)
			}
			o.set(takes(time.Second, nil))
			a := begin(get)
			short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if err := l.Close(short); err == nil {
				t.Errorf("%s: Close does not say that a load is under way", mode)
			}
			err := l.Close(t.Context())
			if synctest.Wait(); err != nil || !a.done() || a.err != nil {
				t.Errorf("%s: Close is %v, and the load %v", mode, err, a)
			}
			want(t, mode+", closed", get, 0, cache.ErrClosed)
			if _, err := l.Lookup(t.Context(), 1, aside.Wish{}); !same(err, cache.ErrClosed) {
				t.Errorf("%s: Lookup of what is closed: %v", mode, err)
			}
		})
	}
}

func TestALinearizableLoaderCanBeSwitched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, sw := &switchboard{}, &cache.Switch{}
		store := cache.Tiered(memstore.New[int, int](nil, 10, nil), memstore.New[int, int](nil, 10, nil))
		l := aside.New(store, o.load, minute, &aside.Options[int, int]{Switch: sw, Linearizable: true})
		get := func() (int, error) { return l.Get(t.Context(), 1) }
		want(t, "on", get, 1, nil)
		want(t, "on", get, 1, nil)
		switchTo(t, sw, "bypass")
		want(t, "bypass", get, 2, nil)
		switchTo(t, sw, "shadow")
		want(t, "shadow", get, 3, nil)
		synctest.Wait()
		switchTo(t, sw, "on")
		want(t, "on again", get, 3, nil)
	})
}

// Whoever reads while a Switch is flipped has what was written before.
func TestNoReadIsOlderThanTheLastInvalidationWhileASwitchIsFlipped(t *testing.T) {
	p, sw := newProbe(nil), &cache.Switch{}
	s := seed(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		modes := []string{"on", "bypass", "shadow", "bypass:50%", "shadow:30%"}
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				if err := sw.UnmarshalText([]byte(modes[i%len(modes)])); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	subject{one: p, many: p, tags: p.Domain().InvalidateTags, flip: sw}.history(t.Context(), s, 1500, t.Errorf)
	close(stop)
	<-stopped
	if !slices.Contains(p.verbs, "Get") {
		t.Error("the store was never read")
	}
}

func TestASwitchThatIsOnCostsAHitNothing(t *testing.T) {
	sw := cache.NewSwitch(cache.NewSwitch(nil))
	store := memstore.New[int, int](nil, 10, nil)
	l := aside.New(store, (&switchboard{}).load, minute, &aside.Options[int, int]{Switch: sw})
	ctx := t.Context()
	if _, err := cache.Put(ctx, store, 1, &cache.Entry[int]{Value: 1, Fresh: cache.Forever, Expires: cache.Forever}); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { l.Get(ctx, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAnInvalidationLeavesNobodyWithALoadInVainAroundTheCache(t *testing.T) {
	for _, mode := range []string{"bypass", "shadow"} {
		synctest.Test(t, func(t *testing.T) {
			o, sw := &origin{}, &cache.Switch{}
			l := aside.New(newProbe(nil), o.load, minute, &aside.Options[int, int]{Switch: sw})
			l.Get(t.Context(), 1)
			synctest.Wait()
			o.take = time.Second
			switchTo(t, sw, mode)
			get := func() (int, error) { return l.Get(t.Context(), 1) }
			first := begin(get)
			if err := l.Invalidate(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			second := begin(get)
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if first.got != 102 || second.got != 103 || second.took != time.Second {
				t.Errorf("%s: the first has %v, the second %v", mode, first, second)
			}
		})
	}
}

// What was loaded while a writer is at work may be newer than what another reader
// has next.
func TestALinearizableLoaderWaitsForTheStoreInShadow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, o, sw, seen := memstore.New[int, int](nil, 10, nil), &switchboard{}, &cache.Switch{}, &events{}
		l := aside.New(store, o.load, minute, &aside.Options[int, int]{Switch: sw, Linearizable: true, Observer: seen})
		switchTo(t, sw, "shadow")
		writer, err := store.Quarantine(t.Context(), cache.Slot[int]{Key: 1})
		if err != nil {
			t.Fatal(err)
		}
		a := begin(func() (int, error) { return l.Get(t.Context(), 1) })
		time.Sleep(time.Second)
		if synctest.Wait(); a.done() {
			t.Errorf("it has what nobody has vouched for: %v", a)
		}
		writer.Cancel(t.Context())
		time.Sleep(time.Second)
		if synctest.Wait(); !a.done() || a.got != o.count() || a.err != nil {
			t.Errorf("it has %v", a)
		}
		want(t, "the next", func() (int, error) { return l.Get(t.Context(), 1) }, o.count()+1, nil)
		synctest.Wait() // it is compared when the caller has the answer
		seen.expect(t, cache.ShadowDiffered, 1)
	})
}
