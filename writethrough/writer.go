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
	"github.com/larder-cache/larder/internal/meter"
	"github.com/larder-cache/larder/internal/validkey"
	"github.com/larder-cache/larder/invalidation"
)

// Writer writes values through a cache. Its methods may be called at once from
// many goroutines.
type Writer[K comparable, V any] struct {
	store  cache.Cache[K, V]
	key    func(V) K
	check  func(K) error // nil if every key can be in a map
	write  func(context.Context, V) (V, error)
	policy invalidation.Policy
	o      Options[K, V]
	timing timing
	doubts doubt.Group
	meter  meter.Meter
}

// New returns a Writer that installs what write returns in store, for as long as
// p says; if p stores nothing, it only removes the old value. It panics, naming
// the argument or field, if store, key or write is nil, if p makes no sense, if
// Options.WriteTimeout is negative, or if Options.Invalidates is set without
// Domain.
//
// What write returns is shared with the cache: if V holds pointers, slices or maps,
// nobody may change what they lead to afterwards, or readers get what was never saved.
// Have write return a copy if its caller goes on changing the value.
// cachetest.Unchanged finds such changes in tests.
func New[K comparable, V any](store cache.Cache[K, V], key func(V) K, write func(context.Context, V) (V, error), p invalidation.Policy, o *Options[K, V]) *Writer[K, V] {
	switch err := p.Validate(); {
	case store == nil:
		panic("larder: writethrough.New: store is nil")
	case key == nil:
		panic("larder: writethrough.New: key is nil")
	case write == nil:
		panic("larder: writethrough.New: write is nil")
	case err != nil:
		panic(fmt.Sprintf("larder: writethrough.New: %v", err))
	}
	w := &Writer[K, V]{store: store, key: key, write: write, policy: p, o: defaults(o), check: validkey.Check[K]()}
	w.timing = timingOf(w.o.WriteTimeout, w.o.DecidedWithin, w.o.InDoubt)
	return w
}

// Echo makes a write function that returns what it was given of one that returns
// only an error. What it was given, and not a copy, is then in the cache: see New.
func Echo[V any](write func(context.Context, V) error) func(context.Context, V) (V, error) {
	if write == nil {
		return nil // which New reports
	}
	return func(ctx context.Context, v V) (V, error) { return v, write(ctx, v) }
}

// Write writes v to the origin and installs what the origin returned. It has the
// signature of the write function, whose errors it returns untouched.
//
// Before the origin is written, the old value is removed and the key put in
// quarantine: from then until Write returns, readers go to the origin. The new
// value is installed if no other writer and no invalidation touched the key
// meanwhile; otherwise the key is left without a value. If the key of the
// returned value is not that of v, as with keys that the origin generates,
// nothing is installed, and both keys are invalidated.
//
// An error that wraps cache.ErrNotStarted means that the origin was not
// written. A *cache.PostCommitError, beside the value, means that it was, but
// the cache could not be told. A *cache.InDoubtError means that the origin may be
// written now, or later: until that is decided the key stays in quarantine, and the tags
// of Options.Invalidates are, see Options.InDoubt and DecidedWithin. After any other
// error, or a panic, the origin may or may not have been written, but will not be any
// more: the cache has no value for the key, and those tags were invalidated if that
// could be done.
//
// A panic of the write function goes on. Of any other function that Write calls it is an
// error that wraps a *cache.PanicError, which names the function: together with
// cache.ErrNotStarted before the write, and in a *cache.PostCommitError after it, and then
// the value is not installed if its key or its tags are not known.
//
// It costs two round trips to the store, beside the write.
func (w *Writer[K, V]) Write(ctx context.Context, v V) (V, error) {
	var out V
	t := through[K, V]{
		store: w.store, timing: w.timing, failOpen: w.o.FailOpen, observe: w.observe,
		domain: w.o.Domain, doubts: &w.doubts,
	}
	if err := w.prepare(&t, v); err != nil {
		return out, fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
	}
	var took time.Duration
	t.write = func(ctx context.Context) (err error) {
		start := time.Now()
		out, err = w.write(ctx, v)
		took = time.Since(start)
		return err
	}
	t.ask = func(m *made[K, V]) error { return w.ask(&t, out, took, m) }
	err := t.run(ctx)
	return out, err
}

// prepare asks the user's functions what is to be written.
func (w *Writer[K, V]) prepare(t *through[K, V], v V) error {
	key, err := w.keyOf(t, v)
	if err != nil {
		return err
	}
	t.slot.Key = key
	if w.o.Tags != nil {
		t.slot.LateTags = true
		if err := t.hook("Options.Tags", func() { t.slot.Tags = distinct.Of(w.o.Tags(key, v)) }); err != nil {
			return err
		}
	}
	if w.o.Invalidates != nil {
		return t.hook("Options.Invalidates", func() { t.tags = w.o.Invalidates(key, v) })
	}
	return nil
}

// keyOf returns the key of a value, which a map can hold.
func (w *Writer[K, V]) keyOf(t *through[K, V], v V) (key K, err error) {
	if err = t.hook(keyName, func() { key = w.key(v) }); err == nil && w.check != nil {
		err = w.check(key)
	}
	return key, err
}

// ask asks the user's functions what was written. The value that came back is installed
// only if they say under which key and with which tags.
func (w *Writer[K, V]) ask(t *through[K, V], out V, took time.Duration, m *made[K, V]) error {
	k, err := w.keyOf(t, out)
	if err != nil {
		return fmt.Errorf("larder: writethrough: the key of the value that came back is not known: %w", err)
	}
	var invalidates, tags error
	contain.InTurn(
		func() {
			if w.o.Invalidates != nil {
				invalidates = t.hook("Options.Invalidates", func() { m.tags = w.o.Invalidates(k, out) })
			}
		},
		func() {
			if k == t.slot.Key {
				m.entry, tags = w.entry(t, k, out, took)
			} else {
				m.also = []K{k}
			}
		},
	)
	return errors.Join(invalidates, tags)
}

// Save is Write for those who do not want the value back: it has the shape of a
// function that returns only an error.
func (w *Writer[K, V]) Save(ctx context.Context, v V) error {
	_, err := w.Write(ctx, v)
	return err
}

// entry returns what is to be installed, or nil.
func (w *Writer[K, V]) entry(t *through[K, V], key K, v V, took time.Duration) (*cache.Entry[V], error) {
	if !w.policy.Stores() {
		return nil, nil
	}
	e := &cache.Entry[V]{Value: v, Cost: took}
	if w.o.Tags != nil {
		if err := t.hook("Options.Tags", func() { e.Tags = distinct.Of(w.o.Tags(key, v)) }); err != nil {
			return nil, err
		}
	}
	now := cache.Now()
	e.SetLoaded(now)
	e.Fresh, e.Expires = w.policy.Value(now)
	return e, nil
}
