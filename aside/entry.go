package aside

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/tagname"
)

// serves reports whether an entry can be an answer. One that says that there is
// no such value cannot, if nobody has said how to tell the caller.
func (g *engine[K, V]) serves(e *cache.Entry[V]) bool { return !e.Absent || g.o.NotFound != nil }

// result returns what an entry says.
func (g *engine[K, V]) result(e *cache.Entry[V]) result[V] {
	if e.Absent {
		return result[V]{err: g.o.NotFound, absent: true, times: timesOf(e, true)}
	}
	return result[V]{value: e.Value, times: timesOf(e, true)}
}

// keyTags returns the tags known from the key alone.
func (g *engine[K, V]) keyTags(ctx context.Context, key K) (tags []string, err error) {
	if g.o.KeyTags == nil {
		return nil, nil
	}
	err = g.hook(ctx, "Options.KeyTags", func() { tags = distinct.Of(g.o.KeyTags(key)) })
	return tags, err
}

// entry returns what is to be stored of a result, or nil. Its time counts from
// now, after the load: a slow origin does not shorten it, and invalidation, not
// time, is what keeps values from before a change out. If Options.TTL or Tags panics, that
// is the error of the result.
func (g *engine[K, V]) entry(ctx context.Context, slot cache.Slot[K], r *result[V], took time.Duration) *cache.Entry[V] {
	if r.err != nil && !r.absent {
		return nil
	}
	e := &cache.Entry[V]{Tags: slot.Tags, Cost: took, Absent: r.absent}
	now := cache.Now()
	e.SetLoaded(now)
	switch {
	case r.absent && g.policy.Negative > 0:
		e.Fresh = g.policy.Absence(now)
		e.Expires = e.Fresh
	case !r.absent && g.policy.Stores():
		p := g.policy
		if g.o.TTL != nil {
			r.err = g.hook(ctx, "Options.TTL", func() { p.Fresh = g.o.TTL(slot.Key, r.value) })
			if r.err != nil || p.Fresh <= 0 {
				return nil
			}
			p.Fresh = max(p.Fresh, time.Millisecond) // the unit of time
		}
		e.Value = r.value
		if g.o.Tags != nil {
			r.err = g.hook(ctx, "Options.Tags", func() { e.Tags = distinct.Of(slices.Concat(slot.Tags, g.o.Tags(slot.Key, r.value))) })
			if r.err != nil {
				return nil
			}
		}
		e.Fresh, e.Expires = p.Value(now)
	default:
		return nil
	}
	if err := tagname.Check(e.Tags...); err != nil { // nobody could invalidate it
		g.observe(cache.FillRefused, 1, 0, fmt.Errorf("larder: aside: Options.Tags or KeyTags: %w: %w", cache.ErrNotStorable, err))
		return nil
	}
	return e
}
