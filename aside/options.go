package aside

import (
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// Options change what a Loader or a Batch does. The zero Options are the
// defaults.
type Options[K comparable, V any] struct {
	// Name is given to the Observer.
	Name string
	// NotFound is the error with which the origin says that it has no such
	// value, matched with errors.Is. With Policy.Negative, that answer is
	// cached too, and comes back as NotFound itself. For a Batch, a key that
	// is missing from the origin's answer is not found; its Get then returns
	// NotFound, by default cache.ErrNotFound.
	NotFound error
	// KeyTags returns the tags that are known from the key alone.
	KeyTags func(key K) []string
	// Tags returns the tags that are known from the loaded value. A value that
	// the origin does not have gets only the KeyTags.
	Tags func(key K, v V) []string
	// Linearizable returns only what the store has vouched for: each key behaves
	// as if there were one copy of it, which changes at some moment between the
	// start of a write and the return of its Invalidate, Write or Mutate. Memory
	// in front of Redis is not asked, reads wait while a writer is at work, and
	// are errors while Redis is down. The policy must store values and, with
	// NotFound, that there are none.
	Linearizable bool
	// LoadTimeout bounds one call of the load function, by the deadline of its
	// context. It must be shorter than the store's fills live: one minute in
	// Redis. The default is 30s.
	LoadTimeout time.Duration
	// Observer is told of loads and of what became of them.
	Observer cache.Observer
}

// check returns options with defaults, or panics.
func check[K comparable, V any](of string, storeIsNil, loadIsNil bool, p invalidation.Policy, o *Options[K, V]) Options[K, V] {
	var opts Options[K, V]
	if o != nil {
		opts = *o
	}
	switch err := p.Validate(); {
	case storeIsNil:
		panic(fmt.Sprintf("larder: aside.%s: store is nil", of))
	case loadIsNil:
		panic(fmt.Sprintf("larder: aside.%s: load is nil", of))
	case err != nil:
		panic(fmt.Sprintf("larder: aside.%s: %v", of, err))
	case opts.LoadTimeout < 0:
		panic(fmt.Sprintf("larder: aside.%s: Options.LoadTimeout is %v: it cannot be negative", of, opts.LoadTimeout))
	case opts.LoadTimeout == 0:
		opts.LoadTimeout = 30 * time.Second
	}
	return opts
}
