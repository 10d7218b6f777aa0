package aside

import (
	"context"
	"fmt"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/flight"
)

// errSoft is why a value past its time was returned while it is loaded again.
var errSoft = fmt.Errorf("%w: longer than Options.SoftTimeout", cache.ErrLoadTimeout)

// share has the answer loaded. If that fails, is slow or is not begun, and what the
// store has is good for this case and as the caller wishes, it returns the entry
// instead, with the error that is the reason.
func (g *engine[K, V]) share(ctx context.Context, key K, w Wish, e *cache.Entry[V], s standing) (*cache.Entry[V], result[V], error) {
	if s == spare {
		if err := g.rests(key); err != nil {
			g.observe(cache.StaleOnError, 1, 0, err) // nobody has waited: it was read just now
			return e, result[V]{}, err
		}
	}
	soon, cancel := g.soon(ctx, s == spare)
	r, err := g.flights.Do(soon, key, s == beyond)
	cancel()
	if err == nil || s != spare {
		return nil, r, err
	}
	if e := g.instead(ctx, key, w, err); e != nil {
		return e, r, reason(err)
	}
	if err == flight.ErrPatience { // there is no other answer
		r, err = g.flights.Do(ctx, key, false)
	}
	return nil, r, err
}

// soon returns the context of a caller who has a spare answer.
func (g *engine[K, V]) soon(ctx context.Context, spare bool) (context.Context, context.CancelFunc) {
	if !spare || g.o.SoftTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, g.o.SoftTimeout, flight.ErrPatience)
}

// instead returns the entry to answer with because of err, which the caller has
// waited for. The store is asked again: what it had before the wait may have been
// invalidated since, or be too old by now.
func (g *engine[K, V]) instead(ctx context.Context, key K, w Wish, err error) *cache.Entry[V] {
	if ctx.Err() != nil || contain.Is(err, cache.ErrClosed) {
		return nil
	}
	e, failed := g.store.Get(ctx, key)
	if failed != nil {
		g.unavailable(ctx, 1, failed)
		return nil
	}
	s := g.judge(e)
	if s != missing {
		now := cache.Now()
		if s = w.limit(s, e.Fresh, now); w.tooOld(timesOf(e, true), now) {
			return nil
		}
	}
	switch s {
	case missing:
		return nil
	case stale, spare:
		g.observe(cache.StaleOnError, 1, 0, reason(err))
	}
	return e
}

// reason returns what an Observer is told of an error.
func reason(err error) error {
	if err == flight.ErrPatience {
		return errSoft
	}
	return err
}

// shareMany is share for several keys, of which some are spare. Each has an error
// or a result.
func (g *engine[K, V]) shareMany(ctx context.Context, keys []K, spares map[K]*cache.Entry[V], bypass bool) ([]result[V], []error) {
	soon, cancel := g.soon(ctx, len(spares) > 0)
	defer cancel()
	results, errs := g.flights.DoMany(ctx, soon, keys, func(k K) bool { return spares[k] != nil }, bypass)
	for len(spares) > 0 {
		var lost []K // they have failed
		for i, k := range keys {
			if errs[i] != nil && spares[k] != nil && !contain.Is(errs[i], cache.ErrClosed) {
				lost = append(lost, k)
			}
		}
		if len(lost) == 0 || ctx.Err() != nil {
			break
		}
		kept, err := g.store.GetMany(ctx, lost)
		if err != nil {
			g.unavailable(ctx, len(lost)-len(kept), err)
		}
		for k, e := range kept {
			if g.judge(e) == missing {
				delete(kept, k)
			}
		}
		if !g.waitOn(ctx, keys, kept, results, errs) {
			g.serve(keys, kept, results, errs)
			break
		}
		// Some have waited again, so all must ask again.
	}
	for i, err := range errs {
		if err == flight.ErrPatience {
			errs[i] = ctx.Err()
		}
	}
	return results, errs
}

// waitOn waits for the keys that are slow and have no other answer in kept, and
// reports whether there were any.
func (g *engine[K, V]) waitOn(ctx context.Context, keys []K, kept map[K]*cache.Entry[V], results []result[V], errs []error) bool {
	var slow []int
	for i, k := range keys {
		if errs[i] == flight.ErrPatience && kept[k] == nil {
			slow = append(slow, i)
		}
	}
	if slow == nil {
		return false
	}
	again, failed := g.flights.DoMany(ctx, ctx, pick(keys, slow), nil, false)
	for j, i := range slow {
		results[i], errs[i] = again[j], failed[j]
	}
	return true
}

// serve replaces errors by what the store has kept.
func (g *engine[K, V]) serve(keys []K, kept map[K]*cache.Entry[V], results []result[V], errs []error) {
	var why []error
	for i, k := range keys {
		e := kept[k]
		if e == nil {
			continue
		}
		if s := g.judge(e); s != fresh && s != due {
			why = append(why, reason(errs[i]))
		}
		results[i], errs[i] = g.result(e), nil
	}
	if len(why) > 0 {
		g.observe(cache.StaleOnError, len(why), 0, distinctErrors(why))
	}
}
