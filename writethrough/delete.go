package writethrough

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/doubt"
	"github.com/larder-cache/larder/internal/meter"
	"github.com/larder-cache/larder/internal/validkey"
)

// DeleteOptions change what a deleting function does. The zero DeleteOptions are
// the defaults. Each field means what it means in Options.
type DeleteOptions[K comparable] struct {
	Name          string
	Invalidates   func(key K) []string
	Domain        TagInvalidator
	FailOpen      bool
	WriteTimeout  time.Duration
	InDoubt       func(err error) bool
	DecidedWithin time.Duration
	Observer      cache.Observer
}

// Delete decorates a function that deletes from the origin. The function it
// returns has the same signature and the promises of Writer.Write: the value is
// gone from the cache before it is gone from the origin, and does not come back.
// It costs two round trips to the store, beside the delete. Its errors are those of Write.
//
// Delete panics, naming the argument or field, if store or del is nil, or as New
// does for options.
func Delete[K comparable, V any](store cache.Cache[K, V], del func(context.Context, K) error, o *DeleteOptions[K]) func(context.Context, K) error {
	var opts DeleteOptions[K]
	if o != nil {
		opts = *o
	}
	switch {
	case store == nil:
		panic("larder: writethrough.Delete: store is nil")
	case del == nil:
		panic("larder: writethrough.Delete: del is nil")
	case opts.WriteTimeout < 0:
		panic(fmt.Sprintf("larder: writethrough.Delete: DeleteOptions.WriteTimeout is %v: it cannot be negative", opts.WriteTimeout))
	case opts.Invalidates != nil && opts.Domain == nil:
		panic("larder: writethrough.Delete: DeleteOptions.Invalidates is set, but DeleteOptions.Domain is nil: say where the tags are")
	case opts.DecidedWithin < 0:
		panic(fmt.Sprintf("larder: writethrough.Delete: DeleteOptions.DecidedWithin is %v: it cannot be negative", opts.DecidedWithin))
	}
	timing := timingOf(opts.WriteTimeout, opts.DecidedWithin, opts.InDoubt)
	doubts, count, check := &doubt.Group{}, &meter.Meter{}, validkey.Check[K]()
	return func(ctx context.Context, key K) error {
		t := through[K, V]{
			store: store, slot: cache.Slot[K]{Key: key}, timing: timing, failOpen: opts.FailOpen,
			observe: func(e cache.Event) { observe(count, opts.Observer, opts.Name, e) },
			write:   func(ctx context.Context) error { return del(ctx, key) },
			domain:  opts.Domain, doubts: doubts,
		}
		err := validkey.First(check, []K{key})
		if err == nil && opts.Invalidates != nil {
			err = t.hook("DeleteOptions.Invalidates", func() { t.tags = opts.Invalidates(key) })
		}
		if err != nil {
			return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
		}
		return t.run(ctx)
	}
}
