package waitgraph

import (
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type name string

func (n name) Name() string { return string(n) }

// under returns work and a target that it is under way for.
func under(n string) (*Work, *Target) {
	w, t := &Work{}, &Target{}
	t.Under(w, name(n))
	return w, t
}

func TestBegin_FindsCyclesOfAnyLength(t *testing.T) {
	a, onA := under("a")
	b, onB := under("b")
	c, onC := under("c")
	wait := func(w *Work, on *Target) (Wait, []string) { return Begin(With(t.Context(), w), on) }
	if _, cycle := wait(a, onA); !slices.Equal(cycle, []string{"a", "a"}) {
		t.Errorf("%v", cycle)
	}
	_, none := wait(a, onB)
	bc, none2 := wait(b, onC)
	if none != nil || none2 != nil {
		t.Fatal(none, none2)
	}
	if _, cycle := wait(c, onA); !slices.Equal(cycle, []string{"c", "a", "b", "c"}) {
		t.Errorf("%v", cycle)
	}
	bc.End()
	ca, cycle := wait(c, onA)
	if cycle != nil {
		t.Errorf("a wait that has ended is in the cycle %v", cycle)
	}
	ca.End()
	if _, cycle := Begin(t.Context(), onA); cycle != nil {
		t.Errorf("%v", cycle)
	}
}

func TestBegin_WhatFollowsIsWaitedFor(t *testing.T) {
	a, onA := under("a")
	_, onB := under("b")
	next := &Work{}
	if _, cycle := Begin(With(t.Context(), a), onB); cycle != nil {
		t.Fatal(cycle)
	}
	onB.Under(next, name("next"))
	if _, cycle := Begin(With(t.Context(), next), onA); !slices.Equal(cycle, []string{"next", "a", "next"}) {
		t.Errorf("%v", cycle)
	}
	onB.Under(nil, nil)
	if w, cycle := Begin(With(t.Context(), next), onA); cycle != nil {
		t.Errorf("%v", cycle)
	} else {
		w.End()
	}
}

func TestBegin_ALockIsGivenUp(t *testing.T) {
	a, _ := under("a")
	b, onB := under("b")
	gave := 0
	if _, cycle := Begin(With(t.Context(), b), Lock(a, func() { gave++ })); cycle != nil {
		t.Fatal(cycle)
	}
	wait, cycle := Begin(With(t.Context(), a), onB)
	if cycle != nil || gave != 1 {
		t.Fatalf("%v, given up %d times", cycle, gave)
	}
	if _, cycle := Begin(With(t.Context(), b), Lock(a, func() { gave++ })); cycle == nil || gave != 1 {
		t.Errorf("a wait for a lock that never ends is begun")
	}
	wait.End()
}

func TestEnd_WhoDoesNotWaitAnyMoreIsInNoCycle(t *testing.T) {
	var a, b Work
	var onA, onB Target
	onA.Under(&a, nil)
	onB.Under(&b, nil)
	wait, cycle := Begin(With(t.Context(), &a), &onB)
	if cycle != nil {
		t.Fatal(cycle)
	}
	if _, cycle = Begin(With(t.Context(), &b), &onA); cycle == nil {
		t.Error("each waits for the other, and nobody is told")
	}
	wait.End()
	if _, cycle = Begin(With(t.Context(), &b), &onA); cycle != nil {
		t.Errorf("a cycle of which one does not wait any more: %q", cycle)
	}
}
