package writethrough

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
)

// through is the order of every write: quarantine, origin, release. write
// returns the entry to install, or nil, and other keys that it has changed.
func through[K comparable, V any](ctx context.Context, store cache.Cache[K, V], slot cache.Slot[K], failOpen bool, timeout time.Duration,
	write func(context.Context) (*cache.Entry[V], []K, error)) (err error) {
	fill, err := store.Quarantine(ctx, slot)
	if err != nil {
		if !failOpen {
			return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
		}
		fill = nil
	}
	// What follows the write must not end because the caller has left.
	after := context.WithoutCancel(ctx)
	released := false
	defer func() {
		if fill != nil && !released { // write has panicked: what it did is unknown
			fill.Cancel(after)
		}
	}()
	during, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	e, also, err := write(during)
	released = true
	var told error
	switch {
	case fill == nil:
		told = store.Invalidate(after, append(also, slot.Key)...)
	case err != nil: // it may have been written all the same
		fill.Cancel(after)
		return err
	default:
		if _, told = fill.Commit(after, e); errors.Is(told, cache.ErrNotStorable) {
			told = nil // the key has no value, which is all that the origin asks for
		}
		if len(also) > 0 {
			told = errors.Join(told, store.Invalidate(after, also...))
		}
	}
	switch {
	case err != nil:
		return err
	case told != nil:
		return &cache.PostCommitError{Err: told}
	}
	return nil
}
