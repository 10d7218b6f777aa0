package aside

import (
	"time"

	"github.com/larder-cache/larder/cache"
)

// Stats returns what the Loader or Batch has counted: loads, how long they took and
// how they failed, stale values that were served, invalidations, and how often the
// store could not be asked. Hits and misses are not among it, since the stores count
// them, and to count a hit twice would cost as much as a third of it.
func (g *engine[K, V]) Stats() cache.Stats {
	out := g.meter.Stats()
	out.Cache, out.Level = g.o.Name, cache.Origin
	return out
}

// observe counts an event and lets the Observer know.
func (g *engine[K, V]) observe(kind cache.Kind, n int, took time.Duration, err error) {
	e := cache.Event{Kind: kind, Cache: g.o.Name, Level: cache.Origin, N: n, Took: took, Err: err}
	g.meter.Tell(g.o.Observer, e)
}
