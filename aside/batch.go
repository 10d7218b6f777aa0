package aside

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// Batch reads values through a cache, many at a time. Its methods may be called
// at once from many goroutines.
type Batch[K comparable, V any] struct{ engine[K, V] }

// NewBatch returns a Batch that keeps what load returns in store, for as long as
// p says. load returns the values that the origin has; a key that is missing
// from its answer is not found. It may return some values together with an
// error, which is then that of the other keys. NewBatch panics as New does.
func NewBatch[K comparable, V any](store cache.Cache[K, V], load func(context.Context, []K) (map[K]V, error), p invalidation.Policy, o *Options[K, V]) *Batch[K, V] {
	opts := check("NewBatch", store == nil, load == nil, p, o)
	if opts.NotFound == nil {
		opts.NotFound = cache.ErrNotFound
	}
	b := &Batch[K, V]{}
	b.init(store, p, opts, func(ctx context.Context, keys []K) []result[V] {
		values, err := load(ctx, slices.Clone(keys))
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

// Get is Loader.Get; a value that the origin does not have is Options.NotFound.
func (b *Batch[K, V]) Get(ctx context.Context, key K) (V, error) {
	e, bypass, err := b.ask(ctx, key)
	if e != nil || err != nil {
		return b.answer(e, err)
	}
	r, err := b.flights.Do(ctx, key, bypass)
	if err != nil {
		return r.value, err
	}
	return r.value, r.err
}

// GetMany returns the values of keys that exist. It has the signature of the
// load function. It asks the store once, joins loads of these keys that are on
// their way, and asks the origin once for all others, with the same promises as
// Get. If some of the keys fail, it returns the values of the rest together with
// the error, or the errors joined.
func (b *Batch[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	entries, bypass, err := b.askMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	values := make(map[K]V, len(keys))
	missing := make([]K, 0, len(keys)-len(entries))
	seen := make(map[K]struct{}, len(keys))
	for _, k := range keys {
		if _, twice := seen[k]; twice {
			continue
		}
		seen[k] = struct{}{}
		e := entries[k]
		switch {
		case e == nil:
			missing = append(missing, k)
		case !e.Absent:
			values[k] = e.Value
		}
	}
	if len(missing) == 0 {
		return values, nil
	}
	results, errs := b.flights.DoMany(ctx, missing, bypass)
	var failed []error
	for i, r := range results {
		switch {
		case errs[i] != nil:
			failed = appendNew(failed, errs[i])
		case !r.absent:
			values[missing[i]] = r.value
		}
	}
	if len(failed) == 1 {
		return values, failed[0] // untouched
	}
	return values, errors.Join(failed...)
}

// appendNew appends err unless its text is there already: keys that went
// together have failed together.
func appendNew(errs []error, err error) []error {
	for _, e := range errs {
		if e.Error() == err.Error() {
			return errs
		}
	}
	return append(errs, err)
}
