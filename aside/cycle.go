package aside

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/larder-cache/larder/cache"
)

// mostNamed is how many keys are in the name of a load.
const mostNamed = 3

// loadName names the load of keys in errors, such as "users[42]".
func (g *engine[K, V]) loadName(keys []K) string {
	more := ""
	if len(keys) > mostNamed {
		more = fmt.Sprintf(" and %d more", len(keys)-mostNamed)
		keys = keys[:mostNamed]
	}
	return cmp.Or(g.o.Name, "a Loader") + fmt.Sprint(keys) + more
}

type aloneKey[K comparable, V any] struct{ g *engine[K, V] }

// alone returns the context of a load for one caller alone. It is an error that the load
// is within one of the same kind that has one of the keys, which would go on for ever.
func (g *engine[K, V]) alone(ctx context.Context, keys []K) (context.Context, error) {
	outer, _ := ctx.Value(aloneKey[K, V]{g}).([]K)
	for _, k := range keys {
		if slices.Contains(outer, k) {
			return nil, fmt.Errorf("%w: %s -> %s, both past the cache", cache.ErrLoadCycle, g.loadName(outer), g.loadName(keys))
		}
	}
	return context.WithValue(ctx, aloneKey[K, V]{g}, append(slices.Clip(outer), keys...)), nil
}
