package aside

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/flight"
)

const (
	strictPause     = time.Millisecond
	strictPauseMost = 50 * time.Millisecond
)

// strictRounds makes rounds until the store has vouched for all keys, and tells
// nobody anything else: what was loaded while a writer was at work may be newer
// than what another reader has next.
func (g *engine[K, V]) strictRounds(ctx context.Context, t *flight.Trip[K, result[V]], keys []K, w way) {
	refresh := t.Refreshes()
	places := all(keys) // of the keys that are left
	for pause := strictPause; ; pause = min(2*pause, strictPauseMost) {
		places = g.strictAttempt(ctx, t, keys, places, refresh, w)
		refresh = false
		if len(places) == 0 || ctx.Err() != nil || t.Abandoned() {
			t.Fail(cmp.Or(ctx.Err(), context.Canceled))
			return
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// strictAttempt returns the places of the keys that the store has not vouched
// for. refresh says that it is the first one of a refresh.
func (g *engine[K, V]) strictAttempt(ctx context.Context, t *flight.Trip[K, result[V]], all []K, places []int, refresh bool, w way) (left []int) {
	place, places := g.enter(ctx, t, all, places, refresh)
	if place == nil {
		return nil
	}
	defer place.release()
	t.Depart() // while it waited for a place, all could join it
	t.Finish(g.finishes)
	refresh = refresh && t.Unattended()
	for _, i := range places {
		// What the store says from now on is too old for those who come later.
		t.Seal(i)
	}
	keys, places, slots := g.slots(ctx, t, all, places)
	if len(keys) == 0 {
		return nil
	}
	fill, err := g.reserve(ctx, slots, refresh, w)
	if refresh && g.putOff(t, keys, places, err) {
		return nil
	}
	if err != nil {
		t.Fail(err)
		return nil
	}
	defer func() {
		if fill != nil {
			ctx, cancel := outlive(ctx)
			defer cancel()
			fill.Cancel(ctx)
		}
	}()
	rest, found, old := g.toLoad(t, fill, slots, places, w)
	if len(rest) == 0 {
		return nil
	}
	since := g.witnesses(fill, rest)
	results, took := g.fetch(ctx, pick(keys, rest), old, place.move(), since)
	entries := make([]*cache.Entry[V], len(keys))
	var bad []int // of rest
	for n, j := range rest {
		r := &results[n]
		if entries[j] = g.entry(ctx, slots[j], r, took); r.err != nil && !r.absent {
			t.Land(places[j], *r, r.err)
			bad = append(bad, n)
		} else {
			r.times = timesOf(entries[j], false)
		}
	}
	within, cancel := outlive(ctx)
	defer cancel()
	outcomes, err := fill.Commit(within, entries...)
	fill = nil // only now: it is cancelled if the store panics
	for n, j := range rest {
		switch {
		case entries[j] == nil: // has failed
		case j < len(outcomes) && outcomes[j].Valid():
			t.Land(places[j], results[n], nil)
		case err != nil:
			t.Land(places[j], result[V]{}, err)
		default:
			left = append(left, places[j])
		}
	}
	g.compare(found, results, outcomes)
	g.settle(within, t, pick(pick(places, rest), bad), pick(since, bad))
	return left
}

// checkStrict returns why a Loader cannot be linearizable, or nil.
func (g *engine[K, V]) checkStrict() error {
	switch {
	case !g.policy.Stores():
		return errors.New("larder: aside: Options.Linearizable is set, but Policy.Fresh is 0: only what the store has can be vouched for")
	case g.o.NotFound != nil && g.policy.Negative == 0:
		return errors.New("larder: aside: Options.Linearizable and NotFound are set, but Policy.Negative is 0: that there is no value must be stored too")
	case g.policy.IfError > 0:
		return errors.New("larder: aside: Options.Linearizable and Policy.IfError are set: what is served because the origin fails is not what a copy of it would say")
	case g.o.TTL != nil:
		return errors.New("larder: aside: Options.Linearizable and Options.TTL are set: a value that is not stored cannot be vouched for")
	}
	return nil
}
