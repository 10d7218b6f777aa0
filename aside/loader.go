package aside

import (
	"context"
	"errors"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// Loader reads values through a cache, one at a time. Its methods may be called
// at once from many goroutines.
type Loader[K comparable, V any] struct{ engine[K, V] }

// New returns a Loader that keeps what load returns in store, for as long as p
// says. It panics, naming the argument or field, if store or load is nil, if p
// makes no sense, or if Policy.Negative is set without Options.NotFound.
func New[K comparable, V any](store cache.Cache[K, V], load func(context.Context, K) (V, error), p invalidation.Policy, o *Options[K, V]) *Loader[K, V] {
	opts := check("New", store == nil, load == nil, p, o)
	if p.Negative > 0 && opts.NotFound == nil {
		panic("larder: aside.New: Policy.Negative is set, but Options.NotFound is nil: name the error with which the origin says that there is no such value")
	}
	l := &Loader[K, V]{}
	l.init(store, p, opts, func(ctx context.Context, keys []K) []result[V] {
		v, err := load(ctx, keys[0])
		absent := err != nil && opts.NotFound != nil && errors.Is(err, opts.NotFound)
		return []result[V]{{value: v, err: err, absent: absent}}
	})
	return l
}

// Get returns the value of key: from the store if it is there, otherwise from
// the load function, whose errors it returns untouched. It has the signature of
// the load function.
//
// Callers who ask for the same key at the same time share one load, of which
// each may have the result if it is no older than the call; none waits for more
// than two loads. The load runs on a context that has the values of the first
// caller's, ends after Options.LoadTimeout, and is cancelled when the last
// caller has left. Get itself returns ctx.Err() as soon as ctx ends. A load
// function that panics gives a *cache.PanicError.
//
// The value is shared with other callers: treat it as read-only. A hit costs
// what it costs in the store and allocates nothing.
func (l *Loader[K, V]) Get(ctx context.Context, key K) (V, error) {
	e, bypass, err := l.ask(ctx, key)
	if e != nil || err != nil {
		return l.answer(e, err)
	}
	r, err := l.flights.Do(ctx, key, bypass)
	if err != nil {
		return r.value, err
	}
	return r.value, r.err
}
