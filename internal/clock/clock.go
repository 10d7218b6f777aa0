// Package clock is the time of this process: the wall clock as it was when the
// process started, and what has passed since, also while the machine slept. When
// somebody sets the wall clock, it does not notice.
package clock

import (
	"sync/atomic"
	"time"
)

var (
	start = time.Now()
	// skew and step are for tests: by how many nanoseconds the wall clock was wrong at the
	// start, and by how many it was set since.
	skew, step atomic.Int64
	// slept is for how many nanoseconds the machine has slept since the start: the
	// monotonic clock stands still meanwhile.
	slept atomic.Int64
	// apart is by how much the wall clock was ahead of the monotonic one when
	// somebody looked for the reason.
	apart atomic.Int64
)

// suspicious is from which difference on the wall clock was set, or the machine has
// slept. Below it the two clocks differ as their rates do.
const suspicious = int64(time.Second)

// Milli returns t, which comes from time.Now, in milliseconds since 1970. The wall
// clock counts only if t has no monotonic reading.
func Milli(t time.Time) int64 {
	const ms = int64(time.Millisecond)
	ns := start.UnixNano() + int64(t.Sub(start))
	wall := t.UnixNano() + step.Load()
	if d := wall - ns - apart.Load(); d > suspicious || d < -suspicious {
		explain(wall-ns, d)
	}
	ns += skew.Load() + slept.Load()
	if ns < 0 {
		ns -= ms - 1 // rounded down, as UnixMilli does
	}
	return ns / ms
}

// explain finds out why the wall clock, which is ahead by so much in all, has gone away
// from the monotonic one by more. If the system cannot tell a sleep from a wall
// clock that was set, a step forward is taken for a sleep: then entries expire early,
// once, instead of late.
func explain(all, more int64) {
	before := slept.Load()
	total, known := asleep()
	if !known {
		total = before + max(more, 0)
	}
	if total <= before || slept.CompareAndSwap(before, total) {
		apart.Store(all)
	}
}

// asleep returns for how many nanoseconds the machine has slept since the start, if the
// system can tell. Tests have another.
var asleep = sinceStart()

// sinceStart returns an asleep that counts from now.
func sinceStart() func() (int64, bool) {
	before, known := sleeps()
	return func() (int64, bool) {
		total, _ := sleeps()
		return total - before, known
	}
}

// Skew makes this process one that was started while the wall clock was ahead by d. It
// is for tests, and called before anything asks for the time.
func Skew(d time.Duration) { skew.Store(int64(d)) }

// Step sets the wall clock, as this process sees it, to be ahead by d of what it was at
// the start. It is for tests.
func Step(d time.Duration) { step.Store(int64(d)) }
