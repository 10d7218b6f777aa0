package aside

import (
	"context"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/flight"
)

// storeTimeout bounds each call of the store during a trip, for stores that have
// no limit of their own.
const storeTimeout = 10 * time.Second

// way is what a round makes of what the store has.
type way uint8

const (
	inTurn   way = iota // it is the answer
	loadAnew            // it is loaded all the same
	compared            // and compared with what was loaded
)

// rounds returns the round of a way.
func (g *engine[K, V]) rounds(w way) func(context.Context, *flight.Trip[K, result[V]], []K) {
	return func(ctx context.Context, t *flight.Trip[K, result[V]], keys []K) {
		if g.o.Linearizable {
			g.strictRounds(ctx, t, keys, w)
		} else {
			g.round(ctx, t, keys, w)
		}
	}
}

// group returns flights of which each trip makes a round of some keys; see the package
// flight for who gets what when.
func (g *engine[K, V]) group(round func(context.Context, *flight.Trip[K, result[V]], []K)) *flight.Group[K, result[V]] {
	made := flight.New(func(ctx context.Context, t *flight.Trip[K, result[V]]) { g.contain(ctx, t, round) })
	made.Name = g.loadName
	return made
}

// round is the protocol: reserve, load, commit.
func (g *engine[K, V]) round(ctx context.Context, t *flight.Trip[K, result[V]], keys []K, w way) {
	// While it waits for a place nothing is read, so that all may join it.
	place, at := g.enter(ctx, t, keys, all(keys), t.Refreshes())
	if place == nil {
		return
	}
	defer place.release()
	keys, at, slots := g.slots(ctx, t, keys, at)
	if len(keys) == 0 {
		return
	}
	bypass := t.Depart()
	refresh := t.Unattended()
	var fill cache.Fill[V]
	if !bypass && g.stores {
		t.Finish(g.finishes)
		var err error
		if fill, err = g.reserve(ctx, slots, refresh, w); refresh && g.putOff(t, keys, at, err) {
			return
		} // any other has been observed
		t.Finish(g.finishes && fill != nil)
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
	rest, found, old := g.toLoad(t, fill, slots, at, w)
	if len(rest) == 0 {
		return
	}
	since := g.witnesses(fill, rest)
	results, took := g.fetch(ctx, pick(keys, rest), old, place.move(), since)
	entries := make([]*cache.Entry[V], len(keys))
	storable := false
	var bad []int // of rest
	for n, j := range rest {
		// The entry first: the tag function may panic, and then nobody is
		// told that all went well.
		r := &results[n]
		entries[j] = g.entry(ctx, slots[j], r, took)
		if r.err != nil && !r.absent {
			t.Land(at[j], *r, r.err)
			bad = append(bad, n)
			continue
		}
		r.times = timesOf(entries[j], false)
		storable = storable || entries[j] != nil
		t.Land(at[j], *r, nil)
	}
	if fill == nil {
		return // nobody can vouch for anything: the Group settles it so
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	if storable {
		outcomes, err := fill.Commit(ctx, entries...)
		fill = nil // only now: it is cancelled if the store panics
		if err != nil && !contain.Is(err, cache.ErrNotStorable) {
			g.observe(cache.Unavailable, len(rest), 0, err)
		}
		for _, j := range rest {
			if entries[j] != nil {
				t.Settle(at[j], j < len(outcomes) && outcomes[j].Valid())
			}
		}
		g.compare(found, results, outcomes)
	} else {
		end := fill.Cancel
		fill = nil
		end(ctx) // first, since others may wait for it
	}
	g.settle(ctx, t, pick(pick(at, rest), bad), pick(since, bad))
}

// toLoad returns which of the slots are to be loaded, having answered the others,
// what they are to be compared with, and what is shown to the load function.
func (g *engine[K, V]) toLoad(t *flight.Trip[K, result[V]], fill cache.Fill[V], slots []cache.Slot[K], at []int, w way) (rest []int, found []*cache.Entry[V], old *cache.Entry[V]) {
	if w == inTurn {
		if rest = g.met(t, fill, slots, at); len(rest) > 0 {
			old = g.old(fill, rest[0])
		}
		return rest, nil, old
	}
	for j := range slots {
		rest = append(rest, j)
	}
	if w == loadAnew || fill == nil {
		return rest, nil, g.old(fill, 0)
	}
	for j := range slots {
		found = append(found, fill.Found(j))
	}
	return rest, found, nil // which is shown nothing, or it might not say what the origin has
}

// enter takes a place among the loads for those of a trip's keys that need not
// rest, and returns where these are. It answers the others, and all if there is no
// place for them: then it returns nil. has says that the trip has one already.
func (g *engine[K, V]) enter(ctx context.Context, t *flight.Trip[K, result[V]], keys []K, at []int, has bool) (*permit, []int) {
	if !has {
		if at = g.rested(ctx, t, keys, at); len(at) == 0 {
			return nil, nil
		}
	}
	place := &permit{g.limits, true}
	if !has {
		if place = g.place(ctx, t, len(at)); place == nil {
			return nil, nil
		}
	}
	keep := false
	defer func() {
		if !keep { // also if the store panics, or an Observer ends the goroutine
			place.release()
		}
	}()
	if at = g.rested(ctx, t, keys, at); len(at) == 0 {
		return nil, nil
	}
	keep = true
	return place, at
}

// place takes a place among the loads for n keys of a trip. If there is none, it
// answers all that have no answer, and returns nil.
func (g *engine[K, V]) place(ctx context.Context, t *flight.Trip[K, result[V]], n int) *permit {
	place, err := g.limits.enter(ctx, g.o.LoadTimeout)
	if err == nil {
		return place
	}
	if ctx.Err() == nil {
		g.observe(cache.LoadRefused, n, 0, err)
	}
	t.Fail(err)
	return nil
}

// slots returns the slots of those keys of a trip that are at these places and whose tags
// are known, with the keys and places. It answers the others.
func (g *engine[K, V]) slots(ctx context.Context, t *flight.Trip[K, result[V]], all []K, at []int) (keys []K, places []int, slots []cache.Slot[K]) {
	keys, places = make([]K, 0, len(at)), make([]int, 0, len(at))
	slots = make([]cache.Slot[K], 0, len(at))
	for _, i := range at {
		tags, err := g.keyTags(ctx, all[i])
		if err != nil {
			t.Land(i, result[V]{}, err)
			continue
		}
		keys, places = append(keys, all[i]), append(places, i)
		slots = append(slots, cache.Slot[K]{Key: all[i], Tags: tags, LateTags: g.o.Tags != nil, Replicated: g.o.Linearizable})
	}
	return keys, places, slots
}

// outlive returns a context for what is to be done although ctx may have ended.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// reserve opens the fill of a trip. What is loaded although it is there needs one past
// the memory in front of a shared store, which opens none there if it has a value.
func (g *engine[K, V]) reserve(ctx context.Context, slots []cache.Slot[K], refresh bool, w way) (cache.Fill[V], error) {
	store := g.store
	if w != inTurn {
		store = cache.Strict(store)
	}
	for i := range slots {
		slots[i].Refresh = refresh
	}
	within, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	fill, err := store.Reserve(within, slots...)
	if err != nil && ctx.Err() == nil && !(refresh && contain.Is(err, cache.ErrBusy)) {
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
