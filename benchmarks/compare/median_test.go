package main

import (
	"math"
	"reflect"
	"testing"
)

func TestTheMedianIsInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want figure
	}{
		{nil, figure{}},
		{[]float64{4}, figure{4, 4, 4, 1}},
		{[]float64{9, 1, 5}, figure{5, 1, 9, 3}},
		{[]float64{9, 1, 5, 3}, figure{4, 1, 9, 4}},
	} {
		if got := summarize(c.of); got != c.want {
			t.Errorf("%v: %+v", c.of, got)
		}
	}
	of := []float64{3, 1, 2}
	summarize(of)
	if !reflect.DeepEqual(of, []float64{3, 1, 2}) {
		t.Errorf("it has sorted what it was given: %v", of)
	}
	if s := (figure{median: 4, least: 3, most: 5}).spread(); s != 0.25 {
		t.Errorf("the spread is %v", s)
	}
	if s := (figure{}).spread(); s != 0 || math.IsNaN(s) {
		t.Errorf("the spread of nothing is %v", s)
	}
}

// The machine became three times as slow in the second round, and lost a result in
// the third.
func TestRatiosAreWithinARound(t *testing.T) {
	a, b := key{suite: "s", row: "r", lib: "a", procs: 1}, key{suite: "s", row: "r", lib: "b", procs: 1}
	all := &results{rounds: []map[key]values{
		{a: {"ns/op": 10}, b: {"ns/op": 20}},
		{a: {"ns/op": 30}, b: {"ns/op": 60}},
		{a: {"ns/op": 1000}},
		{a: {"ns/op": 1000}, b: {"ns/op": 0}},
	}}
	if f := all.ratio(a, b, "ns/op"); f != (figure{0.5, 0.5, 0.5, 2}) {
		t.Errorf("%+v", f)
	}
	if f := all.value(a, "ns/op"); f != (figure{515, 10, 1000, 4}) {
		t.Errorf("%+v", f)
	}
	if f := all.ratio(a, b, "B/op"); f.rounds != 0 {
		t.Errorf("of another unit: %+v", f)
	}
}

func TestAGoalIsJudgedByTheMedianUnlessItIsExact(t *testing.T) {
	g := goal{atMost: 2}
	for _, c := range []struct {
		g    goal
		f    figure
		want bool
	}{
		{g, figure{2, 1, 9, 3}, true},
		{g, figure{2.01, 1, 9, 3}, false},
		{goal{atMost: 1, exact: true}, figure{1, 1, 1, 3}, true},
		{goal{atMost: 1, exact: true}, figure{1, 1, 2, 3}, false},
		{goal{atMost: 1, exact: true}, figure{0.5, 0.5, 1, 3}, false},
	} {
		if got := c.g.met(c.f); got != c.want {
			t.Errorf("%+v of %+v: %v", c.f, c.g, got)
		}
	}
}
