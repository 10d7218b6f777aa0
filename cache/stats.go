package cache

import "time"

// Stats are what a store, a space or a Loader has counted since it was made.
type Stats struct {
	// Cache is its name, Level where it is.
	Cache string
	Level Level
	// Counts has how often each kind of event has happened.
	Counts Counts
	// Errors has the failures among them by class: see ClassOf.
	Errors [classes]int64
	// Evicted has the entries that left memory by reason, such as "full".
	Evicted map[string]int64
	// Entries is how many entries are in memory.
	Entries int64
	// Loads is how long the origin took, Trips how long the servers did, and Lag
	// how long invalidations of this process took to come back over the bus: all
	// in nanoseconds. Batch is how many keys went in a trip.
	Loads, Trips, Lag, Batch Histogram
	// Breaker is how the breaker of a space stands.
	Breaker BreakerState
}

// Source is what has Stats.
type Source interface{ Stats() Stats }

// Counts has a number for each kind of event.
type Counts [kinds]int64

// Of returns the number of a kind.
func (c *Counts) Of(k Kind) int64 {
	if k < kinds {
		return c[k]
	}
	return 0
}

// Misses returns the number of misses of all kinds.
func (c *Counts) Misses() (n int64) {
	for k := Miss; k <= MissApart; k++ {
		n += c[k]
	}
	return n
}

// HitRatio returns the part of the reads that were hits, 0 if there were none.
func (c *Counts) HitRatio() float64 {
	if all := c[Hit] + c.Misses(); all > 0 {
		return float64(c[Hit]) / float64(all)
	}
	return 0
}

// Kinds returns all kinds of events, in order.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Histogram says how often which numbers were seen.
type Histogram struct {
	Count, Sum int64
	// Buckets are in order; those in which nothing is are left out.
	Buckets []Bucket
}

// Bucket is how many numbers were at most UpTo, and more than the UpTo of the
// bucket before.
type Bucket struct{ UpTo, Count int64 }

// Quantile returns a number that the part q of all are at most, as exact as the
// buckets are; 0 if there are none.
func (h Histogram) Quantile(q float64) int64 {
	rank, seen := q*float64(h.Count), int64(0)
	for _, b := range h.Buckets {
		if seen += b.Count; float64(seen) >= rank {
			return b.UpTo
		}
	}
	return 0
}

// Mean returns the mean, as a Duration if that is what was counted.
func (h Histogram) Mean() time.Duration {
	if h.Count == 0 {
		return 0
	}
	return time.Duration(h.Sum / h.Count)
}

// BreakerState is how a breaker stands.
type BreakerState uint8

const (
	// BreakerIsClosed lets everything through.
	BreakerIsClosed BreakerState = iota
	// BreakerIsOpen lets nothing through, but for a probe now and then.
	BreakerIsOpen
)

// String returns the name of the state in lower case.
func (b BreakerState) String() string {
	if b == BreakerIsOpen {
		return "open"
	}
	return "closed"
}
