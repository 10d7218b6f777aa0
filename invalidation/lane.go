package invalidation

import (
	"hash/crc32"
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/larder-cache/larder/cache"
)

// Hash is the CRC-32 (IEEE) of the name of a tag or key. It says in which lane
// it is; all processes agree on it.
func Hash(name string) uint32 {
	// Without a copy: it is asked for several times in every read of Redis.
	return crc32.ChecksumIEEE(unsafe.Slice(unsafe.StringData(name), len(name)))
}

// lane is a part of a Domain of which this process hears as a whole: either it
// has heard of every invalidation in the lane up to some moment, or it drops
// what it has.
type lane struct {
	domain *Domain
	// dropped is the Domain's sequence when all of the lane was last dropped.
	dropped atomic.Uint64
	// until is the end of the lease on the monotonic clock, since epoch, and
	// wall the same on the wall clock, which goes on while the machine sleeps.
	until, wall atomic.Int64
	ended       atomic.Bool
	behind      time.Duration // for how long after the lease entries are served
	_           [16]byte      // lanes that share a cache line slow each other down
}

const unlimited = math.MaxInt64

var epoch = time.Now()

func (l *lane) trust(now time.Time) cache.Trust {
	until := l.until.Load()
	if until == unlimited {
		return cache.Valid
	}
	over := max(int64(now.Sub(epoch))-until, now.UnixNano()-l.wall.Load())
	switch {
	case until == math.MinInt64:
		return cache.Apart // and over is not a number
	case over <= 0:
		return cache.Valid
	case over <= int64(l.behind):
		return cache.Behind
	}
	return cache.Apart
}

// renew lets the lease end at t, unless it ends later.
func (l *lane) renew(t time.Time) {
	until := int64(t.Sub(epoch))
	if until <= l.until.Load() {
		return
	}
	l.wall.Store(t.UnixNano())
	l.until.Store(until)
	if l.ended.Load() {
		l.until.Store(math.MinInt64)
	}
}

// remains returns how long the lease has still to go; it is negative if it has
// ended, and MinInt64 if it never began.
func (l *lane) remains(now time.Time) time.Duration {
	until := l.until.Load()
	if until == unlimited || until == math.MinInt64 {
		return time.Duration(until)
	}
	return time.Duration(until) - now.Sub(epoch)
}

// end ends the lease; nothing can renew it.
func (l *lane) end() {
	l.ended.Store(true)
	l.until.Store(math.MinInt64)
}
