package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
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
	// probePause and probeMost are the least and the most time between two probes.
	probePause = 100 * time.Millisecond
	probeMost  = time.Second
	// probes that must all be good close it.
	probes = 3
	// byteTime is by how much a trip may take longer for each byte.
	byteTime = 50 * time.Nanosecond
)

// breaker keeps the readers of a space from servers that fail or are slow, so that
// they do not all find out by themselves. While it is open, probes are made on a
// goroutine of their own, when somebody would have asked: no caller waits for one.
// What is invalidated or written goes to the servers nevertheless.
type breaker struct {
	off  bool
	slow func() time.Duration
	ask  func(context.Context) error // what a probe does
	tell func(cache.Event)
	// closes is called when it closes.
	closes func()

	open atomic.Bool
	wary atomic.Bool  // the last trip was no good one
	next atomic.Int64 // when a probe may be made, since epoch

	mu          sync.Mutex
	n           int    // trips so far, up to 64
	fails, bads uint64 // of the last 64 trips: failed; failed or slow
	since       time.Time
	pause       time.Duration
	ctx         context.Context // of probes
	stop        context.CancelFunc
	done        sync.WaitGroup
}

var epoch = time.Now()

func (b *breaker) init(slow func() time.Duration, off bool) {
	b.slow, b.off = slow, off
	b.ctx, b.stop = context.WithCancel(context.Background())
}

// refuses reports whether the servers are not to be asked.
func (b *breaker) refuses() bool {
	if !b.open.Load() {
		return false
	}
	b.probe()
	return true
}

// took notes how a trip went that moved so many bytes. What the caller's context has
// ended says nothing.
func (b *breaker) took(ctx context.Context, d time.Duration, size int, err error) {
	if err != nil && over(ctx) {
		return
	}
	fail := failure(err)
	bad := fail || d-time.Duration(size)*byteTime > b.slow()
	if b.wary.Load() != bad {
		b.wary.Store(bad)
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
		b.since, b.pause = time.Now(), probePause
		b.later()
		b.open.Store(true)
	} else {
		opens = false
	}
	b.mu.Unlock()
	if opens {
		if err == nil {
			err = fmt.Errorf("%w: trips take more than %v", errUnavailable, b.slow())
		}
		b.tell(cache.Event{Kind: cache.BreakerOpened, N: 1, Err: err})
	}
}

// row returns how many of the last trips are in a row.
func row(bad uint64) int { return bits.TrailingZeros64(^bad) }

// over reports whether the caller has no time left.
func over(ctx context.Context) bool {
	by, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(by)
}

// failure reports whether an error says that the servers cannot be asked. One that
// refuses a command, such as for want of memory, may have answers to others.
func failure(err error) bool {
	var reply redis.Error
	return err != nil && (!errors.As(err, &reply) || reply == lateError{} || says(err, "LOADING", "MASTERDOWN", "CLUSTERDOWN", "BUSY"))
}

// says reports whether an error is a server's that begins with one of the words.
func says(err error, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return redis.HasErrorPrefix(err, w) })
}

// state returns how the breaker stands.
func (b *breaker) state() cache.BreakerState {
	if b.open.Load() {
		return cache.BreakerIsOpen
	}
	return cache.BreakerIsClosed
}

// hint is told that a server may answer again.
func (b *breaker) hint() {
	if b.open.Load() {
		if next := b.next.Load(); next != probing {
			b.next.CompareAndSwap(next, now)
		}
	}
}

// The times of the next probe while one is under way, and when there is no need to
// wait.
const (
	probing = math.MaxInt64
	now     = math.MinInt64
)

// later puts the next probe off. The lock is held.
func (b *breaker) later() {
	b.next.Store(int64(time.Since(epoch) + b.pause/2 + rand.N(b.pause/2+1)))
	b.pause = min(2*b.pause, probeMost)
}

// probe begins one if it is time.
func (b *breaker) probe() {
	next := b.next.Load()
	if next == probing || int64(time.Since(epoch)) < next || !b.next.CompareAndSwap(next, probing) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() == nil {
		b.done.Go(b.try)
	}
}

func (b *breaker) try() {
	for range probes {
		began := time.Now()
		if err := b.ask(b.ctx); failure(err) || time.Since(began) > b.slow() {
			b.mu.Lock()
			b.later()
			b.mu.Unlock()
			return
		}
	}
	b.mu.Lock()
	b.n, b.fails, b.bads = 0, 0, 0
	took := time.Since(b.since)
	b.open.Store(false)
	b.mu.Unlock()
	b.closes()
	b.tell(cache.Event{Kind: cache.BreakerClosed, N: 1, Took: took})
}

// end makes no more probes. wait returns when none is under way.
func (b *breaker) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
}

func (b *breaker) wait() { b.done.Wait() }

// probeServers asks for what every read asks for, of each lane.
func (s *Space) probeServers(ctx context.Context) error {
	calls := make([]*call, s.lanes)
	for lane := range calls {
		calls[lane] = mget(ctx, []string{s.starKey(lane)})
	}
	return run(ctx, s.rdb, s.pace.bound(), calls)
}

// size returns about how many bytes a call has moved.
func (c *call) size() (n int) {
	for _, a := range c.args {
		if s, ok := a.(string); ok {
			n += len(s)
		}
	}
	switch v := c.cmd.Val().(type) {
	case string:
		n += len(v)
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				n += len(s)
			}
		}
	}
	return n
}
