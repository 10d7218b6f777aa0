package writethrough

import (
	"context"

	"github.com/larder-cache/larder/cache"
)

// Delete decorates a function that deletes from the origin. The function it
// returns has the same signature and the promises of Writer.Write: the value is
// gone from the cache before it is gone from the origin, and does not come back.
// A delete whose quarantine fails is not started. The origin has 30s for it.
// Delete panics if store or del is nil. The function costs two round trips to
// the store, beside the delete.
func Delete[K comparable, V any](store cache.Cache[K, V], del func(context.Context, K) error) func(context.Context, K) error {
	switch {
	case store == nil:
		panic("larder: writethrough.Delete: store is nil")
	case del == nil:
		panic("larder: writethrough.Delete: del is nil")
	}
	return func(ctx context.Context, key K) error {
		t := through[K, V]{
			store: store, slot: cache.Slot[K]{Key: key}, timeout: defaultTimeout,
			observe: func(error) {},
			write: func(ctx context.Context) (*cache.Entry[V], []K, error) {
				return nil, nil, del(ctx, key)
			},
			tags: func(context.Context, bool) error { return nil },
		}
		return t.run(ctx)
	}
}
