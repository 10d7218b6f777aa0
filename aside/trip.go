package aside

import (
	"context"
	"errors"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/flight"
)

// trip makes one round of some keys: reserve, load, commit. The order is the
// protocol; see the package flight for who gets what when.
func (g *engine[K, V]) trip(ctx context.Context, t *flight.Trip[K, result[V]]) {
	keys := t.Keys()
	tags := make([][]string, len(keys))
	for i, k := range keys {
		tags[i] = g.keyTags(k)
	}
	t.Depart()
	fill := g.reserve(ctx, t.Bypass, keys, tags)
	defer func() {
		if fill != nil {
			fill.Cancel(context.WithoutCancel(ctx))
		}
	}()
	rest := g.met(t, fill, keys)
	if len(rest) == 0 {
		return
	}
	results, took := g.fetch(ctx, keys, rest)
	entries := make([]*cache.Entry[V], len(keys))
	for j, i := range rest {
		r := results[j]
		if r.err == nil || r.absent {
			// The entry first: the tag function may panic, and then nobody is
			// told that all went well.
			entries[i] = g.entry(keys[i], r, tags[i], took)
			t.Land(i, r, nil)
		} else {
			t.Land(i, r, r.err)
		}
	}
	if fill == nil {
		return // nobody can vouch for anything: the Group settles it so
	}
	f := fill
	fill = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.o.LoadTimeout)
	defer cancel()
	outcomes, err := f.Commit(ctx, entries...)
	if err != nil && !errors.Is(err, cache.ErrNotStorable) {
		g.observe(cache.Unavailable, 0, err)
	}
	for _, i := range rest {
		t.Settle(i, entries[i] != nil && i < len(outcomes) && outcomes[i] != cache.Refused)
	}
}

// reserve opens the fill of a trip, or returns nil if nothing can be stored.
func (g *engine[K, V]) reserve(ctx context.Context, bypass bool, keys []K, tags [][]string) cache.Fill[V] {
	if bypass || !g.stores {
		return nil
	}
	slots := make([]cache.Slot[K], len(keys))
	for i, k := range keys {
		slots[i] = cache.Slot[K]{Key: k, Tags: tags[i], LateTags: g.o.Tags != nil}
	}
	fill, err := g.store.Reserve(ctx, slots...)
	if err != nil {
		g.observe(cache.Unavailable, 0, err)
		return nil
	}
	return fill
}

// met lands the keys that somebody else has stored meanwhile, and returns the
// places of the rest.
func (g *engine[K, V]) met(t *flight.Trip[K, result[V]], fill cache.Fill[V], keys []K) []int {
	rest := make([]int, 0, len(keys))
	now := cache.Now()
	for i := range keys {
		var e *cache.Entry[V]
		if fill != nil {
			e = fill.Found(i)
		}
		if e == nil || e.Fresh <= now || !g.serves(e) {
			rest = append(rest, i)
			continue
		}
		v, err := g.answer(e, nil)
		t.Land(i, result[V]{v, err, e.Absent}, nil)
	}
	return rest
}

// fetch asks the origin, once, for the keys at the places of rest.
func (g *engine[K, V]) fetch(ctx context.Context, keys []K, rest []int) ([]result[V], time.Duration) {
	wanted := make([]K, len(rest))
	for j, i := range rest {
		wanted[j] = keys[i]
	}
	ctx, cancel := context.WithTimeout(ctx, g.o.LoadTimeout)
	defer cancel()
	start := time.Now()
	returned := false
	defer func() {
		if !returned {
			g.observe(cache.LoadPanic, time.Since(start), nil)
		}
	}()
	results := g.load(ctx, wanted)
	returned = true
	took := time.Since(start)
	var err error
	for _, r := range results {
		if r.err != nil && !r.absent {
			err = errors.Join(err, r.err)
		}
	}
	g.observe(cache.Load, took, err)
	return results, took
}
