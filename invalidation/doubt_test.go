package invalidation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

// watching keeps what an Observer is told.
type watching struct {
	mu   sync.Mutex
	seen []cache.Event
}

func (w *watching) Observe(e cache.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, e)
}

func (w *watching) of(k cache.Kind) (out []cache.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.seen {
		if e.Kind == k {
			out = append(out, e)
		}
	}
	return out
}

// doubtful returns the error of a change in doubt.
func doubtful(t *testing.T, err error) *cache.InDoubtError {
	t.Helper()
	e, ok := err.(*cache.InDoubtError)
	if !ok || !errors.Is(err, cache.ErrInDoubt) || e.Settled == nil {
		t.Fatalf("the error is %v", err)
	}
	return e
}

func isOver(e *cache.InDoubtError) bool {
	synctest.Wait()
	select {
	case <-e.Settled:
		return true
	default:
		return false
	}
}

func TestMutate_InDoubtHoldsItsTargetsUntilTheTimeDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remote, d, control := remoteDomain(t)
		for _, cause := range []error{context.DeadlineExceeded, io.EOF, fmt.Errorf("commit: %v", io.ErrUnexpectedEOF)} {
			var seen watching
			released, began := remote.released, time.Now()
			err := d.Run(t.Context(), Mutation{Targets: []Target{Tag("a")}, Observer: &seen}, func(context.Context) error { return cause })
			e := doubtful(t, err)
			if !errors.Is(err, cause) {
				t.Errorf("%v does not wrap %v", err, cause)
			}
			time.Sleep(2*time.Minute - 1)
			if s := d.Status(); isOver(e) || !d.Held("a") || s.InDoubt != 1 {
				t.Errorf("%v: before its time: held: %v, %+v", cause, d.Held("a"), s)
			}
			<-e.Settled
			if took := time.Since(began); took != 2*time.Minute || d.Held("a") || remote.released == released || d.Status().InDoubt != 0 {
				t.Errorf("%v: after %v: held: %v, %d releases", cause, took, d.Held("a"), remote.released-released)
			}
			if in, out := seen.of(cache.WriteInDoubt), seen.of(cache.WriteSettled); len(in) != 1 || in[0].Err != cause || len(out) != 1 || out[0].Took != 2*time.Minute {
				t.Errorf("%v: observed %+v and %+v", cause, in, out)
			}
		}
		control.End()
	})
}

func TestMutate_InDoubtAsksTheOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDomain()
		decided := make(chan struct{})
		asked := func(context.Context) (bool, error) {
			select {
			case <-decided:
				return true, nil
			default:
				return false, nil
			}
		}
		err := d.Mutate(t.Context(), []Target{Tag("a")}, func(context.Context) error {
			return fmt.Errorf("save: %w", &cache.InDoubtError{Err: io.EOF, Decided: asked})
		})
		e := doubtful(t, err)
		if !errors.Is(err, io.EOF) {
			t.Errorf("the error is %v", err)
		}
		time.Sleep(time.Hour)
		if isOver(e) || !d.Held("a") {
			t.Error("it is released while the origin says that the change is under way")
		}
		close(decided)
		time.Sleep(2 * time.Second)
		if !isOver(e) || d.Held("a") {
			t.Error("it is not released although the origin has decided")
		}
	})
}

func TestMutate_WhatSaysThatNothingWasCommittedReleasesAtOnce(t *testing.T) {
	remote, d, _ := remoteDomain(t)
	causes := []error{errors.New("card declined"), fmt.Errorf("%w: %w", io.EOF, cache.ErrNotCommitted)}
	for _, cause := range causes {
		if err := d.Mutate(t.Context(), []Target{Tag("a")}, func(context.Context) error { return cause }); err != cause {
			t.Errorf("%v became %v", cause, err)
		}
	}
	all := Mutation{Targets: []Target{Tag("a")}, InDoubt: func(error) bool { return false }}
	if err := d.Run(t.Context(), all, func(context.Context) error { return io.EOF }); err != io.EOF {
		t.Errorf("against the user's rule: %v", err)
	}
	if remote.released != 3 || d.Held("a") || d.Status().InDoubt != 0 {
		t.Errorf("%d releases, %+v", remote.released, d.Status())
	}
}

func TestMutate_AContextThatEndsLeavesAnErrorWithoutMeaningInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDomain()
		opaque := errors.New("the row could not be saved")
		ctx, cancel := context.WithCancel(t.Context())
		err := d.Mutate(ctx, []Target{Tag("a")}, func(context.Context) error { cancel(); return opaque })
		doubtful(t, err)
		err = d.Run(t.Context(), Mutation{Targets: []Target{Tag("b")}, Timeout: time.Second}, func(ctx context.Context) error {
			<-ctx.Done()
			return opaque
		})
		if e := doubtful(t, err); !d.Held("a") || !d.Held("b") || e.Err != opaque {
			t.Errorf("held: %v, %v; %v", d.Held("a"), d.Held("b"), err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
	})
}

func TestMutate_APanicInDoubtHoldsItsTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDomain()
		func() {
			defer func() {
				if v := recover(); v != io.EOF {
					t.Errorf("the panic is %v", v)
				}
			}()
			d.Mutate(t.Context(), []Target{Tag("a")}, func(context.Context) error { panic(io.EOF) })
		}()
		if !d.Held("a") || d.Status().InDoubt != 1 {
			t.Error("it is not held")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if d.Held("a") || d.Status().InDoubt != 0 {
			t.Error("it is held for good")
		}
	})
}

func TestMutate_InDoubtWithoutAQuarantineIsHeldAsSoonAsTheStoreIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remote, d, control := remoteDomain(t)
		remote.fail(errors.New("down"))
		err := d.Run(t.Context(), Mutation{Targets: []Target{Tag("a")}, FailOpen: true}, func(context.Context) error { return io.EOF })
		e := doubtful(t, err)
		remote.fail(nil)
		control.RetryNow()
		synctest.Wait()
		if d.Held("a") { // the retry has succeeded, and the quarantine is not back yet
			t.Error("it is held by nobody's doing")
		}
		time.Sleep(21 * time.Second)
		synctest.Wait()
		if !d.Held("a") {
			t.Error("it is not held although the store is back")
		}
		<-e.Settled
		if d.Held("a") {
			t.Error("it is held for good")
		}
		control.End()
	})
}

func TestMutate_TheQuarantineOutlivesTheTimeoutByTheTimeOfTheDoubt(t *testing.T) {
	for want, m := range map[time.Duration]Mutation{
		150 * time.Second: {},
		11 * time.Minute:  {Timeout: time.Minute, DecidedWithin: 10 * time.Minute},
	} {
		remote, d, _ := remoteDomain(t)
		m.Targets = []Target{Tag("a")}
		if err := d.Run(t.Context(), m, nothing); err != nil || remote.life != want {
			t.Errorf("%v, the quarantine lives %v, not %v", err, remote.life, want)
		}
	}
}

// spyStore is a store of which only quarantines and invalidations are used.
type spyStore struct {
	cache.Cache[int, int]
	held, invalidated int
	life              time.Duration
}

func (s *spyStore) Quarantine(_ context.Context, slots ...cache.Slot[int]) (cache.Fill[int], error) {
	s.held, s.life = s.held+1, slots[0].Hold
	return spyFill{}, nil
}

func (s *spyStore) Invalidate(context.Context, ...int) error { s.invalidated++; return nil }

type spyFill struct{ cache.Fill[int] }

func (spyFill) Cancel(context.Context) error { return nil }

func TestMutate_AMalformedTargetIsNotStartedWhateverElseIsSet(t *testing.T) {
	var store spyStore
	for what, target := range map[string]Target{
		"an empty tag":    Tag(""),
		"a tag too long":  Tag(strings.Repeat("t", 4097)),
		"the zero Target": {},
		"keys of nothing": Keys[int, int](nil, 1),
	} {
		for _, open := range []bool{false, true} {
			for at := range 3 {
				remote, d, _ := remoteDomain(t)
				targets := []Target{Tag("a"), Keys[int, int](&store, 1)}
				targets = append(targets[:at:at], append([]Target{target}, targets[at:]...)...)
				called := false
				err := d.Run(t.Context(), Mutation{Targets: targets, FailOpen: open}, func(context.Context) error { called = true; return nil })
				if !errors.Is(err, cache.ErrNotStarted) || called || !strings.Contains(err.Error(), fmt.Sprintf("Targets[%d]", at)) {
					t.Errorf("%s, FailOpen: %v: %v, called: %v", what, open, err, called)
				}
				if remote.held != 0 || store.held != 0 || store.invalidated != 0 {
					t.Errorf("%s: something was done: %d, %+v", what, remote.held, store)
				}
			}
		}
	}
	d := NewDomain()
	if err := d.Mutate(t.Context(), []Target{Keys[int, int](&store, 1)}, nothing); err != nil || store.life != 150*time.Second {
		t.Errorf("%v, the quarantine of a key lives %v", err, store.life)
	}
	if err := d.Run(t.Context(), Mutation{DecidedWithin: -1, FailOpen: true}, nothing); !errors.Is(err, cache.ErrNotStarted) {
		t.Errorf("a negative time: %v", err)
	}
}

func TestDomain_AMalformedTagIsAnErrorAndNothingIsDone(t *testing.T) {
	d := NewDomain()
	for _, bad := range []string{"", strings.Repeat("t", 4097)} {
		g := guarded(t, d.Watch(), "a")
		if err := d.InvalidateTags(t.Context(), "a", bad); err == nil || !strings.Contains(err.Error(), "InvalidateTags") || !valid(g) {
			t.Errorf("InvalidateTags: %v, the entry stands: %v", err, valid(g))
		}
		if _, err := d.QuarantineTags(t.Context(), "a", bad); err == nil || !strings.Contains(err.Error(), "QuarantineTags") || !valid(g) || d.Held("a") {
			t.Errorf("QuarantineTags: %v", err)
		}
	}
}
