package aside

import (
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
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
func (g *engine[K, V]) keyTags(key K) []string {
	if g.o.KeyTags == nil {
		return nil
	}
	return distinct.Of(g.o.KeyTags(key))
}

// entry returns what is to be stored of a result, or nil. Its time counts from
// now, after the load: a slow origin does not shorten it, and invalidation, not
// time, is what keeps values from before a change out.
func (g *engine[K, V]) entry(slot cache.Slot[K], r result[V], took time.Duration) *cache.Entry[V] {
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
			if p.Fresh = g.o.TTL(slot.Key, r.value); p.Fresh <= 0 {
				return nil
			}
			p.Fresh = max(p.Fresh, time.Millisecond) // the unit of time
		}
		e.Value = r.value
		if g.o.Tags != nil {
			e.Tags = distinct.Of(slices.Concat(slot.Tags, g.o.Tags(slot.Key, r.value)))
		}
		e.Fresh, e.Expires = p.Value(now)
	default:
		return nil
	}
	return e
}
