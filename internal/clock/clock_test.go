package clock

import (
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// stepped returns t as it would be if the wall clock had been set back or forward by d
// after the start of the process: the monotonic reading does not notice.
func stepped(t time.Time, d time.Duration) time.Time {
	set := t.Add(d)
	// A time.Time begins with two words, wall and ext. With a monotonic reading, which
	// is ext, wall has the seconds since 1885.
	type words struct {
		wall uint64
		ext  int64
	}
	(*words)(unsafe.Pointer(&set)).ext = (*words)(unsafe.Pointer(&t)).ext
	return set
}

func TestMilli_AWallClockThatIsSetChangesNothing(t *testing.T) {
	var total time.Duration
	sleeping(t, &total, true)
	now := time.Now()
	for _, d := range []time.Duration{time.Hour, -time.Hour, time.Minute, -5 * time.Second} {
		set := stepped(now, d)
		if got := set.Round(0).Sub(now.Round(0)); got != d {
			t.Fatalf("the wall clock was set by %v, not %v: the test proves nothing", got, d)
		}
		if got, want := Milli(set), Milli(now); got != want {
			t.Errorf("after the wall clock was set by %v it is %d, not %d", d, got, want)
		}
	}
}

// sleeping has the system say for how long the machine has slept.
func sleeping(t *testing.T, total *time.Duration, known bool) {
	real := asleep
	asleep = func() (int64, bool) { return int64(*total), known }
	t.Cleanup(func() {
		asleep = real
		slept.Store(0)
		apart.Store(0)
	})
}

func TestMilli_AMachineThatSleepsGrowsOlder(t *testing.T) {
	var total time.Duration
	sleeping(t, &total, true)
	now := time.Now()
	want := Milli(now)
	for _, step := range []struct{ slept, wall time.Duration }{
		{time.Hour, time.Hour},            // a sleep
		{time.Hour, 3 * time.Hour},        // the wall clock is set forward
		{time.Hour, -time.Hour},           // and back
		{2 * time.Hour, 5 * time.Second},  // a sleep, and the wall clock is set
		{2 * time.Hour, 20 * time.Minute}, // and once more
	} {
		total = step.slept
		for range 2 {
			if got := Milli(stepped(now, step.wall)); got != want+step.slept.Milliseconds() {
				t.Errorf("after %v of sleep, with a wall clock that is ahead by %v, %v have passed", step.slept, step.wall, time.Duration(got-want)*time.Millisecond)
			}
		}
	}
}

func TestMilli_WhatCannotBeToldFromASleepIsTakenForOne(t *testing.T) {
	var total time.Duration
	sleeping(t, &total, false)
	now := time.Now()
	want := Milli(now)
	for _, step := range []struct{ wall, passed time.Duration }{
		{time.Hour, time.Hour}, {time.Hour, time.Hour}, {-time.Hour, time.Hour}, {0, 2 * time.Hour},
	} {
		if got := Milli(stepped(now, step.wall)); got != want+step.passed.Milliseconds() {
			t.Errorf("with a wall clock that is ahead by %v, %v have passed, not %v", step.wall, time.Duration(got-want)*time.Millisecond, step.passed)
		}
	}
}

func TestMilli_IsTheWallClockAtTheStart(t *testing.T) {
	for range 1000 {
		before := start.Add(time.Since(start)).UnixMilli()
		got := Milli(time.Now())
		if after := start.Add(time.Since(start)).UnixMilli(); got < before || got > after {
			t.Fatalf("it is %d, not between %d and %d", got, before, after)
		}
	}
	if got, want := Milli(time.UnixMilli(-1)), int64(-1); got != want {
		t.Errorf("a millisecond before 1970 is %d", got)
	}
	if got, want := Milli(time.Unix(0, -1)), int64(-1); got != want {
		t.Errorf("a nanosecond before 1970 is %d, not rounded down", got)
	}
}

func TestMilli_GoesWithTheClockOfABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got, want := Milli(time.Now()), time.Now().UnixMilli(); got != want {
			t.Errorf("it is %d, not %d", got, want)
		}
		time.Sleep(time.Hour)
		if got, want := Milli(time.Now()), time.Now().UnixMilli(); got != want {
			t.Errorf("an hour later it is %d, not %d", got, want)
		}
	})
}

func TestStep(t *testing.T) {
	var total time.Duration
	sleeping(t, &total, true)
	defer Step(0)
	now := time.Now()
	want := Milli(now)
	for _, d := range []time.Duration{time.Hour, -time.Hour, 0} {
		if Step(d); Milli(now) != want {
			t.Errorf("after the wall clock was set by %v it is %d, not %d", d, Milli(now), want)
		}
		// The two clocks are not read at the same moment, nor do they run at the same rate.
		if more := time.Duration(apart.Load()) - d; d != 0 && more.Abs() >= time.Duration(suspicious) {
			t.Errorf("nobody has looked why the wall clock is apart by %v", d)
		}
	}
}

func TestSkew(t *testing.T) {
	now := time.Now()
	right := Milli(now)
	defer Skew(0)
	for _, d := range []time.Duration{time.Minute, -time.Minute} {
		Skew(d)
		if got := Milli(now); got != right+d.Milliseconds() {
			t.Errorf("with a clock that is %v ahead it is %d, not %d", d, got, right+d.Milliseconds())
		}
	}
}
