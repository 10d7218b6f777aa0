package flight

import (
	"context"
	"fmt"
	"strings"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/waitgraph"
)

// Trip is one round of some keys, as the work function sees it.
type Trip[K comparable, R any] struct {
	group *Group[K, R]
	run   *run[K, R]
	calls []*call[K, R]
	ended chan struct{} // closed when all its keys have settled
	load  waitgraph.Work
}

// Name names the load of a trip in errors.
func (t *Trip[K, R]) Name() string {
	if t.group.Name == nil {
		return fmt.Sprint(t.Keys())
	}
	return t.group.Name(t.Keys())
}

// begin notes that the load of which ctx is the context waits for what t is a place in. If
// that would never end, it gives up the place.
func (g *Group[K, R]) begin(ctx context.Context, t ticket[K, R]) (waitgraph.Wait, error) {
	within, cycle := waitgraph.Begin(ctx, &t.call.run.target)
	if cycle == nil {
		return within, nil
	}
	g.leave(t, false)
	return within, fmt.Errorf("%w: %s", cache.ErrLoadCycle, strings.Join(cycle, " -> "))
}

// Keys returns the keys of the trip, in a slice of the caller's own.
func (t *Trip[K, R]) Keys() []K {
	keys := make([]K, len(t.calls))
	for i, c := range t.calls {
		keys[i] = c.key
	}
	return keys
}

// Refreshes reports whether the trip was begun by Refresh, for nobody.
func (t *Trip[K, R]) Refreshes() bool {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	return t.run.refresh
}

// Unattended reports whether the trip was begun by Refresh and nobody has joined
// it before it departed. Those who join it later can have another round.
func (t *Trip[K, R]) Unattended() bool {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	for _, c := range t.calls {
		if !c.run.refresh || c.round.early > 0 {
			return false
		}
	}
	return true
}

// Finish says whether the trip goes on when everybody who waited for it has left,
// until Close. Whoever comes then joins it. Until it says so, it does not.
func (t *Trip[K, R]) Finish(on bool) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	t.run.finish = on
	t.group.abandon(t.run)
}

// Abandoned reports whether everybody who waited has left, and the trip goes on only
// because of Finish.
func (t *Trip[K, R]) Abandoned() bool {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	return t.run.waiters == 0 && !t.run.kept
}

// Cause returns what Refresh was given with the i-th key.
func (t *Trip[K, R]) Cause(i int) any { return t.calls[i].cause }

// Depart ends the gathering of all keys. What is read from now on, those who
// join from now on cannot simply have. It reports whether to bypass the store,
// because nobody who waits could reach it.
func (t *Trip[K, R]) Depart() (bypass bool) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	bypass = true
	for _, c := range t.calls {
		if c.round.phase == gathering {
			c.round.phase = departed
		}
		bypass = bypass && !c.round.reached
	}
	return bypass
}

// Land gives the early waiters of the i-th key their answer, which may be an
// error, and seals the round.
func (t *Trip[K, R]) Land(i int, res R, err error) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	t.group.land(t.calls[i], res, err)
}

// Late reports whether somebody waits for the Settle of the i-th key. It is asked
// after Land.
func (t *Trip[K, R]) Late(i int) bool {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	return t.calls[i].round.late > 0
}

// Seal keeps newcomers out of the round of the i-th key before it lands: for work
// that asks the store for its blessing before it tells anybody.
func (t *Trip[K, R]) Seal(i int) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	if r := t.calls[i].round; r.phase < sealed {
		r.phase = sealed
	}
}

// Fail lands all keys that have not landed with err.
func (t *Trip[K, R]) Fail(err error) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	for i, c := range t.calls {
		if c.round.phase < landed {
			var none R
			t.group.land(t.calls[i], none, err)
		}
	}
}

// Settle gives the late waiters of the i-th key the same answer, or error, if it is
// valid, that is if nothing was invalidated between departure and now; otherwise
// they are carried into the next round.
func (t *Trip[K, R]) Settle(i int, valid bool) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	t.group.settle(t.calls[i], valid)
}
