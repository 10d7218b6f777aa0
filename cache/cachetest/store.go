package cachetest

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-cache/larder/cache"
)

// Store passes calls on to another store, unless they fail. With the zero Faults
// it does what the other does. Its methods may be called at once from many
// goroutines.
type Store[K comparable, V any] struct {
	*injector
	inner cache.Cache[K, V]
}

// NewStore returns a Store in front of c. The seed decides which calls fail; it
// is logged. The Store ends with the test.
func NewStore[K comparable, V any](t testing.TB, c cache.Cache[K, V], seed uint64) *Store[K, V] {
	t.Helper()
	t.Logf("cachetest: seed %d", seed)
	s := &Store[K, V]{newInjector(seed), c}
	t.Cleanup(s.close)
	return s
}

// Get is that of the other store, or fails.
func (s *Store[K, V]) Get(ctx context.Context, k K) (e *cache.Entry[V], err error) {
	err = s.do(ctx, func() (err error) { e, err = s.inner.Get(ctx, k); return err }, nil)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// GetMany is that of the other store, or fails.
func (s *Store[K, V]) GetMany(ctx context.Context, keys []K) (all map[K]*cache.Entry[V], err error) {
	err = s.do(ctx, func() (err error) { all, err = s.inner.GetMany(ctx, keys); return err }, nil)
	if err != nil && all == nil {
		all = map[K]*cache.Entry[V]{}
	}
	return all, err
}

// Reserve is that of the other store, or fails. If its answer is lost, the fill is
// cancelled.
func (s *Store[K, V]) Reserve(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	return s.open(ctx, func() (cache.Fill[V], error) { return s.inner.Reserve(ctx, slots...) })
}

// Quarantine is that of the other store, or fails. If its answer is lost, the
// quarantine is withdrawn.
func (s *Store[K, V]) Quarantine(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	return s.open(ctx, func() (cache.Fill[V], error) { return s.inner.Quarantine(ctx, slots...) })
}

func (s *Store[K, V]) open(ctx context.Context, open func() (cache.Fill[V], error)) (cache.Fill[V], error) {
	var fill cache.Fill[V]
	err := s.do(ctx, func() (err error) { fill, err = open(); return err }, nil)
	if err != nil {
		if fill != nil {
			fill.Cancel(context.WithoutCancel(ctx))
		}
		return nil, err
	}
	return &storeFill[V]{fill, s.injector}, nil
}

// Invalidate is that of the other store, or fails.
func (s *Store[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	keys = append([]K(nil), keys...)
	return s.do(ctx, func() error { return s.inner.Invalidate(ctx, keys...) },
		func() { s.inner.Invalidate(context.WithoutCancel(ctx), keys...) })
}

// storeFill is a fill whose end may fail.
type storeFill[V any] struct {
	cache.Fill[V]
	i *injector
}

// Commit is that of the other store, or fails. If it fails and has done nothing,
// the fill is cancelled, as a quarantine ends by itself.
func (f *storeFill[V]) Commit(ctx context.Context, entries ...*cache.Entry[V]) (out []cache.Outcome, err error) {
	err = f.i.do(ctx, func() (err error) { out, err = f.Fill.Commit(ctx, entries...); return err }, nil)
	if err != nil && out == nil {
		f.Fill.Cancel(context.WithoutCancel(ctx))
	}
	if err != nil && !errors.Is(err, cache.ErrNotStorable) || out == nil {
		out = make([]cache.Outcome, len(entries)) // Refused: nobody knows better
	}
	return out, err
}

// Validate is that of the other store, or fails.
func (f *storeFill[V]) Validate(ctx context.Context) (valid []bool, err error) {
	err = f.i.do(ctx, func() (err error) { valid, err = cache.Validate(ctx, f.Fill); return err }, nil)
	return valid, err
}

// Cancel is that of the other store, or fails.
func (f *storeFill[V]) Cancel(ctx context.Context) error {
	err := f.i.do(ctx, func() error { return f.Fill.Cancel(ctx) }, nil)
	if err != nil {
		f.Fill.Cancel(context.WithoutCancel(ctx)) // it ends by itself
	}
	return err
}
