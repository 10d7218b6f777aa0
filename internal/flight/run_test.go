package flight

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

// crowd has n callers ask at once for what a load of a second gives, with no
// store to vouch for anything. It returns the number of loads.
func crowd(t *testing.T, n int) (loads int64, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		var count atomic.Int64
		g := New(func(_ context.Context, t *Trip[string, int64]) {
			t.Depart()
			time.Sleep(time.Second)
			t.Land(0, count.Add(1), nil)
		})
		start := time.Now()
		go g.Do(t.Context(), "k", true)
		synctest.Wait() // it has departed: all others are late
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() { g.Do(t.Context(), "k", true) })
		}
		wg.Wait()
		loads, took = count.Load(), time.Since(start)
	})
	return loads, took
}

func TestThoseWhoAreCarriedGoTogether(t *testing.T) {
	if n, took := crowd(t, 1000); n != 2 || took != 2*time.Second {
		t.Errorf("%d loads in %v", n, took)
	}
}

// A key that is asked for all the time has one run that never ends. It must not
// forget for ever how to find the store.
func TestTheStoreIsAskedAgainOnceSomebodyCouldReachIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bypassed []bool
		hold := make(chan struct{})
		g := New(func(_ context.Context, t *Trip[string, int]) {
			bypassed = append(bypassed, t.Depart())
			<-hold
			t.Land(0, 1, nil)
		})
		ask := func(bypass bool) {
			go g.Do(t.Context(), "k", bypass)
			synctest.Wait()
		}
		ask(true)
		for _, bypass := range []bool{true, false, true} { // each late in the round of the one before
			ask(bypass)
			hold <- struct{}{}
			synctest.Wait()
		}
		hold <- struct{}{}
		synctest.Wait()
		if got := fmt.Sprint(bypassed); got != "[true true false true]" {
			t.Errorf("the rounds bypass the store: %s", got)
		}
		if n := g.Close(t.Context()); n != 0 {
			t.Errorf("%d runs are left", n)
		}
	})
}

type name struct{}

func TestEachRoundHasTheValuesOfSomebodyWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var values []any
		hold := make(chan struct{})
		g := New(func(ctx context.Context, t *Trip[string, int]) {
			values = append(values, ctx.Value(name{}))
			if _, ok := ctx.Deadline(); ok {
				values = append(values, "a deadline")
			}
			t.Depart()
			<-hold
			t.Land(0, 1, ctx.Err())
		})
		for _, who := range []string{"first", "second"} {
			ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), name{}, who), time.Hour)
			defer cancel()
			go g.Do(ctx, "k", true)
			synctest.Wait()
		}
		close(hold)
		synctest.Wait()
		if got := fmt.Sprint(values); got != "[first second]" {
			t.Errorf("the rounds have the values of %s", got)
		}
	})
}

func TestABatchIsCancelledWhenNobodyWaitsForAnyOfItsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cancelled []int
		g := New(func(ctx context.Context, t *Trip[int, int]) {
			t.Depart()
			<-ctx.Done()
			cancelled = append(cancelled, len(t.Keys()))
		})
		all, leaveAll := context.WithCancel(t.Context())
		go g.DoMany(all, all, []int{1, 2, 3}, nil, true)
		synctest.Wait()
		one, leaveOne := context.WithCancel(t.Context())
		go g.Do(one, 2, true)
		synctest.Wait()
		leaveAll()
		synctest.Wait()
		if len(cancelled) != 0 {
			t.Error("the load is cancelled while somebody waits for one of its keys")
		}
		leaveOne()
		synctest.Wait()
		if fmt.Sprint(cancelled) != "[3]" || len(g.calls) != 0 {
			t.Errorf("cancelled: %v, %d calls left", cancelled, len(g.calls))
		}
	})
}

func TestACarriedBatchGoesTogetherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trips []string
		hold := make(chan struct{})
		g := New(func(_ context.Context, t *Trip[int, int]) {
			trips = append(trips, fmt.Sprint(t.Keys()))
			t.Depart()
			<-hold
			for i, k := range t.Keys() {
				t.Land(i, k, nil)
				t.Settle(i, k == 1)
			}
		})
		var got [2][]int
		for i, keys := range [][]int{{1, 2, 3, 4}, {1, 2, 3}} {
			go func() { got[i], _ = g.DoMany(t.Context(), t.Context(), keys, nil, false) }()
			synctest.Wait()
		}
		close(hold)
		synctest.Wait()
		if fmt.Sprint(trips) != "[[1 2 3 4] [2 3]]" || fmt.Sprint(got) != "[[1 2 3 4] [1 2 3]]" {
			t.Errorf("the trips are %v, the results %v", trips, got)
		}
	})
}

func TestThoseWhoLeaveBetweenRoundsCostNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		w.valid.Store(true)
		g := New(w.work)
		ask(t.Context(), g)
		<-w.depart
		synctest.Wait()
		late, leaveLate := context.WithCancel(t.Context())
		sealed, leaveSealed := context.WithCancel(t.Context())
		ask(late, g)
		<-w.land
		synctest.Wait()
		ask(sealed, g)
		leaveLate()
		leaveSealed()
		synctest.Wait()
		<-w.settle
		synctest.Wait()
		if n := g.Close(t.Context()); n != 0 || w.loads.Load() != 1 {
			t.Errorf("%d runs are left after %d loads", n, w.loads.Load())
		}
	})
}

func TestCloseTurnsAwayNewcomersAndWaitsForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		g := New(func(_ context.Context, t *Trip[int, int]) {
			t.Depart()
			<-hold
			for i := range t.Keys() {
				t.Land(i, 7, nil)
			}
		})
		var early, late int
		go func() { early, _ = g.Do(t.Context(), 1, true) }()
		g.Refresh(t.Context(), []int{2, 3}, make([]any, 2))
		synctest.Wait()
		go func() { late, _ = g.Do(t.Context(), 1, true) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if n := g.Close(ctx); n != 2 {
			t.Errorf("%d runs are left, not 2", n)
		}
		if _, err := g.Do(t.Context(), 1, true); err != cache.ErrClosed {
			t.Errorf("Do says %v", err)
		}
		if _, errs := g.DoMany(t.Context(), t.Context(), []int{1, 9}, nil, true); errors.Join(errs...) == nil || errs[1] != cache.ErrClosed {
			t.Errorf("DoMany says %v", errs)
		}
		g.Refresh(t.Context(), []int{4}, make([]any, 1))
		go close(hold)
		for range 2 {
			if n := g.Close(t.Context()); n != 0 {
				t.Errorf("%d runs are left", n)
			}
		}
		synctest.Wait()
		if early != 7 || late != 7 {
			t.Errorf("those who waited have %d and %d", early, late)
		}
	})
}

func BenchmarkFlight(b *testing.B) {
	g := New(func(_ context.Context, t *Trip[int, int]) {
		t.Depart()
		t.Land(0, 1, nil)
		t.Settle(0, true)
	})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		g.Do(b.Context(), i, false)
	}
}
