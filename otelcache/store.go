package otelcache

import (
	"context"
	"errors"
	"reflect"

	"github.com/larder-cache/larder/cache"
	"go.opentelemetry.io/otel/trace"
)

// Store returns store with a span around each Get, GetMany, Reserve, Quarantine,
// Invalidate and Commit, and around each Cancel of a quarantine. They are called "get
// name", "get many name", "reserve name" and so on. It is for stores across a network:
// in memory, a span costs many times what a hit does.
//
// Attributes are larder.keys, how many keys it is about; larder.hit, whether Get found
// an entry; larder.hits, how many keys GetMany or Reserve found one for; larder.busy,
// whether Reserve was told that another process loads them already; and
// larder.stored, larder.refused and larder.passed, how many entries each of the
// outcomes of Commit was for.
//
// Store panics, naming the argument, if tracer or store is nil, if name is empty, or if
// store is from cache.Tiered, whose second level linearizable Loaders could not reach
// any more: trace the levels instead.
func Store[K comparable, V any](tracer trace.Tracer, name string, store cache.Cache[K, V]) cache.Cache[K, V] {
	check("Store", tracer, name)
	if store == nil {
		panic("larder: otelcache.Store: store is nil")
	}
	if reflect.TypeOf(cache.Strict(store)) != reflect.TypeOf(store) {
		panic("larder: otelcache.Store: store is from cache.Tiered: trace its levels")
	}
	return &traced[K, V]{tracing{tracer, name}, store}
}

type traced[K comparable, V any] struct {
	tracing
	store cache.Cache[K, V]
}

func (t *traced[K, V]) Get(ctx context.Context, key K) (*cache.Entry[V], error) {
	ctx, s := t.start(ctx, "get", 1)
	defer s.end()
	e, err := t.store.Get(ctx, key)
	s.done(err, hitKey.Bool(e != nil))
	return e, err
}

func (t *traced[K, V]) GetMany(ctx context.Context, keys []K) (map[K]*cache.Entry[V], error) {
	ctx, s := t.start(ctx, "get many", len(keys))
	defer s.end()
	got, err := t.store.GetMany(ctx, keys)
	s.done(err, hitsKey.Int(len(got)))
	return got, err
}

func (t *traced[K, V]) Reserve(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	ctx, s := t.start(ctx, "reserve", len(slots))
	defer s.end()
	fill, err := t.store.Reserve(ctx, slots...)
	if err != nil {
		if errors.Is(err, cache.ErrBusy) {
			s.done(nil, busyKey.Bool(true))
		} else {
			s.done(err)
		}
		return fill, err
	}
	hits := 0
	for i := range slots {
		if fill.Found(i) != nil {
			hits++
		}
	}
	s.done(nil, hitsKey.Int(hits))
	return &tracedFill[V]{Fill: fill, tracing: t.tracing, slots: len(slots)}, nil
}

func (t *traced[K, V]) Quarantine(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	ctx, s := t.start(ctx, "quarantine", len(slots))
	defer s.end()
	fill, err := t.store.Quarantine(ctx, slots...)
	if s.done(err); err != nil {
		return fill, err
	}
	return &tracedFill[V]{Fill: fill, tracing: t.tracing, slots: len(slots), writer: true}, nil
}

func (t *traced[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	ctx, s := t.start(ctx, "invalidate", len(keys))
	defer s.end()
	err := t.store.Invalidate(ctx, keys...)
	s.done(err)
	return err
}

// tracedFill has Found of the fill that it is around.
type tracedFill[V any] struct {
	cache.Fill[V]
	tracing
	slots  int
	writer bool
}

func (f *tracedFill[V]) Commit(ctx context.Context, entries ...*cache.Entry[V]) ([]cache.Outcome, error) {
	ctx, s := f.start(ctx, "commit", f.slots)
	defer s.end()
	given := make([]bool, len(entries)) // now: the store owns them from here on
	for i, e := range entries {
		given[i] = e != nil
	}
	outcomes, err := f.Fill.Commit(ctx, entries...)
	var n [cache.Vouched + 1]int
	for i, o := range outcomes {
		if int(o) < len(n) && i < len(given) && given[i] { // of no entry, none was refused
			n[o]++
		}
	}
	s.done(err, storedKey.Int(n[cache.Stored]), refusedKey.Int(n[cache.Refused]), passedKey.Int(n[cache.Passed]))
	return outcomes, err
}

// Validate is asked when a load has failed, or has failed before.
func (f *tracedFill[V]) Validate(ctx context.Context) ([]bool, error) {
	ctx, s := f.start(ctx, "validate", f.slots)
	defer s.end()
	valid, err := cache.Validate(ctx, f.Fill)
	s.done(err)
	return valid, err
}

// Cancel of a reader's fill tells nobody anything and has no span.
func (f *tracedFill[V]) Cancel(ctx context.Context) error {
	if !f.writer {
		return f.Fill.Cancel(ctx)
	}
	ctx, s := f.start(ctx, "cancel", f.slots)
	defer s.end()
	err := f.Fill.Cancel(ctx)
	s.done(err)
	return err
}
