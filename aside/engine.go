package aside

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	g.stores = p.Stores() || p.Negative > 0
	g.flights = flight.New(g.trip)
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
		return nil, true, g.unavailable(ctx, err)
	}
	if e == nil || !g.serves(e) {
		return nil, false, nil
	}
	g.keepFresh(ctx, key, e)
	return e, false, nil
}

func (g *engine[K, V]) askMany(ctx context.Context, keys []K) (entries map[K]*cache.Entry[V], bypass bool, err error) {
	if g.closed.Load() {
		return nil, false, cache.ErrClosed
	}
	if !g.stores {
		return nil, true, nil
	}
	entries, err = g.store.GetMany(ctx, keys)
	if err != nil {
		if bypass, err = true, g.unavailable(ctx, err); err != nil {
			return nil, true, err
		}
	}
	usable := entries
	for k, e := range entries {
		if g.serves(e) {
			g.keepFresh(ctx, k, e)
			continue
		}
		if len(usable) == len(entries) {
			usable = make(map[K]*cache.Entry[V], len(entries))
			for k, e := range entries {
				usable[k] = e
			}
		}
		delete(usable, k)
	}
	return usable, bypass, nil
}

// serves reports whether an entry can be an answer. One that says that there is
// no such value cannot, if nobody has said how to tell the caller.
func (g *engine[K, V]) serves(e *cache.Entry[V]) bool { return !e.Absent || g.o.NotFound != nil }

// keepFresh starts loading a value that is stale again.
func (g *engine[K, V]) keepFresh(ctx context.Context, key K, e *cache.Entry[V]) {
	if e.Fresh < e.Expires && e.Fresh <= cache.Now() {
		g.flights.Refresh(ctx, key)
		g.observe(cache.StaleServed, 0, nil)
	}
}

// unavailable observes that the store could not be asked, and returns the error
// that the caller must be told: none, unless it is the caller's own.
func (g *engine[K, V]) unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, cache.ErrClosed) {
		return err
	}
	g.observe(cache.Unavailable, 0, err)
	return nil
}

func (g *engine[K, V]) answer(e *cache.Entry[V], err error) (v V, _ error) {
	switch {
	case err != nil:
		return v, err
	case e.Absent:
		return v, g.o.NotFound
	}
	return e.Value, nil
}

// Invalidate removes keys from the store and refuses every load of them that is
// under way. It is called after the origin was written. If it returns nil, no Get
// that starts later returns a value that was loaded before. An error means that
// the store may still serve the old values: it is not to be ignored.
func (g *engine[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	err := g.store.Invalidate(ctx, keys...)
	for _, k := range keys {
		g.flights.Forget(k) // who comes now need not wait for a load that is in vain
	}
	return err
}

// Close waits until no load is under way, or ctx ends, which is an error. From
// then on everything returns cache.ErrClosed. The store stays open. A Loader or
// Batch that is idle has no goroutines and need not be closed.
func (g *engine[K, V]) Close(ctx context.Context) error {
	g.closed.Store(true)
	if n := g.flights.Idle(ctx); n > 0 {
		return fmt.Errorf("larder: closed while %d loads were under way: %w", n, ctx.Err())
	}
	return nil
}

func (g *engine[K, V]) observe(kind cache.Kind, took time.Duration, err error) {
	if g.o.Observer != nil {
		g.o.Observer.Observe(cache.Event{Kind: kind, Cache: g.o.Name, N: 1, Took: took, Err: err})
	}
}

// keyTags returns the tags known from the key alone.
func (g *engine[K, V]) keyTags(key K) []string {
	if g.o.KeyTags == nil {
		return nil
	}
	return unique(g.o.KeyTags(key))
}

// entry returns what is to be stored of a result, or nil.
func (g *engine[K, V]) entry(key K, r result[V], tags []string, took time.Duration) *cache.Entry[V] {
	e := &cache.Entry[V]{Cost: took, Absent: r.absent}
	now := cache.Now()
	switch {
	case r.absent && g.policy.Negative > 0:
		e.Tags, e.Fresh = tags, g.policy.Absence(now)
		e.Expires = e.Fresh
	case !r.absent && g.policy.Stores():
		e.Value, e.Tags = r.value, tags
		if g.o.Tags != nil {
			e.Tags = unique(slices.Concat(tags, g.o.Tags(key, r.value)))
		}
		e.Fresh, e.Expires = g.policy.Value(now)
	default:
		return nil
	}
	return e
}

// unique returns tags without repetitions.
func unique(tags []string) []string {
	var out []string
	for _, t := range tags {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
