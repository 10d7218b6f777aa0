package aside

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/flight"
)

// storeTimeout bounds each call of the store during a trip, for stores that have
// no limit of their own.
const storeTimeout = 10 * time.Second

// trip makes one round of some keys; see the package flight for who gets what
// when. A panic of a tag function ends here, and one of the load function in call.
func (g *engine[K, V]) trip(ctx context.Context, t *flight.Trip[K, result[V]]) {
	if g.o.Linearizable {
		g.contain(ctx, t, g.strictRound)
	} else {
		g.contain(ctx, t, g.round)
	}
}

// contain makes a round, and answers those who wait if it panics.
func (g *engine[K, V]) contain(ctx context.Context, t *flight.Trip[K, result[V]], round func(context.Context, *flight.Trip[K, result[V]], []K)) {
	keys := t.Keys()
	returned := false
	defer func() {
		if !returned {
			err := &cache.PanicError{Value: recover(), Stack: debug.Stack()}
			t.Fail(err)
			g.observe(cache.LoadPanic, len(keys), 0, err)
		}
	}()
	round(ctx, t, keys)
	returned = true
}

// round is the protocol: reserve, load, commit.
func (g *engine[K, V]) round(ctx context.Context, t *flight.Trip[K, result[V]], keys []K) {
	// While it waits for a place nothing is read, so that all may join it.
	place, at := g.enter(ctx, t, keys, all(keys), t.Refreshes())
	if place == nil {
		return
	}
	defer place.release()
	keys = pick(keys, at)
	slots := g.slots(keys)
	bypass := t.Depart()
	refresh := t.Unattended()
	var fill cache.Fill[V]
	if !bypass && g.stores {
		var err error
		if fill, err = g.reserve(ctx, slots, refresh); refresh && g.putOff(t, keys, at, err) {
			return
		} // any other has been observed
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
	rest := g.met(t, fill, slots, at)
	if len(rest) == 0 {
		return
	}
	results, took := g.fetch(ctx, pick(keys, rest), g.old(fill, rest[0]), place.move(), true)
	entries := make([]*cache.Entry[V], len(keys))
	storable := false
	for n, j := range rest {
		r := results[n]
		if r.err != nil && !r.absent {
			t.Land(at[j], r, r.err)
			continue
		}
		// The entry first: the tag function may panic, and then nobody is
		// told that all went well.
		entries[j] = g.entry(slots[j], r, took)
		r.times = timesOf(entries[j], false)
		storable = storable || entries[j] != nil
		t.Land(at[j], r, nil)
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
	for _, j := range rest {
		t.Settle(at[j], entries[j] != nil && j < len(outcomes) && outcomes[j] == cache.Stored)
	}
}

// enter takes a place among the loads for those of a trip's keys that need not
// rest, and returns where these are. It answers the others, and all if there is no
// place for them: then it returns nil. has says that the trip has one already.
func (g *engine[K, V]) enter(ctx context.Context, t *flight.Trip[K, result[V]], keys []K, at []int, has bool) (*permit, []int) {
	if !has {
		if at = g.rested(t, keys, at); len(at) == 0 {
			return nil, nil
		}
	}
	place, err := &permit{g.limits, true}, error(nil)
	if !has {
		place, err = g.limits.enter(ctx, g.o.LoadTimeout)
	}
	if err != nil {
		if ctx.Err() == nil {
			g.observe(cache.LoadRefused, len(at), 0, err)
		}
		t.Fail(err)
		return nil, nil
	}
	if at = g.rested(t, keys, at); len(at) == 0 {
		place.release()
		return nil, nil
	}
	return place, at
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
func (g *engine[K, V]) reserve(ctx context.Context, slots []cache.Slot[K], refresh bool) (cache.Fill[V], error) {
	for i := range slots {
		slots[i].Refresh = refresh
	}
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	fill, err := g.store.Reserve(within, slots...)
	if err != nil && ctx.Err() == nil && !(refresh && errors.Is(err, cache.ErrBusy)) {
		g.observe(cache.Unavailable, len(slots), 0, err)
	}
	return fill, err
}

// met lands the slots that somebody else has stored meanwhile, and returns which
// are left. at are their places in the trip. A nil fill has met nothing.
func (g *engine[K, V]) met(t *flight.Trip[K, result[V]], fill cache.Fill[V], slots []cache.Slot[K], at []int) []int {
	rest := make([]int, 0, len(slots))
	now := cache.Now()
	for j, i := range at {
		var e *cache.Entry[V]
		if fill != nil {
			e = fill.Found(j)
		}
		if e == nil || e.Fresh <= now || !g.serves(e) || slots[j].Refresh && !other(e, t.Cause(i)) {
			rest = append(rest, j)
			continue
		}
		t.Land(i, g.result(e), nil)
	}
	return rest
}

// all returns the places of all keys.
func all[K any](keys []K) []int {
	places := make([]int, len(keys))
	for i := range places {
		places[i] = i
	}
	return places
}

// pick returns the values at places, which are in order: all itself if these are
// all.
func pick[T any](all []T, places []int) []T {
	if len(places) == len(all) {
		return all
	}
	out := make([]T, len(places))
	for j, i := range places {
		out[j] = all[i]
	}
	return out
}
