package aside

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/flight"
)

// storeTimeout bounds each call of the store during a trip, for stores that have
// no limit of their own.
const storeTimeout = 10 * time.Second

// trip makes one round of some keys; see the package flight for who gets what
// when. A panic, of the load function or of a tag function, ends here.
func (g *engine[K, V]) trip(ctx context.Context, t *flight.Trip[K, result[V]]) {
	keys := t.Keys()
	returned := false
	defer func() {
		if !returned {
			err := &cache.PanicError{Value: recover(), Stack: debug.Stack()}
			t.Fail(err)
			g.observe(cache.LoadPanic, len(keys), 0, err)
		}
	}()
	if g.o.Linearizable {
		g.strictRound(ctx, t, keys)
	} else {
		g.round(ctx, t, keys)
	}
	returned = true
}

// round is the protocol: reserve, load, commit.
func (g *engine[K, V]) round(ctx context.Context, t *flight.Trip[K, result[V]], keys []K) {
	slots := g.slots(keys)
	bypass := t.Depart()
	var fill cache.Fill[V]
	if !bypass && g.stores {
		fill, _ = g.reserve(ctx, slots) // has been observed
	}
	defer func() {
		if fill != nil {
			ctx, cancel := outlive(ctx)
			defer cancel()
			fill.Cancel(ctx)
		}
	}()
	if ctx.Err() != nil { // nobody waits any more
		t.Fail(ctx.Err())
		return
	}
	rest := g.met(fill, len(keys), func(i int, r result[V]) { t.Land(i, r, nil) })
	if len(rest) == 0 {
		return
	}
	results, took := g.fetch(ctx, pick(keys, rest))
	entries := make([]*cache.Entry[V], len(keys))
	storable := false
	for j, i := range rest {
		r := results[j]
		if r.err != nil && !r.absent {
			t.Land(i, r, r.err)
			continue
		}
		// The entry first: the tag function may panic, and then nobody is
		// told that all went well.
		entries[i] = g.entry(slots[i], r, took)
		storable = storable || entries[i] != nil
		t.Land(i, r, nil)
	}
	if fill == nil || !storable {
		return // nobody can vouch for anything: the Group settles it so
	}
	commit := fill.Commit
	fill = nil
	ctx, cancel := outlive(ctx)
	defer cancel()
	outcomes, err := commit(ctx, entries...)
	if err != nil && !errors.Is(err, cache.ErrNotStorable) {
		g.observe(cache.Unavailable, len(rest), 0, err)
	}
	for _, i := range rest {
		t.Settle(i, entries[i] != nil && i < len(outcomes) && outcomes[i] == cache.Stored)
	}
}

func (g *engine[K, V]) slots(keys []K) []cache.Slot[K] {
	slots := make([]cache.Slot[K], len(keys))
	for i, k := range keys {
		slots[i] = cache.Slot[K]{Key: k, Tags: g.keyTags(k), LateTags: g.o.Tags != nil, Replicated: g.o.Linearizable}
	}
	return slots
}

// outlive returns a context for what is to be done although ctx may have ended.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// reserve opens the fill of a trip.
func (g *engine[K, V]) reserve(ctx context.Context, slots []cache.Slot[K]) (cache.Fill[V], error) {
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	fill, err := g.store.Reserve(within, slots...)
	if err != nil && ctx.Err() == nil {
		g.observe(cache.Unavailable, len(slots), 0, err)
	}
	return fill, err
}

// met lands the slots that somebody else has stored meanwhile, and returns the
// places of the rest. A nil fill has met nothing.
func (g *engine[K, V]) met(fill cache.Fill[V], slots int, land func(i int, r result[V])) []int {
	rest := make([]int, 0, slots)
	now := cache.Now()
	for i := range slots {
		var e *cache.Entry[V]
		if fill != nil {
			e = fill.Found(i)
		}
		if e == nil || e.Fresh <= now || !g.serves(e) {
			rest = append(rest, i)
			continue
		}
		land(i, g.result(e))
	}
	return rest
}

// pick returns the values at places.
func pick[T any](all []T, places []int) []T {
	out := make([]T, len(places))
	for j, i := range places {
		out[j] = all[i]
	}
	return out
}

// fetch asks the origin once for keys.
func (g *engine[K, V]) fetch(ctx context.Context, keys []K) ([]result[V], time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, g.o.LoadTimeout)
	defer cancel()
	start := time.Now()
	results := g.load(ctx, keys)
	took := time.Since(start)
	if g.o.Observer != nil {
		errs := make([]error, 0, len(results))
		for _, r := range results {
			if !r.absent {
				errs = append(errs, r.err)
			}
		}
		g.observe(cache.Load, len(keys), took, distinctErrors(errs))
	}
	return results, took
}

// direct asks the origin for one caller alone, on the caller's goroutine and
// context.
func (g *engine[K, V]) direct(ctx context.Context, keys []K) (results []result[V]) {
	returned := false
	defer func() {
		if v := recover(); v != nil || !returned {
			err := &cache.PanicError{Value: v, Stack: debug.Stack()}
			g.observe(cache.LoadPanic, len(keys), 0, err)
			if results = make([]result[V], len(keys)); v == nil {
				return // the goroutine ends
			}
			for i := range results {
				results[i].err = err
			}
		}
	}()
	results, _ = g.fetch(ctx, keys)
	returned = true
	return results
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
	switch {
	case r.absent && g.policy.Negative > 0:
		e.Fresh = g.policy.Absence(now)
		e.Expires = e.Fresh
	case !r.absent && g.policy.Stores():
		e.Value = r.value
		if g.o.Tags != nil {
			e.Tags = distinct.Of(slices.Concat(slot.Tags, g.o.Tags(slot.Key, r.value)))
		}
		e.Fresh, e.Expires = g.policy.Value(now)
	default:
		return nil
	}
	return e
}
