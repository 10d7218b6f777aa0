package writethrough

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
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
	// write writes to the origin.
	write func(context.Context) error
	// ask asks functions of the user's what a write that the origin has accepted has
	// made. It may be nil.
	ask func(*made[K, V]) error
	// tags are those of domain that are to be invalidated, as far as they are known
	// before the write.
	tags   []string
	domain TagInvalidator
	doubts *doubt.Group
}

// made is what a write has made.
type made[K comparable, V any] struct {
	entry *cache.Entry[V] // is to be installed, or nil
	also  []K             // other keys that it has changed
	tags  []string        // are to be invalidated
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
	fill, err := t.quarantine(ctx)
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
	err = t.write(within)
	returned = true
	if err != nil {
		return t.failed(ctx, within, fill, err)
	}
	// The write is committed: from here on nothing is taken for its failure.
	if err := t.tell(ctx, fill); err != nil {
		return &cache.PostCommitError{Err: err}
	}
	return nil
}

func (t *through[K, V]) quarantine(ctx context.Context) (fill cache.Fill[V], err error) {
	err = t.call(quarantineName, func() (err error) {
		fill, err = t.store.Quarantine(ctx, t.slot)
		return err
	})
	return fill, err
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

// tell lets the cache know of a write that the origin has accepted. All of it is done
// whatever the functions do that it calls: one that panics is an error, and what follows
// one that ends the goroutine is done before that ends.
func (t *through[K, V]) tell(ctx context.Context, fill cache.Fill[V]) error {
	ctx, cancel := outlive(ctx)
	defer cancel()
	var m made[K, V]
	var unsaid error // what the user's functions have not said
	var told []error
	add := func(err error) { told = append(told, err) }
	contain.InTurn(
		func() {
			if t.ask != nil {
				unsaid = t.ask(&m)
			}
		},
		func() {
			if fill == nil {
				m.also = append([]K{t.slot.Key}, m.also...)
			} else {
				t.commit(ctx, fill, m.entry, add)
			}
		},
		func() {
			if len(m.also) > 0 {
				add(t.invalidate(ctx, m.also...))
			}
		},
		func() {
			// One that is malformed does not keep the others from being invalidated.
			if err := tagname.Check(m.tags...); err != nil {
				add(fmt.Errorf("larder: writethrough: Options.Invalidates, of the value that came back: %w", err))
				m.tags = tagname.Valid(m.tags)
			}
			add(t.invalidateTags(ctx, append(t.tags[:len(t.tags):len(t.tags)], m.tags...)))
		},
		func() {
			if err := errors.Join(told...); err != nil {
				t.unavailable(err)
			}
		},
	)
	return errors.Join(unsaid, errors.Join(told...))
}

// commit ends the quarantine, and adds errors. A Commit that does not return may not have
// ended it.
func (t *through[K, V]) commit(ctx context.Context, fill cache.Fill[V], e *cache.Entry[V], add func(error)) {
	returned := false
	contain.InTurn(
		func() {
			err := t.call(commitName, func() error {
				_, err := fill.Commit(ctx, t.storable(e))
				returned = true
				return err
			})
			// One that is not storable leaves the key without a value, which is all that
			// the origin asks for.
			if !errors.Is(err, cache.ErrNotStorable) {
				add(err)
			}
		},
		func() {
			if !returned {
				if err := t.call(cancelName, func() error { return fill.Cancel(ctx) }); !errors.Is(err, cache.ErrFillDone) {
					add(err)
				}
			}
		},
	)
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
		e, hook := doubt.Of(within, err, doubt.Judge{Name: "Options.InDoubt", InDoubt: t.timing.inDoubt})
		if hook != nil {
			t.panicked(hook)
		}
		if e != nil {
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
	var key, tags error
	contain.InTurn(
		func() { key = t.end(ctx, fill) },
		func() { tags = t.invalidateTags(ctx, t.tags) },
		func() {
			if err := errors.Join(key, tags); err != nil {
				t.unavailable(err)
			}
		},
	)
}

// end ends the quarantine of the key without a value, or invalidates the key if it has
// none.
func (t *through[K, V]) end(ctx context.Context, fill cache.Fill[V]) error {
	if fill == nil {
		return t.invalidate(ctx, t.slot.Key)
	}
	return t.call(cancelName, func() error { return fill.Cancel(ctx) })
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
	err := t.call(invalidateName, func() error { return t.store.Invalidate(ctx, keys...) })
	t.observe(cache.Event{Kind: cache.Invalidated, N: len(keys), Took: time.Since(began), Err: err})
	return err
}

// invalidateTags invalidates tags, each once, if there are any.
func (t *through[K, V]) invalidateTags(ctx context.Context, tags []string) error {
	if tags = distinct.Of(tags); len(tags) == 0 {
		return nil
	}
	began := time.Now()
	err := t.call(tagsName, func() error { return t.domain.InvalidateTags(ctx, tags...) })
	t.observe(cache.Event{Kind: cache.Invalidated, N: len(tags), Took: time.Since(began), Err: err})
	return err
}
