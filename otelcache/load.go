package otelcache

import (
	"context"
	"errors"

	"github.com/larder-cache/larder/cache"
	"go.opentelemetry.io/otel/trace"
)

// Load returns a load function for aside.New that calls load within a span "load
// name", which is the parent of what load traces. Its attribute larder.outcome is
// loaded, absent or not modified; any other error than the following is recorded.
//
// absent are the errors with which the origin says that it has no such value, as in
// aside.Options.NotFound; cache.ErrNotFound is one of them. Errors are matched with
// errors.Is. Load panics, naming the argument, if tracer or load is nil or name is
// empty.
//
// The span is a child of that of one of the callers who wait for the load.
func Load[K comparable, V any](tracer trace.Tracer, name string, load func(context.Context, K) (V, error), absent ...error) func(context.Context, K) (V, error) {
	check("Load", tracer, name)
	if load == nil {
		panic("larder: otelcache.Load: load is nil")
	}
	t := tracing{tracer, name}
	return func(ctx context.Context, key K) (V, error) {
		ctx, s := t.start(ctx, "load", 1)
		defer s.end()
		v, err := load(ctx, key)
		s.loaded(err, absent)
		return v, err
	}
}

// loaded says what became of a load.
func (s *span) loaded(err error, absent []error) {
	isAbsent := errors.Is(err, cache.ErrNotFound)
	for _, a := range absent {
		isAbsent = isAbsent || errors.Is(err, a)
	}
	switch {
	case err == nil:
		s.done(nil, outcomeKey.String("loaded"))
	case isAbsent:
		s.done(nil, outcomeKey.String("absent"))
	case errors.Is(err, cache.ErrNotModified):
		s.done(nil, outcomeKey.String("not modified"))
	default:
		s.done(err)
	}
}

// LoadMany returns a load function for aside.NewBatch that calls load within a span
// "load many name". Its attributes are larder.keys, how many keys the origin is asked
// for, and larder.found, how many of them it has. An error is recorded. LoadMany
// panics, naming the argument, if tracer or load is nil or name is empty.
func LoadMany[K comparable, V any](tracer trace.Tracer, name string, load func(context.Context, []K) (map[K]V, error)) func(context.Context, []K) (map[K]V, error) {
	check("LoadMany", tracer, name)
	if load == nil {
		panic("larder: otelcache.LoadMany: load is nil")
	}
	t := tracing{tracer, name}
	return func(ctx context.Context, keys []K) (map[K]V, error) {
		ctx, s := t.start(ctx, "load many", len(keys))
		defer s.end()
		found, err := load(ctx, keys)
		s.done(err, foundKey.Int(len(found)))
		return found, err
	}
}
