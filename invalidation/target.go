package invalidation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/tagname"
	"github.com/larder-cache/larder/internal/validkey"
)

// Target is what a Mutation takes away from readers: see Tag and Keys. The zero
// Target names nothing: a Mutation with one is not started.
type Target struct {
	tag  string
	name string // in errors
	// err says what is wrong with it.
	err error
	// life is for how long the quarantine lasts if nobody releases it.
	quarantine func(ctx context.Context, life time.Duration) (release func(context.Context) error, err error)
	invalidate func(context.Context) error
}

// Tag is the Target of all entries that carry a tag of the Mutation's Domain. The tag
// has 1 to 4096 bytes: a Mutation with any other is not started.
func Tag(tag string) Target {
	if err := tagname.Check(tag); err != nil {
		return Target{err: err}
	}
	return Target{tag: tag}
}

// Keys is the Target of keys in a store. A Mutation with a key that no map can hold is not
// started, see cache.ErrInvalidKey.
func Keys[K comparable, V any](store cache.Cache[K, V], keys ...K) Target {
	if store == nil {
		return Target{err: errors.New("Keys has no store")}
	}
	if err := validkey.First(validkey.Check[K](), keys); err != nil {
		return Target{err: err}
	}
	return Target{
		quarantine: func(ctx context.Context, life time.Duration) (func(context.Context) error, error) {
			slots := make([]cache.Slot[K], 0, len(keys))
			for _, k := range distinct.Of(keys) {
				slots = append(slots, cache.Slot[K]{Key: k, Hold: life})
			}
			fill, err := store.Quarantine(ctx, slots...)
			if err != nil {
				return nil, err
			}
			return fill.Cancel, nil
		},
		invalidate: func(ctx context.Context) error { return store.Invalidate(ctx, keys...) },
	}
}

// check returns an error that names the targets which are malformed.
func check(targets []Target) error {
	var errs []error
	for i, t := range targets {
		switch {
		case t.err != nil:
			errs = append(errs, fmt.Errorf("larder: Mutation.Targets[%d]: %w", i, t.err))
		case t.quarantine == nil && t.tag == "":
			errs = append(errs, fmt.Errorf("larder: Mutation.Targets[%d] names nothing: use Tag or Keys", i))
		}
	}
	return errors.Join(errs...)
}
