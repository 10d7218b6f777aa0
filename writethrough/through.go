package writethrough

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/doubt"
	"github.com/larder-cache/larder/internal/tagname"
)

// through is one write: quarantine, origin, release.
type through[K comparable, V any] struct {
	store    cache.Cache[K, V]
	slot     cache.Slot[K]
	timing   timing
	failOpen bool
	observe  func(cache.Event)
	// write writes to the origin. It returns what is to be installed, or nil, other
	// keys that it has changed, and tags of what it has made.
	write func(context.Context) (e *cache.Entry[V], also []K, tags []string, err error)
	// tags are those of domain that are to be invalidated, as far as they are known
	// before the write.
	tags   []string
	domain TagInvalidator
	doubts *doubt.Group
}

// timing says how long a write takes, and when it is in doubt.
type timing struct {
	write, decided time.Duration
	inDoubt        func(error) bool
}

// run returns the origin's error untouched, or one of cache.ErrNotStarted,
// *cache.PostCommitError and *cache.InDoubtError.
func (t *through[K, V]) run(ctx context.Context) error {
	t.slot.Hold = t.timing.write + t.timing.decided
	if err := t.check(); err != nil {
		return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
	}
	fill, err := t.store.Quarantine(ctx, t.slot)
	if err != nil {
		t.unavailable(err)
		if !t.failOpen || ctx.Err() != nil {
			return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
		}
		fill = nil
	}
	within, cancel := context.WithTimeout(ctx, t.timing.write)
	defer cancel()
	returned := false
	defer func() {
		if returned {
			return
		}
		// A panic goes on: what was done before it is unknown, unless its value says
		// more. It is nil for one that ends the goroutine.
		value := recover()
		err, _ := value.(error)
		t.failed(ctx, within, fill, err)
		if value != nil {
			panic(value)
		}
	}()
	e, also, tags, err := t.write(within)
	returned = true
	if err != nil {
		return t.failed(ctx, within, fill, err)
	}
	if err := t.tell(ctx, fill, e, also, tags); err != nil {
		t.unavailable(err)
		return &cache.PostCommitError{Err: err}
	}
	return nil
}

// check returns what is wrong with the tags that are known before the write.
func (t *through[K, V]) check() error {
	if err := tagname.Check(t.slot.Tags...); err != nil {
		return fmt.Errorf("larder: writethrough: Options.Tags: %w", err)
	}
	if err := tagname.Check(t.tags...); err != nil {
		return fmt.Errorf("larder: writethrough: Options.Invalidates: %w", err)
	}
	return nil
}

// tell lets the cache know of a write that the origin has accepted.
func (t *through[K, V]) tell(ctx context.Context, fill cache.Fill[V], e *cache.Entry[V], also []K, tags []string) error {
	ctx, cancel := outlive(ctx)
	defer cancel()
	var errs []error
	if fill == nil {
		also = append([]K{t.slot.Key}, also...)
	} else if _, err := fill.Commit(ctx, t.storable(e)); !errors.Is(err, cache.ErrNotStorable) {
		errs = append(errs, err)
	} // one that is not storable leaves the key without a value, which is all that the origin asks for
	if len(also) > 0 {
		errs = append(errs, t.invalidate(ctx, also...))
	}
	// One that is malformed does not keep the others from being invalidated.
	if err := tagname.Check(tags...); err != nil {
		errs = append(errs, fmt.Errorf("larder: writethrough: Options.Invalidates, of the value that came back: %w", err))
		tags = tagname.Valid(tags)
	}
	return errors.Join(append(errs, t.invalidateTags(ctx, append(t.tags[:len(t.tags):len(t.tags)], tags...)))...)
}

// storable returns e, or nil if it has a tag that nobody could invalidate.
func (t *through[K, V]) storable(e *cache.Entry[V]) *cache.Entry[V] {
	if e == nil {
		return nil
	}
	if err := tagname.Check(e.Tags...); err != nil {
		t.observe(cache.Event{Kind: cache.FillRefused, N: 1, Err: fmt.Errorf("larder: writethrough: Options.Tags: %w: %w", cache.ErrNotStorable, err)})
		return nil
	}
	return e
}

// failed ends a write of which the origin has said that it failed, by err or a panic
// that has none, and returns what the caller is told.
func (t *through[K, V]) failed(ctx, within context.Context, fill cache.Fill[V], err error) error {
	if err != nil {
		if e := doubt.Of(within, err, t.timing.inDoubt); e != nil {
			return t.doubt(ctx, fill, e)
		}
	}
	t.undo(ctx, fill)
	return err
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
	if err = errors.Join(err, t.invalidateTags(ctx, t.tags)); err != nil {
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
