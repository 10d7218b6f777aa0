// Package otelcache shows OpenTelemetry what a cache does, with its API alone: the
// SDK, and where it exports to, are the program's.
//
//	registration, err := otelcache.Register(meter, "users", memory, redis, users)
//	observer, err := otelcache.Observer(meter)
//
// # Metrics
//
// Register exports what stores and Loaders have counted, Observer records how long
// loads, round trips and invalidations take. Metrics begin with larder. and have the
// attributes cache and level. Translated into names of Prometheus, as exporters do it,
// metrics and attributes are those of package promcache, so that the dashboard and
// the alerts in docs/observability fit both. No attribute has a key, a tag or the
// text of an error. docs/observability.md has a table.
//
// # Spans
//
// Load and LoadMany put a span around a load function, Store around what is asked of
// a store. Spans have no keys, tags or values, only how many there were and what
// became of them. A miss is no error. An error is recorded with its text and with its
// cache.ErrorClass as error.type: a load function that writes keys into its errors
// writes them into traces.
package otelcache
