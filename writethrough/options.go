package writethrough

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Options change what a Writer does. The zero Options are the defaults.
type Options[K comparable, V any] struct {
	// Name is given to the Observer.
	Name string
	// Tags returns the tags of the entry, as aside.Options.Tags does: give both
	// the same function. A tag has 1 to 4096 bytes. With any other, of the value that
	// was given, the write is not started; of the one that came back, nothing is
	// installed.
	Tags func(key K, v V) []string
	// Invalidates returns tags to be invalidated after each write, such as that
	// of the lists in which the value is. It is called with the value that was
	// given and with the one that came back. It needs Domain. A tag that the
	// value itself carries takes that away too: let lists have tags of their
	// own. If one is empty or longer than 4096 bytes, the write is not started, or, of
	// the value that came back, it is a *cache.PostCommitError after all others were
	// invalidated.
	Invalidates func(key K, v V) []string
	// Domain is where the tags of Invalidates are: an *invalidation.Domain, or
	// a redisstore.Space.
	Domain TagInvalidator
	// FailOpen writes to the origin even if the store could not be asked to put
	// the key in quarantine, and invalidates the key afterwards. The default is
	// not to write, and to return an error that wraps cache.ErrNotStarted: a
	// write whose invalidation may fail as well would leave the old value in
	// the cache until it expires.
	FailOpen bool
	// WriteTimeout bounds the write to the origin, by the deadline of its
	// context. The default is 30s.
	WriteTimeout time.Duration
	// InDoubt reports whether the write may still be committed after the origin has
	// returned err. The default is that of invalidation.Mutation.InDoubt.
	InDoubt func(err error) bool
	// DecidedWithin is for how long after an error in doubt the write may still be
	// committed, at most: see invalidation.Mutation.DecidedWithin. The default is 2m.
	DecidedWithin time.Duration
	// Observer is told when the store could not be asked or told something, of
	// invalidations, and of writes in doubt.
	Observer cache.Observer
}

// TagInvalidator invalidates tags.
type TagInvalidator interface {
	// InvalidateTags returns nil when nobody who starts to read from then on
	// gets an entry that carried one of the tags.
	InvalidateTags(ctx context.Context, tags ...string) error
}

const (
	defaultTimeout = 30 * time.Second
	decidedWithin  = 2 * time.Minute
	// storeTimeout bounds what is told to the store although the caller may have
	// left, for stores that have no limit of their own.
	storeTimeout = 10 * time.Second
)

// defaults returns options with defaults, or panics.
func defaults[K comparable, V any](o *Options[K, V]) Options[K, V] {
	var opts Options[K, V]
	if o != nil {
		opts = *o
	}
	switch {
	case opts.WriteTimeout < 0:
		panic(fmt.Sprintf("larder: writethrough.New: Options.WriteTimeout is %v: it cannot be negative", opts.WriteTimeout))
	case opts.Invalidates != nil && opts.Domain == nil:
		panic("larder: writethrough.New: Options.Invalidates is set, but Options.Domain is nil: say where the tags are")
	case opts.DecidedWithin < 0:
		panic(fmt.Sprintf("larder: writethrough.New: Options.DecidedWithin is %v: it cannot be negative", opts.DecidedWithin))
	}
	return opts
}

// timingOf returns times with their defaults.
func timingOf(write, decided time.Duration, inDoubt func(error) bool) timing {
	if write == 0 {
		write = defaultTimeout
	}
	if decided == 0 {
		decided = decidedWithin
	}
	return timing{write, decided, inDoubt}
}
