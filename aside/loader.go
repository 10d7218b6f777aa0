package aside

import (
	"context"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// Loader reads values through a cache, one at a time. Its Get has the signature
// of the load function. Its methods may be called at once from many goroutines.
type Loader[K comparable, V any] struct{ engine[K, V] }

// New returns a Loader that keeps what load returns in store, for as long as p
// says, counted from the end of the load. It panics, naming the argument or
// field, if store or load is nil, if p or o make no sense, or if Policy.Negative
// is set without Options.NotFound.
//
// What load returns is shared with the cache and with all callers: if V holds pointers,
// slices or maps, nobody may change what they lead to, neither load afterwards nor a
// caller. cachetest.Unchanged finds such changes in tests.
func New[K comparable, V any](store cache.Cache[K, V], load func(context.Context, K) (V, error), p invalidation.Policy, o *Options[K, V]) *Loader[K, V] {
	opts, p := check("New", store == nil, load == nil, p, o)
	if p.Negative > 0 && opts.NotFound == nil {
		panic("larder: aside.New: Policy.Negative is set, but Options.NotFound is nil: name the error with which the origin says that there is no such value")
	}
	l := &Loader[K, V]{}
	l.single = true
	l.init(store, p, opts, func(ctx context.Context, keys []K) []result[V] {
		v, err := load(ctx, keys[0]) // nobody opens a run of several
		return []result[V]{{value: v, err: err, absent: l.absence(ctx, err)}}
	})
	return l
}
