package aside

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// Lookup is Get with what is known about the value, and as one caller wishes it. The
// zero Wish is Get. A Wish that contradicts itself is an error that names its
// fields. It costs what Get does, and some allocations.
func (g *engine[K, V]) Lookup(ctx context.Context, key K, w Wish) (Answer[V], error) {
	if g.check != nil {
		if err := g.invalid(g.check(key)); err != nil {
			return Answer[V]{}, err
		}
	}
	mode := g.mode(key)
	switch err := w.check(g.o.Domain != nil); {
	case err != nil:
		return Answer[V]{}, err
	case g.closed.Load():
		return Answer[V]{}, cache.ErrClosed
	case w.CacheOnly && cache.Bypassed(ctx):
		return Answer[V]{}, errors.New("larder: Wish.CacheOnly is set, but the context is one of cache.Bypass: then nobody is asked")
	case w.Bypass || cache.Bypassed(ctx):
		r := g.direct(ctx, []K{key})[0]
		r.times = timesOf[V](nil, false)
		return g.loaded(r, r.err, cache.Now())
	case w.CacheOnly && mode != cache.ModeOn:
		return Answer[V]{}, fmt.Errorf("%w: the Switch is on %v", cache.ErrNotCached, mode)
	case mode == cache.ModeBypass:
		r, err := g.loadAround(ctx, key, g.around().direct)
		return g.loaded(r, err, cache.Now())
	case mode != cache.ModeOn:
		r, err := g.loadAround(ctx, key, g.around().of(mode))
		return g.young(ctx, key, w, r, err)
	}
	if w.AtLeast != "" {
		var err error
		panicked := g.hook(ctx, "Options.Domain", func() { err = g.o.Domain.AtLeast(ctx, w.AtLeast) })
		if err := cmp.Or(panicked, err); err != nil {
			return g.unheard(ctx, key, w, err)
		}
	}
	return g.look(ctx, key, w)
}

// unheard is Lookup if the Domain cannot tell what was written: the origin can.
func (g *engine[K, V]) unheard(ctx context.Context, key K, w Wish, err error) (Answer[V], error) {
	told := g.unavailable(ctx, 1, err)
	switch {
	case told != nil:
		return Answer[V]{}, told
	case w.CacheOnly:
		return Answer[V]{}, fmt.Errorf("%w: %w", cache.ErrNotCached, err)
	}
	r, err := g.loadAround(ctx, key, g.around().direct)
	return g.loaded(r, err, cache.Now())
}

// look asks the store first.
func (g *engine[K, V]) look(ctx context.Context, key K, w Wish) (Answer[V], error) {
	var e *cache.Entry[V]
	s, level := beyond, cache.Origin
	if g.stores {
		var err error
		if e, level, err = cache.Find(ctx, g.store, key); err == nil {
			s = g.judge(e)
		} else if told := g.unavailable(ctx, 1, err); told != nil {
			return Answer[V]{}, told
		} else if w.CacheOnly {
			return Answer[V]{}, fmt.Errorf("%w: %w", cache.ErrNotCached, err)
		}
	}
	old, now := false, cache.Now()
	if s > beyond {
		old, s = w.tooOld(timesOf(e, true), now), w.limit(s, e.Fresh, now)
	}
	switch {
	case w.CacheOnly && (old || s.waits()):
		return Answer[V]{}, cache.ErrNotCached
	case old:
		r, err := g.loadAround(ctx, key, g.around().anew)
		return g.young(ctx, key, w, r, err)
	case s.waits():
		return g.lookForLoad(ctx, key, w, e, level, s)
	}
	return g.served(ctx, key, w, e, level, s, now)
}

// served answers with an entry of the store for which nobody has to wait.
func (g *engine[K, V]) served(ctx context.Context, key K, w Wish, e *cache.Entry[V], level cache.Level, s standing, now cache.Moment) (Answer[V], error) {
	a := facts[V](timesOf(e, true), level, now)
	a.Stale = s == stale // to the clock by which that was decided
	if a.Stale {
		a.Reason, a.Err = g.whyStale(key, w)
		g.observe(cache.StaleServed, 1, 0, nil)
	}
	if !w.CacheOnly && (s == stale || s == due) {
		g.renew(ctx, []K{key}, []any{cause(e, s)})
	}
	return g.with(a, e)
}

// whyStale returns why a stale value is served at once.
func (g *engine[K, V]) whyStale(key K, w Wish) (Reason, error) {
	if w.CacheOnly {
		return NotAsked, nil
	}
	if err := g.failures.failed(key); err != nil {
		return BackingOff, err
	}
	return Refreshing, nil
}

// with answers what an entry says.
func (g *engine[K, V]) with(a Answer[V], e *cache.Entry[V]) (Answer[V], error) {
	if e.Absent {
		return a, g.o.NotFound
	}
	a.Value = e.Value
	return a, nil
}

// lookForLoad answers with a load or, if the store has a spare value and that
// fails, with this.
func (g *engine[K, V]) lookForLoad(ctx context.Context, key K, w Wish, e *cache.Entry[V], level cache.Level, s standing) (Answer[V], error) {
	rested := g.failures.failed(key)
	e, r, err := g.share(ctx, key, w, e, s)
	if e == nil {
		return g.young(ctx, key, w, r, err)
	}
	now := cache.Now()
	if w.tooOld(timesOf(e, true), now) { // since it was read
		return Answer[V]{}, reason(err)
	}
	a := facts[V](timesOf(e, true), level, now)
	if a.Stale {
		a.Err = err
		switch {
		case rested != nil:
			a.Reason = BackingOff
		case contain.Is(err, cache.ErrOverloaded):
			a.Reason = Overloaded
		case contain.Is(err, cache.ErrLoadTimeout):
			a.Reason = OriginSlow
		default:
			a.Reason = OriginFailed
		}
	}
	return g.with(a, e)
}

// young answers what was loaded or, if that is older than the caller wishes, what is
// loaded anew. Somebody else may have stored it before, and what was loaded for others
// too is as old as the store has taken to vouch for it.
func (g *engine[K, V]) young(ctx context.Context, key K, w Wish, r result[V], err error) (Answer[V], error) {
	now := cache.Now()
	if err != nil || !w.tooOld(r.times, now) {
		return g.loaded(r, err, now)
	}
	r, err = g.loadAround(ctx, key, g.around().anew)
	now = cache.Now()
	switch {
	case err != nil || !w.tooOld(r.times, now):
		return g.loaded(r, err, now)
	case g.o.Linearizable:
		return Answer[V]{}, fmt.Errorf("%w: the store has taken longer than Wish.MaxAge, %v, to vouch for the value", cache.ErrLoadTimeout, w.MaxAge)
	}
	r, err = g.loadAround(ctx, key, g.around().direct) // for which nobody has to vouch
	return g.loaded(r, err, cache.Now())
}

// loaded answers what the origin has said, or what somebody else had stored when it
// was about to be asked.
func (g *engine[K, V]) loaded(r result[V], err error, now cache.Moment) (Answer[V], error) {
	if err == nil {
		err = r.err
	}
	if err != nil && !r.absent {
		return Answer[V]{Value: r.value}, err // as the load function returned them
	}
	level := cache.Origin
	if r.met {
		level = cache.LevelOf(g.store)
	}
	a := facts[V](r.times, level, now)
	a.Value = r.value
	return a, err
}
