package writethrough

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
)

// through is one write: quarantine, origin, release.
type through[K comparable, V any] struct {
	store    cache.Cache[K, V]
	slot     cache.Slot[K]
	timeout  time.Duration
	failOpen bool
	observe  func(cache.Event)
	// write writes to the origin. It returns what is to be installed, or nil,
	// and other keys that it has changed.
	write func(context.Context) (e *cache.Entry[V], also []K, err error)
	// tags returns the tags of domain that are to be invalidated. done is false if
	// it is not known what the origin did.
	tags   func(done bool) []string
	domain TagInvalidator
}

// run returns the origin's error untouched, or one of cache.ErrNotStarted and
// *cache.PostCommitError.
func (t *through[K, V]) run(ctx context.Context) error {
	fill, err := t.store.Quarantine(ctx, t.slot)
	if err != nil {
		t.unavailable(err)
		if !t.failOpen || ctx.Err() != nil {
			return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
		}
		fill = nil
	}
	returned := false
	defer func() {
		if !returned { // a panic goes on: what was done before it is unknown
			t.undo(ctx, fill)
		}
	}()
	within, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	e, also, err := t.write(within)
	returned = true
	if err != nil {
		t.undo(ctx, fill)
		return err
	}
	if err := t.tell(ctx, fill, e, also); err != nil {
		t.unavailable(err)
		return &cache.PostCommitError{Err: err}
	}
	return nil
}

// tell lets the cache know of a write that the origin has accepted.
func (t *through[K, V]) tell(ctx context.Context, fill cache.Fill[V], e *cache.Entry[V], also []K) error {
	ctx, cancel := outlive(ctx)
	defer cancel()
	var errs []error
	if fill == nil {
		also = append([]K{t.slot.Key}, also...)
	} else if _, err := fill.Commit(ctx, e); !errors.Is(err, cache.ErrNotStorable) {
		errs = append(errs, err)
	} // one that is not storable leaves the key without a value, which is all that the origin asks for
	if len(also) > 0 {
		errs = append(errs, t.invalidate(ctx, also...))
	}
	return errors.Join(append(errs, t.invalidateTags(ctx, t.tags(true)))...)
}

// undo takes away what may be in the cache, since the origin may have been
// written although it has said otherwise.
func (t *through[K, V]) undo(ctx context.Context, fill cache.Fill[V]) {
	ctx, cancel := outlive(ctx)
	defer cancel()
	var err error
	if fill == nil {
		err = t.invalidate(ctx, t.slot.Key)
	} else {
		err = fill.Cancel(ctx)
	}
	if err = errors.Join(err, t.invalidateTags(ctx, t.tags(false))); err != nil {
		t.unavailable(err)
	}
}

// outlive returns a context for what has to be done although the caller may have
// left.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// unavailable reports that the store could not be asked or told something.
func (t *through[K, V]) unavailable(err error) {
	t.observe(cache.Event{Kind: cache.Unavailable, N: 1, Err: err})
}

func (t *through[K, V]) invalidate(ctx context.Context, keys ...K) error {
	began := time.Now()
	err := t.store.Invalidate(ctx, keys...)
	t.observe(cache.Event{Kind: cache.Invalidated, N: len(keys), Took: time.Since(began), Err: err})
	return err
}

// invalidateTags invalidates tags, each once, if there are any.
func (t *through[K, V]) invalidateTags(ctx context.Context, tags []string) error {
	if tags = distinct.Of(tags); len(tags) == 0 {
		return nil
	}
	began := time.Now()
	err := t.domain.InvalidateTags(ctx, tags...)
	t.observe(cache.Event{Kind: cache.Invalidated, N: len(tags), Took: time.Since(began), Err: err})
	return err
}
