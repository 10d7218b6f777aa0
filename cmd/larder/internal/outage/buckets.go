package outage

import (
	"sync/atomic"
	"time"
)

// buckets count the hits among reads, by the time at which they began. They may
// be added to and asked at once.
type buckets struct{ reads, hits []atomic.Int64 }

const (
	bucket = 100 * time.Millisecond
	// recent is over how long a hit ratio is taken to see whether it has
	// recovered, former over how long to see what it was.
	recent = 300 * time.Millisecond
	former = time.Second
)

func newBuckets(d time.Duration) *buckets {
	n := int(d/bucket) + 1
	return &buckets{make([]atomic.Int64, n), make([]atomic.Int64, n)}
}

// read counts a read that begins: until it is known to be a hit it is none, so that
// a ratio which is asked for early is too low and not too high.
func (b *buckets) read(at time.Duration) { add(b.reads, at) }

// hit counts a read that began at the given time and was a hit.
func (b *buckets) hit(at time.Duration) { add(b.hits, at) }

func add(counts []atomic.Int64, at time.Duration) {
	if i := int(at / bucket); i < len(counts) {
		counts[i].Add(1)
	}
}

// ratio returns the part of the hits among the reads in whole buckets between two
// times, and whether there were any.
func (b *buckets) ratio(from, to time.Duration) (ratio float64, some bool) {
	var reads, hits int64
	for i := int((from + bucket - 1) / bucket); i < min(int(to/bucket), len(b.reads)); i++ {
		reads += b.reads[i].Load()
		hits += b.hits[i].Load()
	}
	if reads == 0 {
		return 0, false
	}
	return float64(hits) / float64(reads), true
}

// recovered returns how long after back, and not after until, the hit ratio of
// the last 300 ms was at least that which is wanted: so it is never less than
// that.
func (b *buckets) recovered(back, until time.Duration, want float64) (after time.Duration, ok bool) {
	first := (back + bucket - 1) / bucket * bucket
	for from := first; from+recent <= until; from += bucket {
		if ratio, some := b.ratio(from, from+recent); some && ratio >= want {
			return from + recent - back, true
		}
	}
	return 0, false
}
