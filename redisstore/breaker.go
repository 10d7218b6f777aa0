package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

var errOpen = fmt.Errorf("%w: %w", errUnavailable, cache.ErrBreakerOpen)

const (
	// failRow of failures, or slowRow of failures and slow trips, one after the
	// other, open a breaker; and so does a half of the last 64.
	failRow = 5
	slowRow = 8
	// byteTime is by how much a trip may take longer for each byte, and keyTime for
	// each key: scripts do some work for each.
	byteTime = 50 * time.Nanosecond
	keyTime  = 20 * time.Microsecond
)

// breaker keeps the readers of a space from a server that fails or is slow, so that
// they do not all find out by themselves. While it is open, a goroutine of its own
// makes probes, whether anybody reads or not: no caller waits for one. What is
// invalidated or written goes to the server nevertheless.
type breaker struct {
	addr string // of the master of a cluster that it is about
	off  bool
	slow func() time.Duration
	ask  func(context.Context) error // what a probe does
	tell func(cache.Event)
	// changed is called when it has opened or closed, and when a server that was
	// well is wary of, or no more: see wary.
	changed func()

	open atomic.Bool
	wary atomic.Bool   // the last trip was no good one
	poke chan struct{} // probe now

	mu          sync.Mutex
	n           int    // trips so far, up to 64
	fails, bads uint64 // of the last 64 trips: failed; failed or slow
	since       time.Time
	probers     *probers
}

var epoch = time.Now()

func (b *breaker) init(slow func() time.Duration, off bool, by *probers) {
	b.slow, b.off, b.probers = slow, off, by
	b.poke = make(chan struct{}, 1)
}

// refuses reports whether the server is not to be asked.
func (b *breaker) refuses() bool { return b.open.Load() }

// took notes how a trip went that was about so many keys and moved so many bytes. What
// the caller's context has ended says nothing.
func (b *breaker) took(ctx context.Context, d time.Duration, keys, size int, err error) {
	if err != nil && over(ctx) {
		return
	}
	fail := failure(err)
	bad := fail || d-work(keys, size) > b.slow()
	if b.wary.Load() != bad && b.wary.CompareAndSwap(!bad, bad) {
		b.changed()
	}
	if b.off {
		return
	}
	if b.open.Load() {
		if !bad {
			b.hint()
		}
		return
	}
	b.mu.Lock()
	b.fails, b.bads = b.fails<<1, b.bads<<1
	b.n = min(b.n+1, 64)
	if fail {
		b.fails |= 1
	}
	if bad {
		b.bads |= 1
	}
	opens := row(b.fails) >= failRow || row(b.bads) >= slowRow || b.n == 64 && bits.OnesCount64(b.bads) >= 32
	if opens && !b.open.Load() {
		b.since = time.Now()
		b.open.Store(true)
		b.probers.begin(b.watch)
	} else {
		opens = false
	}
	b.mu.Unlock()
	if opens {
		if err == nil {
			err = fmt.Errorf("%w: trips take more than %v", errUnavailable, b.slow())
		}
		b.changed()
		b.tell(cache.Event{Kind: cache.BreakerOpened, Server: b.addr, N: 1, Err: err})
	}
}

// work is how much longer a trip may take because of what it moves.
func work(keys, size int) time.Duration {
	return time.Duration(keys)*keyTime + time.Duration(size)*byteTime
}

// row returns how many of the last trips are in a row.
func row(bad uint64) int { return bits.TrailingZeros64(^bad) }

// over reports whether the caller has no time left.
func over(ctx context.Context) bool {
	by, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(by)
}

// failure reports whether an error says that a server cannot be asked. One that
// refuses a command, such as for want of memory, may have answers to others; and so may
// one that says of a slot that nobody has it.
func failure(err error) bool {
	var reply redis.Error
	return err != nil && (!errors.As(err, &reply) || reply == lateError{} ||
		says(err, "LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY") && !says(err, "CLUSTERDOWN Hash slot not served"))
}

// says reports whether an error is a server's that begins with one of the words.
func says(err error, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return redis.HasErrorPrefix(err, w) })
}
