package meter

import (
	"math"
	"math/bits"
	"sync/atomic"

	"github.com/larder-cache/larder/cache"
)

// Histogram counts numbers in buckets: one for each number below 16, and eight for
// each doubling from there to 2^42, which is 73 minutes in nanoseconds, and one for
// all above. What it says of a number is at most an eighth more than it was, and
// never less. It takes 2.5 KiB, and two atomic additions for each number. The zero
// Histogram is ready for use. Its methods may be called at once from many goroutines.
type Histogram struct {
	sum     atomic.Int64
	buckets [bucketCount]atomic.Int64
}

const (
	exact       = 16 // numbers below have a bucket each
	eighths     = 8  // buckets in a doubling
	doublings   = 42 - 4
	bucketCount = exact + eighths*doublings + 1
)

// Record counts a number. One that is negative counts as 0.
func (h *Histogram) Record(n int64) {
	n = max(n, 0)
	h.sum.Add(n)
	h.buckets[bucketOf(n)].Add(1)
}

// bucketOf returns the place of a number: above exact, its highest four bits, of which
// the first is always set, and how many are below them.
func bucketOf(n int64) int {
	if n < exact {
		return int(n)
	}
	below := bits.Len64(uint64(n)) - 4
	return min(exact+eighths*(below-1)+int(n>>below)-eighths, bucketCount-1)
}

// upTo returns the largest number of a bucket.
func upTo(i int) int64 {
	switch {
	case i < exact:
		return int64(i)
	case i == bucketCount-1:
		return math.MaxInt64
	}
	below := (i-exact)/eighths + 1
	return int64((i-exact)%eighths+eighths+1)<<below - 1
}

// Snapshot returns what was counted until now. Its Count is that of its buckets, its
// Sum may have a number more or less while others record.
func (h *Histogram) Snapshot() cache.Histogram {
	out := cache.Histogram{Sum: h.sum.Load()}
	for i := range h.buckets {
		if n := h.buckets[i].Load(); n > 0 {
			out.Count += n
			out.Buckets = append(out.Buckets, cache.Bucket{UpTo: upTo(i), Count: n})
		}
	}
	return out
}

// lazy is a Histogram that is made when it is needed.
type lazy struct{ at atomic.Pointer[Histogram] }

func (l *lazy) record(n int64) {
	h := l.at.Load()
	if h == nil {
		l.at.CompareAndSwap(nil, new(Histogram))
		h = l.at.Load()
	}
	h.Record(n)
}

func (l *lazy) snapshot() cache.Histogram {
	if h := l.at.Load(); h != nil {
		return h.Snapshot()
	}
	return cache.Histogram{}
}
