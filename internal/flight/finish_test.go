package flight

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFinish_ATripGoesOnForThoseWhoComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		w.finish = true
		g := New(w.work)
		for i := range 3 { // each leaves before the next comes
			ctx, leave := context.WithCancel(t.Context())
			ask(ctx, g)
			if i == 0 {
				<-w.depart
				synctest.Wait()
			}
			leave()
			synctest.Wait()
		}
		last := ask(t.Context(), g)
		<-w.land
		<-w.settle
		expect(t, "who has waited", last, 1)
		if n := g.Close(t.Context()); n != 0 || len(g.calls) != 0 {
			t.Errorf("%d trips and %d calls are left", n, len(g.calls))
		}
	})
}

// Before it says so, a trip has asked for nothing that is worth finishing.
func TestFinish_ATripThatHasNotSaidSoIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(func(ctx context.Context, trip *Trip[string, int64]) {
			<-ctx.Done() // it waits for a place
			trip.Finish(true)
			trip.Fail(ctx.Err())
		})
		ctx, leave := context.WithCancel(t.Context())
		ask(ctx, g)
		leave()
		synctest.Wait()
		if len(g.trips) != 0 || len(g.calls) != 0 {
			t.Errorf("%d trips and %d calls are left", len(g.trips), len(g.calls))
		}
	})
}

func TestFinish_CloseCancelsWhatGoesOnForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		abandoned := false
		g := New(func(ctx context.Context, trip *Trip[string, int64]) {
			trip.Depart()
			trip.Finish(true)
			select {
			case <-ctx.Done():
				abandoned = trip.Abandoned()
			case <-time.After(time.Second):
			}
			trip.Land(0, 1, ctx.Err())
		})
		left, leave := context.WithCancel(t.Context())
		ask(left, g)
		leave()
		synctest.Wait()
		if len(g.trips) != 1 {
			t.Fatal("it does not go on")
		}
		began := time.Now()
		if n := g.Close(t.Context()); n != 0 || !abandoned || time.Since(began) != 0 {
			t.Errorf("%d trips are left, abandoned: %v, after %v", n, abandoned, time.Since(began))
		}
		// Whoever waits is waited for.
		g = New(g.work)
		stays := ask(t.Context(), g)
		left, leave = context.WithCancel(t.Context())
		ask(left, g)
		leave()
		g.Close(t.Context())
		expect(t, "who waits", stays, 1)
	})
}

func TestFinish_ATripCanTakeItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		g := New(func(ctx context.Context, trip *Trip[string, int64]) {
			trip.Depart()
			trip.Finish(true)
			<-hold
			trip.Finish(false) // nothing can be stored
			trip.Fail(ctx.Err())
			if ctx.Err() == nil {
				t.Error("it is not cancelled")
			}
		})
		ctx, leave := context.WithCancel(t.Context())
		ask(ctx, g)
		leave()
		synctest.Wait()
		close(hold)
		synctest.Wait()
	})
}

func TestWait_KnowsOnlyOfWhatWasUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		g := New(w.work)
		if n := g.Wait(t.Context()); n != 0 {
			t.Errorf("of nothing, %d are under way", n)
		}
		ask(t.Context(), g)
		<-w.depart
		waited := make(chan int)
		go func() { waited <- g.Wait(t.Context()) }()
		synctest.Wait()
		sealedIn := ask(t.Context(), g) // joins the trip that is under way
		<-w.land
		synctest.Wait()
		select {
		case <-waited:
			t.Error("Wait does not wait for the commit")
		default:
		}
		later := ask(t.Context(), g) // has a trip of its own
		<-w.settle
		expect(t, "late", sealedIn, 1)
		<-w.depart
		if n := <-waited; n != 0 {
			t.Errorf("%d are under way", n)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if n := g.Wait(short); n != 1 || !errors.Is(short.Err(), context.DeadlineExceeded) {
			t.Errorf("in a second, %d are under way", n)
		}
		<-w.land
		<-w.settle
		expect(t, "who came later", later, 2)
	})
}
