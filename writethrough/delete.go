package writethrough

import (
	"context"

	"github.com/larder-cache/larder/cache"
)

// Delete decorates a function that deletes from the origin. The function it
// returns has the same signature and the promises of Writer.Write: the value is
// gone from the cache before it is gone from the origin, and does not come back.
// A write whose quarantine fails is not started. It panics if store or del is
// nil.
func Delete[K comparable, V any](store cache.Cache[K, V], del func(context.Context, K) error) func(context.Context, K) error {
	switch {
	case store == nil:
		panic("larder: writethrough.Delete: store is nil")
	case del == nil:
		panic("larder: writethrough.Delete: del is nil")
	}
	return func(ctx context.Context, key K) error {
		return through(ctx, store, cache.Slot[K]{Key: key}, false, defaultTimeout, func(ctx context.Context) (*cache.Entry[V], []K, error) {
			return nil, nil, del(ctx, key)
		})
	}
}
