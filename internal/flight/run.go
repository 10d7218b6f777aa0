package flight

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/waitgraph"
)

// run is the keys that go together. All but ctx is guarded by the Group's lock.
type run[K comparable, R any] struct {
	calls   []*call[K, R]
	trip    *Trip[K, R]      // that is under way
	target  waitgraph.Target // for those who wait within other loads
	ctx     context.Context  // of the trip that is under way
	cancel  context.CancelFunc
	refresh bool // the trip under way is for nobody
	kept    bool // it goes on although nobody waits for it
	finish  bool // it goes on when everybody who has waited for it has left, until Close
	waiters int  // without an answer, over all keys
	flying  int  // keys that have not landed
}

var errUnanswered = errors.New("larder: a load has ended without an answer")

// newRun returns a run without keys. The lock is held, here and in what follows
// up to start.
func (g *Group[K, R]) newRun(ctx context.Context) *run[K, R] {
	r := &run[K, R]{}
	g.detach(r, ctx)
	return r
}

// detach gives the run a new trip, and a context that has the values of ctx and an
// end of its own.
func (g *Group[K, R]) detach(r *run[K, R], ctx context.Context) {
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.trip = &Trip[K, R]{group: g, run: r, ended: make(chan struct{})}
	g.trips[r.trip] = struct{}{}
	r.target.Under(&r.trip.load, r.trip)
}

func (g *Group[K, R]) open(r *run[K, R], ctx context.Context, key K) *call[K, R] {
	c := &call[K, R]{key: key, run: r, round: newRound[R](ctx)}
	r.calls = append(r.calls, c)
	r.flying++
	g.calls[key] = c
	return c
}

// abandon cancels a trip that nobody waits for while it is asking the origin,
// and lets newcomers open a new call; unless it is to be finished.
func (g *Group[K, R]) abandon(r *run[K, R]) {
	if r.waiters > 0 || r.kept || r.flying == 0 || r.finish && !g.closed {
		return
	}
	r.cancel()
	for _, c := range r.calls {
		if g.calls[c.key] == c && c.round.phase < landed {
			delete(g.calls, c.key)
		}
	}
}

// start sets a new run going, if there is one.
func (g *Group[K, R]) start(r *run[K, R]) {
	if r != nil {
		r.trip.calls = r.calls
		go g.fly(r.trip)
	}
}

// fly makes one round of some keys of a run, and has the next one made if
// somebody waits for it. Each round has a goroutine of its own, since work may
// end it.
func (g *Group[K, R]) fly(t *Trip[K, R]) {
	returned := false
	defer func() {
		err := errUnanswered
		if !returned {
			err = &cache.PanicError{Value: recover(), Stack: debug.Stack()}
		}
		t.Fail(err)
		if next := g.finish(t); next != nil {
			go g.fly(next)
		}
	}()
	g.work(waitgraph.With(t.run.ctx, &t.load), t)
	returned = true
}

// finish settles what has not settled and returns the trip of the calls that need
// another round, or nil. The others are over.
func (g *Group[K, R]) finish(t *Trip[K, R]) *Trip[K, R] {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := t.run
	r.cancel()
	r.refresh, r.kept, r.finish = false, false, false // what comes now is for those who wait
	var next []*call[K, R]
	for _, c := range t.calls {
		g.settle(c, false)
		if n := c.round.next; n != nil && n.early > 0 {
			c.round = n
			r.flying++
			next = append(next, c)
		} else if g.calls[c.key] == c {
			delete(g.calls, c.key)
		}
	}
	close(t.ended)
	delete(g.trips, t)
	if next == nil {
		r.target.Under(nil, nil)
		return nil
	}
	g.detach(r, next[0].round.ctx)
	r.trip.calls = next
	return r.trip
}
