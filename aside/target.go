package aside

import "github.com/larder-cache/larder/invalidation"

// Key returns keys as a target of invalidation.Domain.Mutate: what this Loader or
// Batch reads of them is in quarantine while the origin changes.
func (g *engine[K, V]) Key(keys ...K) invalidation.Target { return invalidation.Keys(g.store, keys...) }
