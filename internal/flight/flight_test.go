package flight

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate lets a test hold the work at a phase. Used in synctest bubbles, where
// Wait says that everybody has got as far as they can.
type gate struct {
	loads  atomic.Int64
	depart chan struct{}
	land   chan struct{}
	settle chan struct{}
	valid  atomic.Bool
	finish bool
	err    error
}

func newGate() *gate {
	return &gate{depart: make(chan struct{}), land: make(chan struct{}), settle: make(chan struct{})}
}

func (g *gate) work(ctx context.Context, t *Trip[string, int64]) {
	g.depart <- struct{}{}
	t.Depart()
	t.Finish(g.finish)
	n := g.loads.Add(1)
	select {
	case g.land <- struct{}{}:
	case <-ctx.Done():
		for i := range t.Keys() {
			t.Land(i, 0, ctx.Err())
		}
		return
	}
	for i := range t.Keys() {
		t.Land(i, n, g.err)
	}
	g.settle <- struct{}{}
	for i := range t.Keys() {
		t.Settle(i, g.valid.Load())
	}
}

type answer struct {
	n    int64
	err  error
	done bool
}

// ask starts a call and returns where its answer will be.
func ask(ctx context.Context, g *Group[string, int64]) *answer {
	a := &answer{}
	go func() {
		a.n, a.err = g.Do(ctx, "k", false)
		a.done = true
	}()
	synctest.Wait()
	return a
}

func expect(t *testing.T, who string, a *answer, n int64) {
	t.Helper()
	synctest.Wait()
	switch {
	case n == 0 && a.done:
		t.Errorf("%s has the answer %d, %v, and should wait", who, a.n, a.err)
	case n != 0 && (!a.done || a.n != n || a.err != nil):
		t.Errorf("%s has %+v, and should have %d", who, *a, n)
	}
}

// story runs the scene that all rules are about and returns who had what.
func story(t *testing.T, valid bool, check func(early, late, sealed *answer, w *gate, step string)) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(valid)
		g := New(w.work)
		early := ask(t.Context(), g)
		early2 := ask(t.Context(), g)
		<-w.depart
		synctest.Wait()
		late := ask(t.Context(), g)
		<-w.land
		synctest.Wait()
		sealed := ask(t.Context(), g)
		check(early, late, sealed, w, "landed")
		expect(t, "the second early caller", early2, 1)
		<-w.settle
		synctest.Wait()
		check(early, late, sealed, w, "settled")
		for !late.done || !sealed.done {
			<-w.depart
			<-w.land
			<-w.settle
			synctest.Wait()
		}
		check(early, late, sealed, w, "end")
		if n := g.Close(t.Context()); n != 0 || len(g.calls) != 0 {
			t.Errorf("%d runs and %d calls are left", n, len(g.calls))
		}
	})
}

func TestEarlyCallersDoNotWaitForTheCommit(t *testing.T) {
	story(t, true, func(early, late, sealed *answer, w *gate, step string) {
		if step == "landed" {
			expect(t, "early", early, 1)
			expect(t, "late", late, 0)
		}
	})
}

func TestLateCallersHaveAResultOnlyIfItIsValid(t *testing.T) {
	story(t, true, func(early, late, sealed *answer, w *gate, step string) {
		if step == "settled" {
			expect(t, "late", late, 1)
			expect(t, "sealed", sealed, 0)
		}
	})
	story(t, false, func(early, late, sealed *answer, w *gate, step string) {
		switch step {
		case "settled":
			expect(t, "late", late, 0)
		case "end":
			expect(t, "late", late, 2)
		}
	})
}

func TestWhoComesAfterTheSealHasTheNextRound(t *testing.T) {
	story(t, true, func(early, late, sealed *answer, w *gate, step string) {
		if step == "end" {
			expect(t, "sealed", sealed, 2)
			if n := w.loads.Load(); n != 2 {
				t.Errorf("%d loads", n)
			}
		}
	})
}

func TestAnErrorAnswersEverybodyWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, valid := range []bool{true, false} {
			w := newGate()
			w.err = errors.New("origin is down")
			w.valid.Store(valid)
			g := New(w.work)
			early := ask(t.Context(), g)
			<-w.depart
			synctest.Wait()
			var late []*answer
			for range 20 {
				late = append(late, ask(t.Context(), g))
			}
			<-w.land
			synctest.Wait()
			if !early.done || early.err != w.err {
				t.Errorf("the first caller has %+v", *early)
			}
			for i, a := range late {
				if a.done {
					t.Errorf("caller %d has %+v before the round has settled", i, *a)
				}
			}
			<-w.settle
			loads := int64(1)
			if !valid { // they are early in a round of their own, and it is one for all
				<-w.depart
				<-w.land
				<-w.settle
				loads = 2
			}
			synctest.Wait()
			for i, a := range late {
				if !a.done || a.err != w.err {
					t.Errorf("caller %d has %+v", i, *a)
				}
			}
			if n := w.loads.Load(); n != loads {
				t.Errorf("valid: %v, %d loads", valid, n)
			}
		}
	})
}

func TestEachCallerObeysItsOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		g := New(w.work)
		first, cancel := context.WithCancel(t.Context())
		a := ask(first, g)
		<-w.depart
		short, cancelShort := context.WithTimeout(t.Context(), time.Second)
		defer cancelShort()
		b := ask(short, g)
		c := ask(t.Context(), g)
		cancel()
		synctest.Wait()
		if !a.done || !errors.Is(a.err, context.Canceled) {
			t.Errorf("the first caller cancelled and has %+v", *a)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !b.done || !errors.Is(b.err, context.DeadlineExceeded) {
			t.Errorf("the caller's second is over and it has %+v", *b)
		}
		<-w.land
		<-w.settle
		expect(t, "the patient caller", c, 1)
	})
}

func TestTheLoadIsCancelledWhenTheLastCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		g := New(w.work)
		ctx, cancel := context.WithCancel(t.Context())
		ask(ctx, g)
		<-w.depart
		ask(ctx, g)
		cancel()
		synctest.Wait() // the work has seen its context end: nobody holds land
		if n := len(g.trips); n != 0 {
			t.Fatalf("%d runs are left", n)
		}
		b := ask(t.Context(), g)
		<-w.depart
		<-w.land
		<-w.settle
		expect(t, "a newcomer", b, 2)
	})
}

func TestANewcomerNeverInheritsACancelledLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var n atomic.Int64
		g := New(func(ctx context.Context, t *Trip[string, int64]) {
			t.Depart()
			me := n.Add(1)
			if me == 1 {
				<-hold // a load that does not obey its context
			}
			t.Land(0, me, ctx.Err())
			t.Settle(0, true)
		})
		ctx, cancel := context.WithCancel(t.Context())
		ask(ctx, g)
		cancel()
		synctest.Wait()
		expect(t, "a newcomer", ask(t.Context(), g), 2)
		close(hold)
	})
}

func TestPanicAndGoexitAnswerEverybodyAndWedgeNothing(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit, "return": func() {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hold := make(chan struct{})
				first := true
				g := New(func(ctx context.Context, t *Trip[string, int64]) {
					t.Depart()
					if first {
						first = false
						<-hold
						end()
						return
					}
					t.Land(0, 7, nil)
					t.Settle(0, true)
				})
				a := ask(t.Context(), g)
				b := ask(t.Context(), g)
				close(hold)
				synctest.Wait()
				var p *cache.PanicError
				if !a.done || a.err == nil || name != "return" && !errors.As(a.err, &p) {
					t.Errorf("the caller has %+v", *a)
				}
				expect(t, "who came after it had departed", b, 7)
				expect(t, "the next caller", ask(t.Context(), g), 7)
				if len(g.calls) != 0 {
					t.Error("the key is wedged")
				}
			})
		})
	}
}

func TestARefreshIsOneAndNobodyEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		g := New(w.work)
		for range 1000 {
			g.Refresh(t.Context(), []string{"k"}, []any{nil})
		}
		<-w.depart
		ctx, cancel := context.WithCancel(t.Context())
		ask(ctx, g)
		cancel()
		synctest.Wait()
		<-w.land
		<-w.settle
		if n := g.Close(t.Context()); n != 0 || w.loads.Load() != 1 {
			t.Errorf("%d runs are left after %d loads", n, w.loads.Load())
		}
	})
}

func TestForgottenCallsTakeNoNewcomers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		g := New(w.work)
		a := ask(t.Context(), g)
		<-w.depart
		synctest.Wait()
		g.Forget("k")
		b := ask(t.Context(), g)
		<-w.depart
		synctest.Wait()
		for range 2 {
			<-w.land
		}
		for range 2 {
			<-w.settle
		}
		synctest.Wait()
		if !a.done || !b.done || a.n == b.n {
			t.Errorf("they have %+v and %+v", *a, *b)
		}
	})
}

func TestManyKeysGoTogetherAndJoinWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var mu sync.Mutex
		var trips [][]string
		g := New(func(ctx context.Context, t *Trip[string, string]) {
			keys := t.Keys()
			mu.Lock()
			trips = append(trips, keys)
			mu.Unlock()
			t.Depart()
			<-hold
			for i, k := range keys {
				t.Land(i, "v"+k, nil)
				t.Settle(i, true)
			}
		})
		go g.Do(t.Context(), "b", false)
		synctest.Wait()
		var got []string
		go func() { got, _ = g.DoMany(t.Context(), t.Context(), []string{"a", "b", "c"}, nil, false) }()
		synctest.Wait()
		close(hold)
		synctest.Wait()
		if len(trips) != 2 || len(trips[1]) != 2 || len(got) != 3 || got[0] != "va" || got[1] != "vb" || got[2] != "vc" {
			t.Errorf("the trips are %q and the results %q", trips, got)
		}
	})
}

func TestWhoComesForAKeyThatLandedBesideAnAbandonedOneIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		round := 0
		g := New(func(ctx context.Context, t *Trip[string, int64]) {
			round++
			t.Depart()
			t.Land(0, int64(round), ctx.Err())
			if round == 1 {
				<-hold
				t.Land(1, 0, ctx.Err())
			}
			t.Settle(0, true)
		})
		ctx, cancel := context.WithCancel(t.Context())
		go g.DoMany(ctx, ctx, []string{"k", "slow"}, nil, false)
		synctest.Wait()
		a := ask(t.Context(), g)
		cancel()
		synctest.Wait()
		close(hold)
		expect(t, "the newcomer", a, 2)
	})
}
