package aside

import (
	"context"
	"slices"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/validkey"
	"github.com/larder-cache/larder/invalidation"
)

// Batch reads values through a cache, many at a time or one. Its GetMany has the
// signature of the load function. Its methods may be called at once from many
// goroutines.
type Batch[K comparable, V any] struct{ engine[K, V] }

// NewBatch returns a Batch that keeps what load returns in store, for as long as
// p says, counted from the end of the load. load returns the values that the
// origin has; a key that is missing from its answer is not found, and one that
// nobody asked for is ignored. It may return some values together with an error,
// which is then that of the other keys. NewBatch panics as New does, but
// Options.NotFound may always be nil.
//
// Calls are shared within one Batch. Where keys are read one at a time too, use
// its Get, and no Loader beside it.
func NewBatch[K comparable, V any](store cache.Cache[K, V], load func(context.Context, []K) (map[K]V, error), p invalidation.Policy, o *Options[K, V]) *Batch[K, V] {
	opts, p := check("NewBatch", store == nil, load == nil, p, o)
	if opts.NotFound == nil {
		opts.NotFound = cache.ErrNotFound
	}
	b := &Batch[K, V]{}
	b.init(store, p, opts, func(ctx context.Context, keys []K) []result[V] {
		values, err := load(ctx, slices.Clone(keys)) // which load may sort
		results := make([]result[V], len(keys))
		for i, k := range keys {
			v, ok := values[k]
			switch {
			case ok:
				results[i].value = v
			case err != nil:
				results[i].err = err
			default:
				results[i] = result[V]{err: opts.NotFound, absent: true}
			}
		}
		return results
	})
	return b
}

// GetMany returns the values of those keys that the origin has; it is no error
// that others are missing. It asks the store once, joins loads of these keys
// that are on their way, and asks the origin once for all others, with the same
// promises as Get. If some of the keys fail, it returns the values of the rest
// together with the error, or the different errors joined.
//
// It costs three round trips of the store, whatever the number of keys: one that
// reads and, if something is missing, one before the load and one after it, for
// which the caller does not wait.
func (b *Batch[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	keys, err := validkey.Valid(b.check, keys)
	if err == nil {
		return b.getAll(ctx, distinct.Of(keys))
	}
	b.invalid(err)
	if len(keys) == 0 {
		return map[K]V{}, err
	}
	values, err1 := b.getAll(ctx, distinct.Of(keys))
	return values, distinctErrors([]error{err, err1})
}

// getAll is GetMany of distinct keys that are valid.
func (b *Batch[K, V]) getAll(ctx context.Context, keys []K) (map[K]V, error) {
	if cache.Bypassed(ctx) && len(keys) > 0 && !b.closed.Load() {
		return b.directMany(ctx, keys)
	}
	if parts := b.modes(keys); parts != nil {
		return b.aroundMany(ctx, parts)
	}
	return b.getMany(ctx, keys)
}

func (b *Batch[K, V]) getMany(ctx context.Context, keys []K) (map[K]V, error) {
	entries, spares, bypass, err := b.askMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	values := make(map[K]V, len(keys))
	missing := make([]K, 0, len(keys)-len(entries))
	for _, k := range keys {
		if e := entries[k]; e == nil {
			missing = append(missing, k)
		} else if !e.Absent {
			values[k] = e.Value
		}
	}
	if len(missing) == 0 {
		return values, nil
	}
	if missing = b.spareMany(missing, spares, values); len(missing) == 0 {
		return values, nil
	}
	results, errs := b.shareMany(ctx, missing, spares, bypass)
	return values, collect(values, missing, results, errs)
}

// spareMany puts into values what is spare of keys that rest, and returns the others.
func (b *Batch[K, V]) spareMany(keys []K, spares map[K]*cache.Entry[V], values map[K]V) []K {
	if len(spares) == 0 || b.failures.n.Load() == 0 {
		return keys
	}
	awake := make([]K, 0, len(keys))
	var why []error
	for _, k := range keys {
		e := spares[k]
		var err error
		if e != nil {
			err = b.rests(k)
		}
		if err == nil {
			awake = append(awake, k)
			continue
		}
		why = append(why, err)
		delete(spares, k)
		if !e.Absent {
			values[k] = e.Value
		}
	}
	if len(why) > 0 {
		b.observe(cache.StaleOnError, len(why), 0, distinctErrors(why)) // read just now
	}
	return awake
}

// collect puts the values that the origin has into values, and returns the errors of
// the other keys.
func collect[K comparable, V any](values map[K]V, keys []K, results []result[V], errs []error) error {
	for i, r := range results {
		if errs[i] == nil && !r.absent {
			values[keys[i]] = r.value
		}
	}
	return distinctErrors(errs)
}

// askMany is ask for several keys: entries are those to be served, spares those to be
// served if they cannot be loaded again.
func (b *Batch[K, V]) askMany(ctx context.Context, keys []K) (entries, spares map[K]*cache.Entry[V], bypass bool, err error) {
	if b.closed.Load() {
		return nil, nil, false, cache.ErrClosed
	}
	if !b.stores || len(keys) == 0 {
		return nil, nil, true, nil
	}
	entries, err = b.store.GetMany(ctx, keys)
	if err != nil {
		if err = b.unavailable(ctx, len(keys)-len(entries), err); err != nil {
			return nil, nil, true, err
		}
		bypass = true
	}
	var again []K
	var causes []any
	old := 0
	for k, e := range entries {
		s := b.judge(e)
		switch s {
		case stale, due:
			again, causes = append(again, k), append(causes, cause(e, s))
		case spare:
			if spares == nil {
				spares = map[K]*cache.Entry[V]{}
			}
			spares[k] = e
		}
		if s == stale {
			old++
		}
		if s.waits() {
			delete(entries, k)
		}
	}
	if len(again) > 0 {
		b.renew(ctx, again, causes)
	}
	if old > 0 {
		b.observe(cache.StaleServed, old, 0, nil)
	}
	return entries, spares, bypass, nil
}

func (b *Batch[K, V]) directMany(ctx context.Context, keys []K) (map[K]V, error) {
	values := make(map[K]V, len(keys))
	errs := make([]error, len(keys))
	for i, r := range b.direct(ctx, keys) {
		switch {
		case r.err == nil:
			values[keys[i]] = r.value
		case !r.absent:
			errs[i] = r.err
		}
	}
	return values, distinctErrors(errs)
}
