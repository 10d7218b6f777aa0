package aside

import (
	"time"

	"github.com/larder-cache/larder/cache"
)

// Answer is a value and what is known about it. Beside Options.NotFound it says the
// same of the answer that there is no such value.
type Answer[V any] struct {
	Value V
	// Level is where the value was: Origin if it was loaded since Lookup was called,
	// or for others who have asked at that time.
	Level cache.Level
	// Age is how long ago the origin has given it; -1 if that is not known. In which
	// process that was, and what its clock showed, makes no difference.
	Age time.Duration
	// Remaining is for how long it will be fresh, negative if it is past its time, and
	// 0 if it is not stored.
	Remaining time.Duration
	// Stale is true if it is past its time, and Reason is why it was returned
	// nevertheless.
	Stale  bool
	Reason Reason
	// Err is how the load has failed, or was refused, because of which it was.
	Err error
}

// Reason is why a value past its time was returned.
type Reason uint8

const (
	// NotStale: it is not past its time.
	NotStale Reason = iota
	// Refreshing: it may still be served, and is loaded again in the background, as
	// soon as Limits allow that.
	Refreshing
	// OriginFailed: the load has failed.
	OriginFailed
	// OriginSlow: the load takes longer than Options.SoftTimeout or LoadTimeout.
	OriginSlow
	// BackingOff: a load has failed a short while ago.
	BackingOff
	// Overloaded: the load was refused, as too many wait for the origin.
	Overloaded
	// NotAsked: the caller wanted only what is in the cache.
	NotAsked
	reasons
)

// String returns the reason in lower case.
func (r Reason) String() string {
	if r < reasons {
		return [reasons]string{"not stale", "refreshing", "origin failed", "origin slow", "backing off", "overloaded", "not asked"}[r]
	}
	return "unknown"
}

// times are those of an Answer.
type times struct {
	loaded, fresh cache.Moment // 0 if that is not known, or it is not stored
	met           bool         // it was in the store
}

// timesOf returns the times of an entry, which was met in the store or has just been
// loaded. If there is none, the value was loaded now.
func timesOf[V any](e *cache.Entry[V], met bool) times {
	if e == nil {
		return times{loaded: cache.Now()}
	}
	return times{e.Loaded(), e.Fresh, met}
}

// age returns the Age of an Answer.
func (t times) age(now cache.Moment) time.Duration {
	if t.loaded == 0 {
		return -1
	}
	return max(now.Sub(t.loaded), 0)
}

// facts returns an Answer without a value, as it is now.
func facts[V any](t times, level cache.Level, now cache.Moment) Answer[V] {
	a := Answer[V]{Level: level, Age: t.age(now)}
	if t.fresh != 0 {
		a.Remaining = t.fresh.Sub(now)
		a.Stale = a.Remaining <= 0
	}
	return a
}
