package aside

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Limits protect the origin from what a Loader or a Batch asks of it. A load of
// many keys counts as one. The zero Limits let every load through and sixteen
// refreshes at once.
type Limits struct {
	// Loads is how many loads may be under way at once: for callers, in the
	// background, and past the cache. One that was left alone by Options.LoadTimeout
	// keeps its place until it returns, as does one that goes on for the cache when its
	// callers have left; and one that itself asks this Loader for
	// another key needs a second place for that. 0 is no limit.
	Loads int
	// Queue is how many more loads may wait for a place, each for no longer than
	// Options.LoadTimeout. Any other is refused: who waits for it gets a value past
	// its time, if Policy.IfError allows that, or an error that wraps
	// cache.ErrOverloaded. 0 refuses whatever finds no place.
	Queue int
	// Refreshes is how many loads may be under way in the background. One that finds
	// no place, here or among Loads, is left out, and the next read of the key tries
	// again. 0 is sixteen, or Loads if that is less.
	Refreshes int
	// RefreshRate is how many refreshes may begin in a second. After a quiet while,
	// as many begin at once, but at least one. 0 is no limit.
	RefreshRate float64
}

const defaultRefreshes = 16

// check returns limits with defaults, or an error.
func (l Limits) check() (Limits, error) {
	for name, n := range map[string]int{"Loads": l.Loads, "Queue": l.Queue, "Refreshes": l.Refreshes} {
		if n < 0 {
			return l, fmt.Errorf("Options.Limits.%s is %d: it cannot be negative", name, n)
		}
	}
	switch {
	case !(l.RefreshRate >= 0) || math.IsInf(l.RefreshRate, 1):
		return l, fmt.Errorf("Options.Limits.RefreshRate is %v: it cannot be negative or infinite", l.RefreshRate)
	case l.Queue > 0 && l.Loads == 0:
		return l, fmt.Errorf("Options.Limits.Queue is %d, but Options.Limits.Loads is 0: nothing waits for a place if there is no limit", l.Queue)
	case l.Loads > 0 && l.Refreshes > l.Loads:
		return l, fmt.Errorf("Options.Limits.Refreshes is %d, but Options.Limits.Loads is %d: refreshes are loads", l.Refreshes, l.Loads)
	}
	if l.Refreshes == 0 {
		l.Refreshes = defaultRefreshes
		if l.Loads > 0 {
			l.Refreshes = min(l.Refreshes, l.Loads)
		}
	}
	return l, nil
}

// limiter keeps Limits. Its channels hold one for each place that is taken; that
// of loads is nil if there is no limit.
type limiter struct {
	loads, refreshes chan struct{}
	queue            int64
	waiting          atomic.Int64
	rate             bucket
	full             error
}

// permit is a place, to be given back by its owner.
type permit struct {
	from    *limiter // nil: it has another owner by now
	refresh bool
}

func newLimiter(l Limits) *limiter {
	n := &limiter{refreshes: make(chan struct{}, l.Refreshes), queue: int64(l.Queue), rate: bucket{rate: l.RefreshRate}}
	n.rate.tokens = n.rate.most()
	if l.Loads > 0 {
		n.loads = make(chan struct{}, l.Loads)
		n.full = fmt.Errorf("%w: Options.Limits lets through %d at once and %d wait", cache.ErrOverloaded, l.Loads, l.Queue)
	}
	return n
}

// enter takes a place of a load, and waits for it while the queue is not full and
// no longer than patience.
func (l *limiter) enter(ctx context.Context, patience time.Duration) (*permit, error) {
	p := &permit{from: l}
	if l.loads == nil || try(l.loads) {
		return p, nil
	}
	if l.waiting.Add(1) > l.queue {
		l.waiting.Add(-1)
		return nil, l.full
	}
	defer l.waiting.Add(-1)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.loads <- struct{}{}:
		return p, nil
	case <-timer.C:
		return nil, l.full
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refresh takes the places of a refresh, if there are any now.
func (l *limiter) refresh() bool {
	if !try(l.refreshes) {
		return false
	}
	if l.loads != nil && !try(l.loads) {
		<-l.refreshes
		return false
	}
	if !l.rate.take(time.Now()) {
		(&permit{l, true}).release()
		return false
	}
	return true
}

func try(places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	default:
		return false
	}
}

// move returns the permit for another owner, such as the load.
func (p *permit) move() *permit {
	moved := *p
	p.from = nil
	return &moved
}

// release gives the place back.
func (p *permit) release() {
	if p.from == nil {
		return
	}
	if p.refresh {
		<-p.from.refreshes
	}
	if p.from.loads != nil {
		<-p.from.loads
	}
}

// bucket is a token bucket that holds what comes in a second, but at least one.
type bucket struct {
	mu     sync.Mutex
	rate   float64 // tokens a second; 0 is no limit
	tokens float64
	at     time.Time // when tokens was counted
}

func (b *bucket) most() float64 { return max(1, b.rate) }

func (b *bucket) take(now time.Time) bool {
	if b.rate == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.at.IsZero() {
		b.tokens = min(b.most(), b.tokens+now.Sub(b.at).Seconds()*b.rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
