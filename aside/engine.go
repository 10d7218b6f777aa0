package aside

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/flight"
	"github.com/larder-cache/larder/internal/meter"
	"github.com/larder-cache/larder/internal/validkey"
	"github.com/larder-cache/larder/invalidation"
)

// engine is what a Loader and a Batch have in common: all but the shape of the
// load function.
type engine[K comparable, V any] struct {
	store    cache.Cache[K, V]
	load     func(context.Context, []K) []result[V]
	policy   invalidation.Policy
	o        Options[K, V]
	flights  *flight.Group[K, result[V]]
	meter    meter.Meter
	stores   bool          // the policy stores something
	ahead    bool          // it has values loaded before their time
	single   bool          // the load function is one for a single key
	check    func(K) error // nil if every key is valid
	finishes bool          // loads go on for the cache when their callers have left
	closed   atomic.Bool

	limits   *limiter
	failures failures[K]
	adrift   adrift
	byways   atomic.Pointer[byways[K, V]]
}

// result is what the origin says of one key. An absent value has an error too:
// the origin's own.
type result[V any] struct {
	value  V
	err    error
	absent bool
	times
}

func (g *engine[K, V]) init(store cache.Cache[K, V], p invalidation.Policy, o Options[K, V], load func(context.Context, []K) []result[V]) {
	g.store, g.policy, g.o, g.load, g.check = store, p, o, load, validkey.Check[K]()
	if o.Linearizable {
		if err := g.checkStrict(); err != nil {
			panic(err.Error())
		}
		g.store = cache.Strict(store)
	}
	g.stores = p.Stores() || p.Negative > 0
	g.finishes = g.stores && !o.DisableBackgroundCompletion
	g.ahead = p.Early > 0 || p.Ahead > 0
	g.limits = newLimiter(o.Limits)
	g.flights = g.group(g.rounds(inTurn))
	g.flights.Admit = g.limits.refresh
}

// Get returns the value of key: from the store if it is there, otherwise from
// the load function, whose errors it returns untouched. What Options.NotFound
// stands for may come from the store too, as that very error.
//
// Callers who ask for the same key at the same time share one load, of which
// each may have the result, or the error, if it is no older than the call; none waits
// for more than two loads. The load runs on a goroutine of its own and on a context that
// has the values of one of the callers' and ends after Options.LoadTimeout: do not use
// in it what ends with a request. When the last caller has left, it goes on for the
// cache, see Options.DisableBackgroundCompletion. Get itself returns ctx.Err() as soon as ctx ends, and an error that wraps
// cache.ErrLoadTimeout when a load has had its time, whether it has ended or not. A
// load function that panics, or ends its goroutine, gives a *cache.PanicError.
//
// A value that is stale is returned at once and loaded again in the background,
// once at a time. Within Policy.IfError, one that is older is returned if the load
// fails, takes longer than Options.SoftTimeout or is not begun. After a load has
// failed, others have its error until the back-off of the Policy is over, but never
// that of a load which began before something was invalidated on which the value
// depends and which Get began after. See Limits for loads that are refused.
//
// With a context of cache.Bypass, Get asks the origin, for this caller alone. See
// Options.Switch for what else may keep it from the cache, and Lookup for the facts
// of a value and for wishes of one caller.
//
// The value is shared with other callers: treat it as read-only. A hit costs
// what it costs in the store and allocates nothing. A miss costs a round trip of
// the store before the load and one after it, for which the caller does not
// wait. If the load fails, it costs one more if the value may then be stale, and one
// if others have come during the load.
func (g *engine[K, V]) Get(ctx context.Context, key K) (V, error) {
	if g.check != nil {
		if err := g.invalid(g.check(key)); err != nil {
			var none V
			return none, err
		}
	}
	if cache.Bypassed(ctx) && !g.closed.Load() {
		r := g.direct(ctx, []K{key})[0]
		return r.value, r.err
	}
	if mode := g.mode(key); mode != cache.ModeOn {
		return g.aroundCache(ctx, key, mode)
	}
	e, s, err := g.ask(ctx, key)
	if err == nil && s.waits() {
		var r result[V]
		if e, r, err = g.share(ctx, key, Wish{}, e, s); e == nil {
			return r.value, cmp.Or(err, r.err)
		}
	}
	switch {
	case e == nil:
		var none V
		return none, err
	case e.Absent:
		return e.Value, g.o.NotFound
	}
	return e.Value, nil // one copy of the value, which may be large
}

// ask returns what the store has of a key, and what may be done with it. What is
// or soon will be past its time, it has loaded again. err is what the caller must
// be told.
func (g *engine[K, V]) ask(ctx context.Context, key K) (e *cache.Entry[V], s standing, err error) {
	if g.closed.Load() {
		return nil, beyond, cache.ErrClosed
	}
	if !g.stores {
		return nil, beyond, nil
	}
	e, err = g.store.Get(ctx, key)
	if err != nil {
		return nil, beyond, g.unavailable(ctx, 1, err)
	}
	s = g.judge(e)
	if s == stale || s == due {
		g.renew(ctx, []K{key}, []any{cause(e, s)})
	}
	if s == stale {
		g.observe(cache.StaleServed, 1, 0, nil)
	}
	return e, s, nil
}

// unavailable observes that the store could not be asked for n keys, and returns
// the error that the caller must be told: none, unless it is the caller's own
// context, use of a closed store, memory that the user wants refused, or if only
// the store can vouch for an answer.
func (g *engine[K, V]) unavailable(ctx context.Context, n int, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if contain.Is(err, cache.ErrClosed) || contain.Is(err, cache.ErrApart) || contain.Is(err, cache.ErrInvalidKey) {
		return err
	}
	g.observe(cache.Unavailable, n, 0, err)
	if g.o.Linearizable {
		return err
	}
	return nil
}

// Invalidate removes keys from the store and refuses every load of them that is
// under way; the next is begun although one has just failed. It is called after the origin was written. If it returns nil, no Get
// that starts later returns a value that was loaded before. An error means that
// the store may still serve the old values: it is not to be ignored. It costs
// what it costs in the store, and works also after Close.
func (g *engine[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	began := time.Now()
	keys, wrong := validkey.Valid(g.check, keys)
	if len(keys) == 0 && wrong != nil {
		return wrong
	}
	defer g.forget(keys) // also if the store panics, or an Observer ends the goroutine
	err := cmp.Or(g.store.Invalidate(ctx, keys...), wrong)
	g.forget(keys)
	if len(keys) > 0 {
		g.observe(cache.Invalidated, len(keys), time.Since(began), err)
	}
	return err
}

// forget ends back-offs, and lets nobody join loads that are in vain.
func (g *engine[K, V]) forget(keys []K) {
	g.failures.end(keys...)
	for _, k := range keys {
		g.flights.Forget(k)
	}
	if b := g.byways.Load(); b != nil {
		b.forget(keys)
	}
}

// Wait waits until all that was under way when it was called is over: loads, those in
// the background too, what they store, and load functions that LoadTimeout has left
// alone. So after Get, GetMany or Lookup has returned and then Wait, the load function
// has returned as often as these calls have had it called, and what could be stored is
// stored. It does not wait for what begins later, and so it ends although others go on
// reading; nor for loads with cache.Bypass, for which their callers wait. If ctx ends first, it returns an error that says how many loads are still
// under way. A load function must not call Wait of its own Loader or Batch.
//
// It is for tests, and for a process that has to know that its cache is warm. It costs
// nothing when nothing is under way, and works also after Close.
func (g *engine[K, V]) Wait(ctx context.Context) error {
	n := g.flights.Wait(ctx)
	if b := g.byways.Load(); b != nil {
		n += b.wait(ctx)
	}
	if n += g.adrift.wait(ctx); n > 0 { // after the others, which may have left some
		return fmt.Errorf("larder: Wait: %d loads are still under way: %w", n, ctx.Err())
	}
	return nil
}

// Close waits until no load, refresh or commit is under way. If ctx ends before
// that, it returns an error that says how many it has left alone; each ends by
// itself after Options.LoadTimeout, but for those whose load function does not
// end with its context, of which it says how many there are too. Loads that nobody
// waits for any more, see Options.DisableBackgroundCompletion, it cancels. From Close on, Get,
// GetMany and Lookup return cache.ErrClosed. The store stays open. Closing again waits
// again.
//
// A Loader or Batch that is idle has no goroutines and need not be closed.
func (g *engine[K, V]) Close(ctx context.Context) error {
	g.closed.Store(true)
	n, deaf := g.flights.Close(ctx)+g.around().close(ctx), g.adrift.wait(ctx)
	switch {
	case deaf > 0:
		return fmt.Errorf("larder: closed while %d loads were under way, of which %d do not end with their context: %w", n+deaf, deaf, ctx.Err())
	case n > 0:
		return fmt.Errorf("larder: closed while %d loads were under way: %w", n, ctx.Err())
	}
	return nil
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
			if contain.Is(d, err) {
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
