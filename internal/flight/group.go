package flight

import (
	"context"
	"errors"
	"sync"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/waitgraph"
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
	// Admit, if it is set before the first call, is asked before a Refresh opens
	// anything. It is called with the Group's lock held. The trip of a Refresh that
	// it has admitted says so: see Trip.Refreshes.
	Admit func() bool
	// Name, if it is set before the first call, names the load of keys in errors.
	Name   func(keys []K) string
	work   Work[K, R]
	mu     sync.Mutex
	calls  map[K]*call[K, R]
	trips  map[*Trip[K, R]]struct{} // that are under way, one for each run
	closed bool
}

// New returns a Group that does work.
func New[K comparable, R any](work Work[K, R]) *Group[K, R] {
	return &Group[K, R]{work: work, calls: map[K]*call[K, R]{}, trips: map[*Trip[K, R]]struct{}{}}
}

// ErrPatience is the cause of a context with which a caller wants an answer soon,
// but wants the call to go on: its end cancels nothing.
var ErrPatience = errors.New("larder: the caller has another answer")

// Do returns the result for key. It joins the call that is on its way, or opens
// one. bypass says that the caller could not reach the store: if nobody in a
// round could, Depart says so. Do returns ctx.Err() as soon as ctx ends, or
// ErrPatience if that is the cause.
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
	within, err := g.begin(ctx, t)
	if err != nil {
		var none R
		return none, err
	}
	defer within.End()
	return g.wait(ctx, t)
}

// DoMany is Do for distinct keys; those that it opens go together. Results and
// errors are in the order of keys. Those of which hasty says so are waited for
// with soon, which ends no later than ctx.
func (g *Group[K, R]) DoMany(ctx, soon context.Context, keys []K, hasty func(K) bool, bypass bool) ([]R, []error) {
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
		var within waitgraph.Wait
		within, errs[i] = g.begin(ctx, t)
		defer within.End()
	}
	for i, t := range tickets { // first those that take as long as they take
		if errs[i] == nil && (hasty == nil || !hasty(keys[i])) {
			results[i], errs[i] = g.wait(ctx, t)
		}
	}
	for i, t := range tickets {
		if errs[i] == nil && hasty != nil && hasty(keys[i]) {
			results[i], errs[i] = g.wait(soon, t)
		}
	}
	return results, errs
}

// Refresh opens a call of those keys that are not on their way, for nobody. It
// does not end because those who join it have left. causes[i] is what Trip.Cause
// says of keys[i]. Refresh returns how many it has opened and how many were not
// admitted.
func (g *Group[K, R]) Refresh(ctx context.Context, keys []K, causes []any) (opened, refused int) {
	var r *run[K, R]
	g.mu.Lock()
	for i, k := range keys {
		if g.closed || g.calls[k] != nil {
			continue
		}
		if r == nil && refused == 0 && (g.Admit == nil || g.Admit()) {
			r = g.newRun(ctx)
			r.refresh, r.kept = true, true
		}
		if r == nil {
			refused++
			continue
		}
		c := g.open(r, ctx, k)
		c.cause, c.round.reached = causes[i], true
		opened++
	}
	g.mu.Unlock()
	g.start(r)
	return opened, refused
}

// Forget makes whoever comes from now on open a new call of key. Those who wait
// for the present one keep waiting for it.
func (g *Group[K, R]) Forget(key K) {
	g.mu.Lock()
	delete(g.calls, key)
	g.mu.Unlock()
}

// Wait waits until all trips that are under way when it is called have ended, or ctx
// does, and returns how many have not.
func (g *Group[K, R]) Wait(ctx context.Context) (left int) {
	g.mu.Lock()
	ended := make([]<-chan struct{}, 0, len(g.trips))
	for t := range g.trips {
		ended = append(ended, t.ended)
	}
	g.mu.Unlock()
	return Await(ctx, ended)
}

// Await waits until all channels are closed, or ctx ends, and returns how many are not.
func Await(ctx context.Context, all []<-chan struct{}) (left int) {
	for _, c := range all {
		select {
		case <-c:
		case <-ctx.Done():
			if !done(c) { // a select chooses by chance
				left++
			}
		}
	}
	return left
}

// Close turns away, with cache.ErrClosed, whoever comes from now on, and cancels the
// trips that go on for nobody because of Trip.Finish. It waits until all runs have ended or
// ctx does, and returns how many have not.
func (g *Group[K, R]) Close(ctx context.Context) (left int) {
	g.mu.Lock()
	g.closed = true
	for t := range g.trips {
		g.abandon(t.run)
	}
	g.mu.Unlock()
	for {
		if g.Wait(ctx); ctx.Err() != nil {
			break
		}
		g.mu.Lock()
		left = len(g.trips)
		g.mu.Unlock()
		if left == 0 { // else those who wait have another round
			return 0
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.trips)
}
