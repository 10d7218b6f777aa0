package aside

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/flight"
	"github.com/larder-cache/larder/invalidation"
)

// engine is what a Loader and a Batch have in common: all but the shape of the
// load function.
type engine[K comparable, V any] struct {
	store   cache.Cache[K, V]
	load    func(context.Context, []K) []result[V]
	policy  invalidation.Policy
	o       Options[K, V]
	flights *flight.Group[K, result[V]]
	stores  bool // the policy stores something
	closed  atomic.Bool
}

// result is what the origin says of one key. An absent value has an error too:
// the origin's own.
type result[V any] struct {
	value  V
	err    error
	absent bool
}

func (g *engine[K, V]) init(store cache.Cache[K, V], p invalidation.Policy, o Options[K, V], load func(context.Context, []K) []result[V]) {
	g.store, g.policy, g.o, g.load = store, p, o, load
	if o.Linearizable {
		if err := g.checkStrict(); err != nil {
			panic(err.Error())
		}
		g.store = cache.Strict(store)
	}
	g.stores = p.Stores() || p.Negative > 0
	g.flights = flight.New(g.trip)
}

// Get returns the value of key: from the store if it is there, otherwise from
// the load function, whose errors it returns untouched. What Options.NotFound
// stands for may come from the store too, as that very error.
//
// Callers who ask for the same key at the same time share one load, of which
// each may have the result if it is no older than the call; none waits for more
// than two loads. The load runs on a context that has the values of one of the
// callers', ends after Options.LoadTimeout, and is cancelled when the last
// caller has left. Get itself returns ctx.Err() as soon as ctx ends. A load
// function that panics, or ends its goroutine, gives a *cache.PanicError.
//
// A value that is stale is returned at once and loaded again in the background,
// once at a time.
//
// With a context of cache.Bypass, Get asks the origin, for this caller alone.
//
// The value is shared with other callers: treat it as read-only. A hit costs
// what it costs in the store and allocates nothing. A miss costs a round trip of
// the store before the load and one after it, for which the caller does not
// wait.
func (g *engine[K, V]) Get(ctx context.Context, key K) (V, error) {
	if cache.Bypassed(ctx) && !g.closed.Load() {
		r := g.direct(ctx, []K{key})[0]
		return r.value, r.err
	}
	e, bypass, err := g.ask(ctx, key)
	if e == nil {
		return g.share(ctx, key, bypass, err)
	}
	if e.Absent {
		err = g.o.NotFound
	}
	return e.Value, err // one copy of the value, which may be large
}

// share has the answer loaded, unless err is the answer.
func (g *engine[K, V]) share(ctx context.Context, key K, bypass bool, err error) (V, error) {
	var r result[V]
	if err == nil {
		r, err = g.flights.Do(ctx, key, bypass)
	}
	if err == nil {
		err = r.err
	}
	return r.value, err
}

// ask returns the entry to answer with, if the store has one. bypass is true if
// the store could not be asked, err is what the caller must be told.
func (g *engine[K, V]) ask(ctx context.Context, key K) (e *cache.Entry[V], bypass bool, err error) {
	if g.closed.Load() {
		return nil, false, cache.ErrClosed
	}
	if !g.stores {
		return nil, true, nil
	}
	e, err = g.store.Get(ctx, key)
	if err != nil {
		return nil, true, g.unavailable(ctx, 1, err)
	}
	if e == nil || !g.serves(e) {
		return nil, false, nil
	}
	if stale(e) {
		g.flights.Refresh(ctx, key)
		g.observe(cache.StaleServed, 1, 0, nil)
	}
	return e, false, nil
}

// serves reports whether an entry can be an answer. One that says that there is
// no such value cannot, if nobody has said how to tell the caller.
func (g *engine[K, V]) serves(e *cache.Entry[V]) bool { return !e.Absent || g.o.NotFound != nil }

// stale looks at the clock only for entries that can be stale.
func stale[V any](e *cache.Entry[V]) bool { return e.Fresh < e.Expires && e.Fresh <= cache.Now() }

// result returns what an entry says.
func (g *engine[K, V]) result(e *cache.Entry[V]) result[V] {
	if e.Absent {
		return result[V]{err: g.o.NotFound, absent: true}
	}
	return result[V]{value: e.Value}
}

// unavailable observes that the store could not be asked for n keys, and returns
// the error that the caller must be told: none, unless it is the caller's own
// context, use of a closed store, memory that the user wants refused, or if only
// the store can vouch for an answer.
func (g *engine[K, V]) unavailable(ctx context.Context, n int, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, cache.ErrClosed) || errors.Is(err, cache.ErrApart) {
		return err
	}
	g.observe(cache.Unavailable, n, 0, err)
	if g.o.Linearizable {
		return err
	}
	return nil
}

// Invalidate removes keys from the store and refuses every load of them that is
// under way. It is called after the origin was written. If it returns nil, no Get
// that starts later returns a value that was loaded before. An error means that
// the store may still serve the old values: it is not to be ignored. It costs
// what it costs in the store, and works also after Close.
func (g *engine[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	err := g.store.Invalidate(ctx, keys...)
	for _, k := range keys {
		g.flights.Forget(k) // who comes now need not wait for a load that is in vain
	}
	return err
}

// Close waits until no load, refresh or commit is under way. If ctx ends before
// that, it returns an error that says how many it has left alone; each ends by
// itself after Options.LoadTimeout. From Close on, Get and GetMany return
// cache.ErrClosed. The store stays open. Closing again waits again.
//
// A Loader or Batch that is idle has no goroutines and need not be closed.
func (g *engine[K, V]) Close(ctx context.Context) error {
	g.closed.Store(true)
	if n := g.flights.Close(ctx); n > 0 {
		return fmt.Errorf("larder: closed while %d loads were under way: %w", n, ctx.Err())
	}
	return nil
}

func (g *engine[K, V]) observe(kind cache.Kind, n int, took time.Duration, err error) {
	if g.o.Observer != nil {
		g.o.Observer.Observe(cache.Event{Kind: kind, Cache: g.o.Name, N: n, Took: took, Err: err})
	}
}

// distinctErrors returns nil, the only error untouched, or all of them joined.
// Keys that went together have failed together, with one error.
func distinctErrors(errs []error) error {
	var distinct []error
next:
	for _, err := range errs {
		if err == nil {
			continue
		}
		for _, d := range distinct {
			if errors.Is(d, err) {
				continue next
			}
		}
		distinct = append(distinct, err)
	}
	if len(distinct) == 1 {
		return distinct[0]
	}
	return errors.Join(distinct...)
}
