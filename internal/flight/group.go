package flight

import (
	"context"
	"sync"

	"github.com/larder-cache/larder/cache"
)

// Work makes one round of the keys of a trip. It calls Depart before it reads
// anything, and then Land and Settle once for each key; what it leaves out, the
// Group does. If it panics or ends its goroutine, the keys that have not landed
// do so with a *cache.PanicError.
//
// ctx has the values of the context of somebody who waits. It has no deadline,
// and ends when nobody waits any more for any key of the trip.
type Work[K comparable, R any] func(ctx context.Context, t *Trip[K, R])

// Group shares calls by key. It has a goroutine for each trip that is under way
// and none else.
type Group[K comparable, R any] struct {
	work   Work[K, R]
	mu     sync.Mutex
	calls  map[K]*call[K, R]
	runs   int
	idle   chan struct{} // closed when runs gets zero, if somebody waits for that
	closed bool
}

// New returns a Group that does work.
func New[K comparable, R any](work Work[K, R]) *Group[K, R] {
	return &Group[K, R]{work: work, calls: map[K]*call[K, R]{}}
}

// Do returns the result for key. It joins the call that is on its way, or opens
// one. bypass says that the caller could not reach the store: if nobody in a
// round could, Depart says so. Do returns ctx.Err() as soon as ctx ends.
func (g *Group[K, R]) Do(ctx context.Context, key K, bypass bool) (R, error) {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		var none R
		return none, cache.ErrClosed
	}
	c := g.calls[key]
	var opened *run[K, R]
	if c == nil {
		opened = g.newRun(ctx)
		c = g.open(opened, ctx, key)
	}
	t := g.join(ctx, c, bypass)
	g.mu.Unlock()
	g.start(opened)
	return g.wait(ctx, t)
}

// DoMany is Do for distinct keys; those that it opens go together. Results and
// errors are in the order of keys.
func (g *Group[K, R]) DoMany(ctx context.Context, keys []K, bypass bool) ([]R, []error) {
	results, errs := make([]R, len(keys)), make([]error, len(keys))
	tickets := make([]ticket[K, R], len(keys))
	var opened *run[K, R]
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		for i := range errs {
			errs[i] = cache.ErrClosed
		}
		return results, errs
	}
	for i, k := range keys {
		c := g.calls[k]
		if c == nil {
			if opened == nil {
				opened = g.newRun(ctx)
			}
			c = g.open(opened, ctx, k)
		}
		tickets[i] = g.join(ctx, c, bypass)
	}
	g.mu.Unlock()
	g.start(opened)
	for i, t := range tickets {
		results[i], errs[i] = g.wait(ctx, t)
	}
	return results, errs
}

// Refresh opens a call of those keys that are not on their way, for nobody. It
// does not end because those who join it have left.
func (g *Group[K, R]) Refresh(ctx context.Context, keys ...K) {
	var opened *run[K, R]
	g.mu.Lock()
	for _, k := range keys {
		if g.closed || g.calls[k] != nil {
			continue
		}
		if opened == nil {
			opened = g.newRun(ctx)
			opened.background = true
		}
		g.open(opened, ctx, k).round.reached = true
	}
	g.mu.Unlock()
	g.start(opened)
}

// Forget makes whoever comes from now on open a new call of key. Those who wait
// for the present one keep waiting for it.
func (g *Group[K, R]) Forget(key K) {
	g.mu.Lock()
	delete(g.calls, key)
	g.mu.Unlock()
}

// Close turns away, with cache.ErrClosed, whoever comes from now on. It waits
// until all runs have ended or ctx does, and returns how many have not.
func (g *Group[K, R]) Close(ctx context.Context) int {
	g.mu.Lock()
	g.closed = true
	if g.runs > 0 && g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.runs
}
