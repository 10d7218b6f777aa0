// Package promcache shows Prometheus what a cache has counted: it has a collector
// over whatever has cache.Stats, with github.com/prometheus/client_golang.
//
//	prometheus.MustRegister(promcache.New("users", memory, redis, users))
//	prometheus.MustRegister(promcache.New("orders", orderMemory, orderRedis, orders))
//	prometheus.MustRegister(promcache.New("shop", space))
//
// All metrics begin with larder_ and have the labels cache, which is the name given
// to New, and level, which is origin, memory or shared. Caches of different names go
// into one registry. What one source has counted is to be shown once: a space that
// several caches share is best given to a collector of its own.
//
// # Cardinality
//
// No label has a key, a tag or the text of an error. A cache with all three levels
// has about 130 series, however many keys it has. Counters begin at zero wherever
// their kind is expected, so that rate and increase see the first event too; a kind
// that is counted at a level where it was not expected is shown there from then on.
//
// docs/observability.md has a table of the metrics, and docs/observability a
// dashboard and alerts that use them.
package promcache
