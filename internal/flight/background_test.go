package flight

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoRunsOutOfPatienceDoesNotEndTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		g := New(w.work)
		soon, cancel := context.WithTimeoutCause(t.Context(), time.Second, ErrPatience)
		defer cancel()
		hasty := ask(soon, g)
		<-w.depart
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !hasty.done || hasty.err != ErrPatience {
			t.Errorf("the hasty caller has %+v", *hasty)
		}
		late := ask(t.Context(), g)
		<-w.land // it was not cancelled
		<-w.settle
		expect(t, "who joins it then", late, 1)
		// What is kept is that round only.
		ctx, leave := context.WithCancel(t.Context())
		ask(ctx, g)
		<-w.depart
		synctest.Wait()
		leave()
		synctest.Wait()
		if n := g.Close(t.Context()); n != 0 || len(g.calls) != 0 {
			t.Errorf("%d runs and %d calls are left", n, len(g.calls))
		}
	})
}

func TestAnAnswerThatIsThereIsBetterThanNoPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 { // a select would choose by chance
			g := New(func(_ context.Context, trip *Trip[int, int]) {
				trip.Depart()
				time.Sleep(2 * time.Second)
				trip.Land(0, 1, nil)
				if len(trip.Keys()) == 2 {
					trip.Land(1, 2, nil)
				}
			})
			soon, cancel := context.WithTimeoutCause(t.Context(), time.Second, ErrPatience)
			got, errs := g.DoMany(t.Context(), soon, []int{1, 2}, func(k int) bool { return k == 1 }, false)
			cancel()
			if got[0] != 1 || got[1] != 2 || errors.Join(errs...) != nil {
				t.Fatalf("they have %v, %v", got, errs)
			}
		}
	})
}

func TestARefreshIsAdmittedOnceForAllItsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		type seen struct {
			refreshes, unattended bool
			causes                []any
		}
		var trips []seen
		g := New(func(_ context.Context, trip *Trip[int, int]) {
			s := seen{refreshes: trip.Refreshes()}
			<-hold
			trip.Depart()
			s.unattended = trip.Unattended()
			for i := range trip.Keys() {
				s.causes = append(s.causes, trip.Cause(i))
				trip.Land(i, 7, nil)
				trip.Settle(i, false)
			}
			trips = append(trips, s)
		})
		asked, admit := 0, true
		g.Admit = func() bool { asked++; return admit }
		if n, refused := g.Refresh(t.Context(), []int{1, 2}, []any{"a", "b"}); n != 2 || refused != 0 || asked != 1 {
			t.Errorf("%d opened, %d refused, %d times asked", n, refused, asked)
		}
		if n, refused := g.Refresh(t.Context(), []int{1, 2}, []any{nil, nil}); n != 0 || refused != 0 || asked != 1 {
			t.Errorf("of keys on their way: %d opened, %d refused, %d times asked", n, refused, asked)
		}
		admit = false
		if n, refused := g.Refresh(t.Context(), []int{2, 3, 4}, make([]any, 3)); n != 0 || refused != 2 || asked != 2 {
			t.Errorf("not admitted: %d opened, %d refused, %d times asked", n, refused, asked)
		}
		close(hold)
		synctest.Wait()
		admit = true
		hold = make(chan struct{})
		g.Refresh(t.Context(), []int{5}, []any{"c"})
		go g.Do(t.Context(), 5, false)
		synctest.Wait()
		close(hold)
		synctest.Wait()
		if len(trips) != 2 || !trips[0].refreshes || !trips[0].unattended || trips[0].causes[0] != "a" || trips[0].causes[1] != "b" {
			t.Fatalf("the trips are %+v", trips)
		}
		if !trips[1].refreshes || trips[1].unattended {
			t.Errorf("that which somebody has joined is %+v", trips[1])
		}
	})
}

func TestWhoJoinsARefreshTooLateGoesOnToARoundOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		rounds, refreshes := 0, 0
		g := New(func(_ context.Context, trip *Trip[int, int]) {
			rounds++
			if trip.Refreshes() {
				refreshes++
			}
			trip.Depart()
			if trip.Unattended() {
				<-hold
				trip.Land(0, 0, nil) // somebody else does it
				trip.Settle(0, false)
				return
			}
			trip.Land(0, 7, nil)
		})
		g.Refresh(t.Context(), []int{1}, []any{nil})
		synctest.Wait()
		got := 0
		go func() { got, _ = g.Do(t.Context(), 1, false) }()
		synctest.Wait()
		close(hold)
		synctest.Wait()
		if got != 7 || rounds != 2 || refreshes != 1 {
			t.Errorf("it has %d after %d rounds, %d of them refreshes", got, rounds, refreshes)
		}
	})
}
