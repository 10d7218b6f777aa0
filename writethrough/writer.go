package writethrough

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// Options change what a Writer does. The zero Options are the defaults.
type Options[K comparable, V any] struct {
	// Tags returns the tags of the entry, as aside.Options.Tags does: give both
	// the same function.
	Tags func(key K, v V) []string
	// Invalidates returns tags to be invalidated after each write, such as that
	// of the lists in which the value is. It needs Domain.
	Invalidates func(key K, v V) []string
	// Domain is where the tags of Invalidates are: an *invalidation.Domain, or
	// a redisstore.Space.
	Domain TagInvalidator
	// FailOpen writes to the origin even if the store could not be asked to put
	// the key in quarantine. The default is not to write, and to return an
	// error that wraps cache.ErrNotStarted: a write whose invalidation may fail
	// as well would leave the old value in the cache until it expires.
	FailOpen bool
	// Timeout bounds the write to the origin, by the deadline of its context. It
	// must be shorter than the store's quarantines live: one minute in Redis.
	// The default is 30s.
	Timeout time.Duration
}

// TagInvalidator invalidates tags.
type TagInvalidator interface {
	InvalidateTags(ctx context.Context, tags ...string) error
}

// Writer writes values through a cache. Its methods may be called at once from
// many goroutines.
type Writer[K comparable, V any] struct {
	store  cache.Cache[K, V]
	key    func(V) K
	write  func(context.Context, V) (V, error)
	policy invalidation.Policy
	o      Options[K, V]
}

// New returns a Writer that installs what write returns in store, for as long as
// p says; if p stores nothing, it only removes the old value. It panics, naming
// the argument or field, if store, key or write is nil, if p makes no sense, if
// Options.Timeout is negative, or if Options.Invalidates is set without Domain.
func New[K comparable, V any](store cache.Cache[K, V], key func(V) K, write func(context.Context, V) (V, error), p invalidation.Policy, o *Options[K, V]) *Writer[K, V] {
	w := &Writer[K, V]{store: store, key: key, write: write, policy: p}
	if o != nil {
		w.o = *o
	}
	switch err := p.Validate(); {
	case store == nil:
		panic("larder: writethrough.New: store is nil")
	case key == nil:
		panic("larder: writethrough.New: key is nil")
	case write == nil:
		panic("larder: writethrough.New: write is nil")
	case err != nil:
		panic(fmt.Sprintf("larder: writethrough.New: %v", err))
	case w.o.Timeout < 0:
		panic(fmt.Sprintf("larder: writethrough.New: Options.Timeout is %v: it cannot be negative", w.o.Timeout))
	case w.o.Timeout == 0:
		w.o.Timeout = defaultTimeout
	}
	if w.o.Invalidates != nil && w.o.Domain == nil {
		panic("larder: writethrough.New: Options.Invalidates is set, but Options.Domain is nil: say where the tags are")
	}
	return w
}

const defaultTimeout = 30 * time.Second

// Echo makes a write function that returns what it was given of one that returns
// only an error.
func Echo[V any](write func(context.Context, V) error) func(context.Context, V) (V, error) {
	if write == nil {
		return nil
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
// the cache could not be told. After any other error the origin's answer is
// unknown to the cache too, and it has no value for the key.
//
// It costs two round trips to the store, beside the write.
func (w *Writer[K, V]) Write(ctx context.Context, v V) (V, error) {
	key := w.key(v)
	slot := cache.Slot[K]{Key: key, LateTags: w.o.Tags != nil}
	if w.o.Tags != nil {
		slot.Tags = w.o.Tags(key, v)
	}
	var out V
	err := through(ctx, w.store, slot, w.o.FailOpen, w.o.Timeout, func(ctx context.Context) (e *cache.Entry[V], also []K, err error) {
		start := time.Now()
		if out, err = w.write(ctx, v); err != nil {
			return nil, nil, err
		}
		if k := w.key(out); k != key {
			return nil, []K{k}, nil
		}
		return w.entry(key, out, time.Since(start)), nil, nil
	})
	var post *cache.PostCommitError
	if w.o.Invalidates == nil || err != nil && !errors.As(err, &post) {
		return out, err
	}
	return out, w.invalidateTags(ctx, v, out, post)
}

// Save is Write for those who do not want the value back.
func (w *Writer[K, V]) Save(ctx context.Context, v V) error {
	_, err := w.Write(ctx, v)
	return err
}

// entry returns what is to be installed, or nil.
func (w *Writer[K, V]) entry(key K, v V, took time.Duration) *cache.Entry[V] {
	if !w.policy.Stores() {
		return nil
	}
	e := &cache.Entry[V]{Value: v, Cost: took}
	if w.o.Tags != nil {
		e.Tags = w.o.Tags(key, v)
	}
	e.Fresh, e.Expires = w.policy.Value(cache.Now())
	return e
}

// invalidateTags invalidates what the write touches: the tags of the value that
// was given and of the one that came back.
func (w *Writer[K, V]) invalidateTags(ctx context.Context, in, out V, post *cache.PostCommitError) error {
	tags := w.o.Invalidates(w.key(out), out)
	for _, t := range w.o.Invalidates(w.key(in), in) {
		if !slices.Contains(tags, t) {
			tags = append(slices.Clip(tags), t)
		}
	}
	// The origin has been written: a caller who has left must not stop this.
	err := w.o.Domain.InvalidateTags(context.WithoutCancel(ctx), tags...)
	switch {
	case err != nil && post != nil:
		return &cache.PostCommitError{Err: errors.Join(post.Err, err)}
	case err != nil:
		return &cache.PostCommitError{Err: err}
	case post != nil:
		return post
	}
	return nil
}
