package aside

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/flight"
)

const (
	// maxFailures is how many keys failures keeps: with the errors of the origin,
	// a megabyte or two.
	maxFailures = 10_000
	// busyPause is how long this process does not try again to refresh what another
	// process refreshes, or what cannot be stored.
	busyPause = 100 * time.Millisecond
)

// failures remembers of which keys a load has failed, and until when they are not
// loaded again, unless something was invalidated since. Of more keys than it keeps it forgets one of those whose time is
// nearly over; that key may then be loaded too early.
type failures[K comparable] struct {
	n  atomic.Int64 // of keys, so that who asks when there are none takes no lock
	mu sync.Mutex
	of map[K]failure
}

type failure struct {
	until time.Time
	err   error   // of the origin, or cache.ErrBusy, which keeps only refreshes away
	since witness // of what was invalidated since the load began
}

// get returns why a key rests, or nil.
func (f *failures[K]) get(key K) error { return f.last(key).err }

// last returns the failure because of which a key rests, or none.
func (f *failures[K]) last(key K) failure {
	if f.n.Load() == 0 {
		return failure{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	one := f.of[key]
	if one.err != nil && !now.Before(one.until) {
		one = failure{}
	}
	f.sweep(now)
	return one
}

// failed is get, but for what keeps only refreshes away.
func (f *failures[K]) failed(key K) error {
	if err := f.get(key); err != cache.ErrBusy {
		return err
	}
	return nil
}

func (f *failures[K]) add(key K, d time.Duration, err error, since witness) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[K]failure{}
	}
	f.sweep(time.Now())
	if _, ok := f.of[key]; !ok && len(f.of) >= maxFailures {
		f.forgetOne()
	}
	f.of[key] = failure{time.Now().Add(d), err, since}
	f.n.Store(int64(len(f.of)))
}

// sweep forgets some of those whose time is over, which keep more alive than their
// error. The lock is held.
func (f *failures[K]) sweep(now time.Time) {
	looks := 0
	for k, one := range f.of { // in random order
		if !now.Before(one.until) {
			delete(f.of, k)
		}
		if looks++; looks == 4 {
			break
		}
	}
	f.n.Store(int64(len(f.of)))
}

// refuted forgets a failure of which nobody vouches that it is still true.
func (f *failures[K]) refuted(key K, one failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.of[key]; now.since == one.since && now.until.Equal(one.until) {
		delete(f.of, key)
		f.n.Store(int64(len(f.of)))
	}
}

// forgetOne forgets the one of some that ends first. The lock is held.
func (f *failures[K]) forgetOne() {
	var first K
	var until time.Time
	looks := 0
	for k, one := range f.of { // in random order
		if looks == 0 || one.until.Before(until) {
			first, until = k, one.until
		}
		if looks++; looks == 8 {
			break
		}
	}
	delete(f.of, first)
}

func (f *failures[K]) end(keys ...K) {
	if f.n.Load() == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range keys {
		delete(f.of, k)
	}
	f.n.Store(int64(len(f.of)))
}

// rests returns the error of the load that has just failed, if a key must not be
// loaded again yet.
func (g *engine[K, V]) rests(key K) error {
	err := g.failures.failed(key)
	if err != nil {
		g.observe(cache.LoadSpared, 1, 0, err)
	}
	return err
}

// rested answers the keys that rest, and returns the places of the others. An earlier
// answer of the origin serves a later caller only if nothing was invalidated in between.
// The round is sealed before that is looked at, so nobody can join it any more.
func (g *engine[K, V]) rested(ctx context.Context, t *flight.Trip[K, result[V]], keys []K, places []int) []int {
	if g.failures.n.Load() == 0 {
		return places
	}
	awake := make([]int, 0, len(places))
	var resting []int
	var why []failure
	var since []witness
	for _, i := range places {
		one := g.failures.last(keys[i])
		if one.err == nil || one.err == cache.ErrBusy {
			awake = append(awake, i)
			continue
		}
		t.Seal(i)
		resting, why, since = append(resting, i), append(why, one), append(since, one.since)
	}
	if resting == nil {
		return places
	}
	for j, holds := range g.validate(ctx, since) {
		i := resting[j]
		if !holds {
			g.failures.refuted(keys[i], why[j])
			awake = append(awake, i)
			continue
		}
		g.observe(cache.LoadSpared, 1, 0, why[j].err)
		t.Land(i, result[V]{}, why[j].err)
	}
	slices.Sort(awake)
	return awake
}

// learn remembers which keys have failed. That everybody has left is no failure
// of the origin.
func (g *engine[K, V]) learn(ctx context.Context, keys []K, results []result[V], since []witness) {
	for i, r := range results {
		switch {
		case r.err == nil || r.absent:
			g.failures.end(keys[i])
		case ctx.Err() == nil:
			if d := g.policy.AfterError(); d > 0 {
				g.failures.add(keys[i], d, r.err, since[i])
			}
		}
	}
}

// putOff ends a refresh of which Reserve has failed: another process makes it, or
// what it brings could not be stored. Nobody waits for it, and who has joined it
// meanwhile goes on to a round of their own.
func (g *engine[K, V]) putOff(t *flight.Trip[K, result[V]], keys []K, places []int, err error) bool {
	if err == nil {
		return false
	}
	g.observe(cache.RefreshSkipped, len(places), 0, err)
	for _, i := range places {
		g.failures.add(keys[i], busyPause, cache.ErrBusy, witness{})
		t.Land(i, result[V]{}, nil)
		t.Settle(i, false)
	}
	return true
}
