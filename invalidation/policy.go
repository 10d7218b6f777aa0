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
	// IfError is how long, after Fresh and Stale, a value may still be served if
	// the origin fails, or does not answer in time, when it is asked again. Callers
	// wait for the origin then.
	IfError time.Duration
	// Negative is how long the origin's answer that there is no such value is
	// served without asking again. Zero does not store such answers.
	Negative time.Duration
	// Jitter is the fraction, from 0 to 1, by which Fresh and Negative are
	// shortened at random for each entry, so that entries stored together do
	// not expire together.
	Jitter float64
	// Backoff is how long a key is not loaded again after a load of it has failed,
	// but for up to a half of it that is left out at random. Callers get what is
	// stale meanwhile. If there is nothing, they get the error once more, for as long
	// as the store says that nothing was invalidated on which it may depend: this
	// costs what cache.Validate does, and where the store cannot tell, the origin is
	// asked. Zero is a second if Stale or IfError are set, and no time otherwise.
	Backoff time.Duration
	// Early loads values again before they are past Fresh, with a probability that
	// rises towards that moment and with the time that the load takes, so that a
	// value which is much asked for is never missing: the factor beta of XFetch
	// (Vattani, Chierichetti, Lowenstein, VLDB 2015), of which 1 is the usual and
	// 0 is off.
	Early float64
	// Ahead is the fraction of Fresh, between 0 and 1, after which a value that is
	// asked for is loaded again in the background. 0 is off.
	Ahead float64
}

const (
	defaultBackoff = time.Second
	maxEarly       = 100
)

// TTL returns the Policy of most caches: fresh for d, shortened by up to a
// tenth at random.
func TTL(d time.Duration) Policy { return Policy{Fresh: d, Jitter: 0.1} }

// Validate returns an error that names the first field that makes no sense, or the
// fields that make none together, or nil.
func (p Policy) Validate() error {
	if err := p.validate(func(field string) string { return "Policy." + field }); err != nil {
		return fmt.Errorf("larder: %w", err)
	}
	return nil
}

// Stores reports whether values are stored at all.
func (p Policy) Stores() bool { return p.Fresh > 0 }

// Value returns until when a value that was loaded at now is fresh, and when it
// expires.
func (p Policy) Value(now cache.Moment) (fresh, expires cache.Moment) {
	fresh = now.Add(p.jittered(p.Fresh))
	return fresh, fresh.Add(p.Stale).Add(p.IfError)
}

// AtOnce returns until when a value that is fresh until then is served without
// waiting for the origin.
func (p Policy) AtOnce(fresh cache.Moment) cache.Moment { return fresh.Add(p.Stale) }

// AfterError returns how long a key is not loaded again after a load of it has
// failed.
func (p Policy) AfterError() time.Duration {
	d := p.Backoff
	if d == 0 && (p.Stale > 0 || p.IfError > 0) {
		d = defaultBackoff
	}
	if d == 0 {
		return 0
	}
	return d - rand.N(d/2+1)
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
