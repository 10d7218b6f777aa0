package writethrough

import (
	"context"
	"errors"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/doubt"
)

// quarantiner is a TagInvalidator that can also keep others from storing: an
// *invalidation.Domain or a redisstore.Space.
type quarantiner interface {
	QuarantineTags(ctx context.Context, tags ...string) (release func(context.Context) error, err error)
}

// kept is what a write in doubt keeps from readers: its key, and the tags that it
// invalidates. What is nil could not be kept.
type kept[K comparable, V any] struct {
	*through[K, V]
	fill    cache.Fill[V]
	release func(context.Context) error
}

// doubt keeps the key and the tags in quarantine until the write is decided.
func (t *through[K, V]) doubt(ctx context.Context, fill cache.Fill[V], e *cache.InDoubtError) error {
	t.observe(cache.Event{Kind: cache.WriteInDoubt, N: 1, Err: e.Err})
	k := &kept[K, V]{through: t, fill: fill}
	within, cancel := outlive(ctx)
	defer cancel()
	contain.InTurn(
		// It may be committed already: what is there now must not be served meanwhile.
		func() {
			if fill == nil {
				k.report(t.invalidate(within, t.slot.Key))
			}
		},
		func() {
			if fill == nil {
				k.report(k.keepKey(within))
			}
		},
		func() { k.report(k.keepTags(within)) },
		func() { e.Settled = t.doubts.Add(k.hold(e.Decided)) },
	)
	return e
}

func (k *kept[K, V]) hold(decided func(context.Context) (bool, error)) doubt.Hold {
	return doubt.Hold{
		Decided: decided,
		Within:  k.timing.decided,
		Renew:   func(ctx context.Context) error { return errors.Join(k.keepKey(ctx), k.keepTags(ctx)) },
		Release: k.end,
		Report:  k.report,
		Settled: func(took time.Duration, err error) {
			k.observe(cache.Event{Kind: cache.WriteSettled, N: 1, Took: took, Err: err})
		},
	}
}

func (k *kept[K, V]) report(err error) {
	if panicsOf(doubt.DecidedName, err) {
		k.observe(cache.Event{Kind: cache.HookPanic, N: 1, Err: err})
	}
	if err != nil {
		k.unavailable(err)
	}
}

// keepKey puts the key in quarantine, again if it was there.
func (k *kept[K, V]) keepKey(ctx context.Context) error {
	next, err := k.quarantine(ctx)
	if err != nil {
		return err
	}
	last := k.fill
	k.fill = next
	if last == nil {
		return nil
	}
	return k.through.end(ctx, last)
}

// keepTags does the same for the tags. A domain that cannot do so invalidates them.
func (k *kept[K, V]) keepTags(ctx context.Context) error {
	tags := distinct.Of(k.tags)
	domain, ok := k.domain.(quarantiner)
	if len(tags) == 0 || !ok {
		return k.invalidateTags(ctx, tags)
	}
	var next func(context.Context) error
	err := k.call(holdTagsName, func() (err error) { next, err = domain.QuarantineTags(ctx, tags...); return err })
	if err != nil {
		if k.release == nil {
			err = errors.Join(err, k.invalidateTags(ctx, tags))
		}
		return err
	}
	last := k.release
	k.release = next
	if last == nil {
		return nil
	}
	return k.call(releaseTagsName, func() error { return last(ctx) })
}

// end releases what is kept, and invalidates what could not be.
func (k *kept[K, V]) end(ctx context.Context) error {
	var key, tags error
	contain.InTurn(
		func() { key = k.through.end(ctx, k.fill) },
		func() {
			if k.release != nil {
				tags = k.call(releaseTagsName, func() error { return k.release(ctx) })
			} else {
				tags = k.invalidateTags(ctx, k.tags)
			}
		},
	)
	return errors.Join(key, tags)
}
