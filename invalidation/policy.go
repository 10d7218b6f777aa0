package invalidation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Forever is the duration that does not end, for values that leave only by
// invalidation or because a store is full.
const Forever time.Duration = math.MaxInt64

// Policy says how long values live. It is plain data. The zero Policy stores
// nothing: callers who ask for a key at the same time share one load, and that
// is all.
type Policy struct {
	// Fresh is how long a value is served without asking the origin.
	Fresh time.Duration
	// Stale is how long, after Fresh, a value may still be served while it is
	// loaded again in the background. It serves values that grew old, never
	// one that was invalidated.
	Stale time.Duration
	// Negative is how long the origin's answer that there is no such value is
	// served without asking again. Zero does not store such answers.
	Negative time.Duration
	// Jitter is the fraction, from 0 to 1, by which Fresh and Negative are
	// shortened at random for each entry, so that entries stored together do
	// not expire together.
	Jitter float64
}

// TTL returns the Policy of most caches: fresh for d, shortened by up to a
// tenth at random.
func TTL(d time.Duration) Policy { return Policy{Fresh: d, Jitter: 0.1} }

// Validate returns an error that names the first field that makes no sense, or
// nil.
func (p Policy) Validate() error {
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"Fresh", p.Fresh}, {"Stale", p.Stale}, {"Negative", p.Negative}} {
		switch {
		case f.d < 0:
			return fmt.Errorf("larder: Policy.%s is %v: it cannot be negative", f.name, f.d)
		case f.d > 0 && f.d < time.Millisecond:
			return fmt.Errorf("larder: Policy.%s is %v: times are kept in milliseconds, so it must be 0 or at least 1ms", f.name, f.d)
		}
	}
	switch {
	case !(p.Jitter >= 0 && p.Jitter <= 1):
		return fmt.Errorf("larder: Policy.Jitter is %v: it is a fraction and must be between 0 and 1", p.Jitter)
	case p.Stale > 0 && p.Fresh == 0:
		return fmt.Errorf("larder: Policy.Stale is %v, but Policy.Fresh is 0: a value that is never fresh cannot become stale", p.Stale)
	}
	return nil
}

// Stores reports whether values are stored at all.
func (p Policy) Stores() bool { return p.Fresh > 0 }

// Value returns until when a value that was loaded at now is fresh, and when it
// expires.
func (p Policy) Value(now cache.Moment) (fresh, expires cache.Moment) {
	fresh = now.Add(p.jittered(p.Fresh))
	return fresh, fresh.Add(p.Stale)
}

// Absence returns until when the answer that there is no value, given at now,
// is served.
func (p Policy) Absence(now cache.Moment) cache.Moment {
	return now.Add(p.jittered(p.Negative))
}

func (p Policy) jittered(d time.Duration) time.Duration {
	if p.Jitter == 0 || d == 0 || d == Forever {
		return d
	}
	cut := time.Duration(rand.Float64() * p.Jitter * float64(d))
	return max(d-cut, time.Millisecond)
}
