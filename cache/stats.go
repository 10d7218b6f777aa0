package cache

import "math"

// Stats are what a store, a space, a Loader or a Writer has counted since it was
// made. They are counted while others go on: what is read of one thing first may
// lag behind what is read of it later.
type Stats struct {
	// Cache is its name, Level where it is.
	Cache string
	Level Level
	// Counts has how often each kind of event has happened, an event about N keys
	// N times, as a Counter has.
	Counts Counts
	// Errors has the failures among them by class, each once, however many keys it
	// is about.
	Errors ErrorCounts
	// Evicted has the entries that left memory by reason, such as "full": all of
	// them, where Counts has under Evicted those that had to make room.
	Evicted map[string]int64
	// Entries is how many entries are in memory.
	Entries int64
	// Loads is how long the origin took, Trips how long the servers did, and Lag
	// how long invalidations of this process took to come back over the bus: all
	// in nanoseconds. Batch is how many keys went in a trip.
	Loads, Trips, Lag, Batch Histogram
	// Breaker is how the breakers of a space stand together. A space has one for its
	// server or, in a cluster, for each master.
	Breaker BreakerState
	// OpenBreakers has the addresses of the masters whose breakers are open, in order.
	// The address is "" of a space that is no cluster; in a cluster, "" says that it is
	// not known which master has what.
	OpenBreakers []string
}

// Source is what has Stats. It costs some thousand loads from memory: ask it now
// and then, not at every read.
type Source interface{ Stats() Stats }

// Counts has a number for each kind of event.
type Counts [kinds]int64

// Of returns the number of a kind.
func (c Counts) Of(k Kind) int64 {
	if k < kinds {
		return c[k]
	}
	return 0
}

// Misses returns the number of misses of all kinds.
func (c Counts) Misses() (n int64) {
	for k := Miss; k <= MissApart; k++ {
		n += c[k]
	}
	return n
}

// ErrorCounts has a number for each class of errors: see ClassOf.
type ErrorCounts [classes]int64

// Of returns the number of a class.
func (c ErrorCounts) Of(class ErrorClass) int64 {
	if class < classes {
		return c[class]
	}
	return 0
}

// All returns the number of all classes together.
func (c ErrorCounts) All() (n int64) {
	for _, m := range c {
		n += m
	}
	return n
}

// BreakersOpen returns how many breakers are open: as many as OpenBreakers has, and at
// least one unless Breaker is closed.
func (s *Stats) BreakersOpen() int64 {
	if s.Breaker == BreakerIsClosed {
		return 0
	}
	return int64(max(len(s.OpenBreakers), 1))
}

// HitRatio returns the part of the reads that were hits, 0 if there were none.
func (c Counts) HitRatio() float64 {
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
	// Count is how many, Sum what they are together.
	Count, Sum int64
	// Buckets are in order; those in which nothing is are left out.
	Buckets []Bucket
}

// Bucket is how many numbers were at most UpTo, and more than those of the bucket
// before. The last bucket of all has what is larger than any that was foreseen, and
// its UpTo is math.MaxInt64.
type Bucket struct{ UpTo, Count int64 }

// Quantile returns a number that the part q of all are at most: the least UpTo of
// which that is true. Those that Larder makes are at most an eighth more than the
// number that is sought, and never less. It is 0 if there are none.
func (h Histogram) Quantile(q float64) int64 {
	if len(h.Buckets) == 0 {
		return 0
	}
	rank, seen := int64(math.Ceil(q*float64(h.Count))), int64(0)
	for _, b := range h.Buckets {
		if seen += b.Count; seen >= rank {
			return b.UpTo
		}
	}
	return h.Buckets[len(h.Buckets)-1].UpTo
}

// Mean returns the mean, which is exact; 0 if there are none.
func (h Histogram) Mean() float64 {
	if h.Count == 0 {
		return 0
	}
	return float64(h.Sum) / float64(h.Count)
}

// BreakerState is how the breaker of a space stands, or how several do together.
type BreakerState uint8

const (
	// BreakerIsClosed lets everything through.
	BreakerIsClosed BreakerState = iota
	// BreakerIsOpen lets nothing through, but for a probe now and then.
	BreakerIsOpen
	// BreakerIsPartlyOpen lets through what does not depend on masters that fail or are
	// slow: see Stats.OpenBreakers.
	BreakerIsPartlyOpen
)

// String returns the name of the state in lower case.
func (b BreakerState) String() string {
	switch b {
	case BreakerIsOpen:
		return "open"
	case BreakerIsPartlyOpen:
		return "partly open"
	}
	return "closed"
}
