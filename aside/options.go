package aside

import (
	"cmp"
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
	// KeyTags returns the tags that are known from the key alone. A tag has 1 to 4096
	// bytes: a value with any other is not stored, since nobody could invalidate it, and
	// cache.FillRefused is observed. These tags are
	// watched while the value is loaded, each for itself: prefer KeyTags to Tags for what
	// the key tells.
	KeyTags func(key K) []string
	// Tags returns the tags that are known from the loaded value. A value that
	// the origin does not have gets only the KeyTags.
	//
	// Tags that the key tells belong into KeyTags: nobody can watch these before the value
	// is loaded, so the first time that a process loads a key, a redisstore takes a round
	// trip more to store it. It does not store it if one of the tags was invalidated
	// while it was loaded, or if more than 480 others were, in a cluster in the same of
	// 16 parts: callers get the value, and it is loaded again when it is next asked for.
	// From then on the process remembers the tags of the key, and watches them.
	Tags func(key K, v V) []string
	// Linearizable returns only what the store has vouched for: each key behaves
	// as if there were one copy of it, which changes at some moment between the
	// start of a write and the return of its Invalidate, Write or Mutate. Memory
	// in front of Redis is not asked, reads wait while a writer is at work, and
	// are errors while Redis is down. The policy must store values and, with
	// NotFound, that there are none.
	Linearizable bool
	// TTL returns how long a loaded value is fresh, instead of Policy.Fresh, which
	// may then be 0; Policy.Jitter shortens it too. A value of which it returns 0 or
	// less is not stored.
	TTL func(key K, v V) time.Duration
	// LoadTimeout bounds one call of the load function, by the deadline of its
	// context. If it has not returned ten milliseconds later, it is left alone: its
	// callers get an error that wraps cache.ErrLoadTimeout, and what it returns
	// is dropped. It must be shorter than the store's fills live: one minute in
	// Redis. The default is 30s.
	LoadTimeout time.Duration
	// DisableBackgroundCompletion cancels a load when the last caller who waits for it
	// has left. By default a load that has begun goes on for the cache, so that
	// callers who wait for less than it takes find the value when they ask again, and
	// those who come meanwhile join it. It keeps its place in Limits.Loads, and it ends
	// after LoadTimeout: set that to what a load may take, as a load that hangs answers
	// nobody until then. A load that waits for its place, or that cannot be stored, is
	// cancelled in any case, and so are the loads that nobody waits for at Close.
	DisableBackgroundCompletion bool
	// SoftTimeout is how long a caller waits for a load if the store has a value
	// that Policy.IfError allows. The caller then gets that value, and the load goes
	// on in the background, beyond Limits.Refreshes. It must be shorter than
	// LoadTimeout. 0 waits for LoadTimeout.
	SoftTimeout time.Duration
	// Limits bound what is asked of the origin at once.
	Limits Limits
	// Switch, while the program runs, has Get, GetMany and Lookup ask the origin for
	// all keys or a part of them. The loads of one key are shared, and Limits and
	// back-off apply. With cache.ModeBypass, the store is neither read nor filled. With
	// cache.ModeShadow it is filled, and what it had is compared with what the origin
	// says, if nothing was invalidated between: what differs then, and is observed as
	// cache.ShadowDiffered, has changed without an invalidation. Neither has a value
	// from before if the origin fails. Invalidations reach the store in every mode. Who
	// is bypassed is not Linearizable with who is not. nil is on, and costs nothing.
	Switch *cache.Switch
	// Equal compares for cache.ModeShadow what the store had with what the origin
	// says. The default is reflect.DeepEqual, to which differs what a codec gives back
	// in another form, such as an empty slice for nil or a time without its zone.
	Equal func(stored, loaded V) bool
	// Domain is where Wish.AtLeast is asked for: an *invalidation.Domain or a
	// redisstore.Space.
	Domain Sessions
	// Observer is told of loads and of what became of them.
	Observer cache.Observer
}

// check returns options and policy with defaults, or panics.
func check[K comparable, V any](of string, storeIsNil, loadIsNil bool, p invalidation.Policy, o *Options[K, V]) (Options[K, V], invalidation.Policy) {
	var opts Options[K, V]
	if o != nil {
		opts = *o
	}
	if opts.TTL != nil && p.Fresh == 0 {
		p.Fresh = invalidation.Forever // of which nothing is seen
	}
	if opts.LoadTimeout == 0 {
		opts.LoadTimeout = 30 * time.Second
	}
	limits, wrong := opts.Limits.check()
	wrong = cmp.Or(wrong, checkNotFound(opts.NotFound))
	switch err := p.Validate(); {
	case storeIsNil:
		panic(fmt.Sprintf("larder: aside.%s: store is nil", of))
	case loadIsNil:
		panic(fmt.Sprintf("larder: aside.%s: load is nil", of))
	case err != nil:
		panic(fmt.Sprintf("larder: aside.%s: %v", of, err))
	case wrong != nil:
		panic(fmt.Sprintf("larder: aside.%s: %v", of, wrong))
	case opts.LoadTimeout < 0:
		panic(fmt.Sprintf("larder: aside.%s: Options.LoadTimeout is %v: it cannot be negative", of, opts.LoadTimeout))
	case opts.SoftTimeout < 0:
		panic(fmt.Sprintf("larder: aside.%s: Options.SoftTimeout is %v: it cannot be negative", of, opts.SoftTimeout))
	case opts.SoftTimeout >= opts.LoadTimeout:
		panic(fmt.Sprintf("larder: aside.%s: Options.SoftTimeout is %v and Options.LoadTimeout %v: it must be shorter", of, opts.SoftTimeout, opts.LoadTimeout))
	case opts.SoftTimeout > 0 && p.IfError == 0:
		panic(fmt.Sprintf("larder: aside.%s: Options.SoftTimeout is %v, but Policy.IfError is 0: there is nothing that callers could have instead", of, opts.SoftTimeout))
	}
	opts.Limits = limits
	return opts, p
}
