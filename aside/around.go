package aside

import (
	"context"
	"maps"
	"reflect"
	"sync"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/flight"
)

// byways are the loads that do not answer from the cache, whatever it has. Each of
// them is shared with its like only: who reads the cache may have what is in it.
type byways[K comparable, V any] struct {
	// direct neither reads nor fills the store, shadow fills it and compares, anew
	// fills it.
	direct, shadow, anew *flight.Group[K, result[V]]
}

// around returns the byways, which most Loaders never need.
func (g *engine[K, V]) around() *byways[K, V] {
	if b := g.byways.Load(); b != nil {
		return b
	}
	g.byways.CompareAndSwap(nil, &byways[K, V]{g.group(g.directRound), g.group(g.rounds(compared)), g.group(g.rounds(loadAnew))})
	return g.byways.Load()
}

// forget is for invalidations. Whoever comes after one finds nothing that would have
// to be loaded anew.
func (b *byways[K, V]) forget(keys []K) {
	for _, k := range keys {
		b.direct.Forget(k)
		b.shadow.Forget(k)
	}
}

func (b *byways[K, V]) wait(ctx context.Context) int {
	return b.direct.Wait(ctx) + b.shadow.Wait(ctx) + b.anew.Wait(ctx)
}

func (b *byways[K, V]) close(ctx context.Context) int {
	return b.direct.Close(ctx) + b.shadow.Close(ctx) + b.anew.Close(ctx)
}

func (b *byways[K, V]) of(mode cache.Mode) *flight.Group[K, result[V]] {
	if mode == cache.ModeShadow {
		return b.shadow
	}
	return b.direct
}

// mode returns what the Switch says of a key.
func (g *engine[K, V]) mode(key K) cache.Mode {
	if g.o.Switch == nil {
		return cache.ModeOn
	}
	return cache.ModeOf(g.o.Switch, key)
}

// modes returns keys by their modes, or nil if all are on.
func (g *engine[K, V]) modes(keys []K) map[cache.Mode][]K {
	if g.o.Switch == nil {
		return nil
	}
	parts := map[cache.Mode][]K{}
	for _, k := range keys {
		mode := g.mode(k)
		parts[mode] = append(parts[mode], k)
	}
	if len(parts[cache.ModeOn]) == len(keys) {
		return nil
	}
	return parts
}

// aroundCache is Get of a key that the Switch keeps from the cache.
func (g *engine[K, V]) aroundCache(ctx context.Context, key K, mode cache.Mode) (V, error) {
	r, err := g.loadAround(ctx, key, g.around().of(mode))
	if err == nil {
		err = r.err
	}
	return r.value, err
}

func (g *engine[K, V]) loadAround(ctx context.Context, key K, by *flight.Group[K, result[V]]) (result[V], error) {
	if g.closed.Load() {
		return result[V]{}, cache.ErrClosed
	}
	return by.Do(ctx, key, false)
}

// aroundMany is GetMany of keys of which the Switch keeps some from the cache. The
// parts go at the same time.
func (b *Batch[K, V]) aroundMany(ctx context.Context, parts map[cache.Mode][]K) (map[K]V, error) {
	if b.closed.Load() {
		return nil, cache.ErrClosed
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	all := map[K]V{}
	var failed []error
	for mode, keys := range parts {
		wg.Go(func() {
			var values map[K]V
			err := b.apart(func() (err error) {
				values, err = b.part(ctx, mode, keys)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, values)
			failed = append(failed, err)
		})
	}
	wg.Wait()
	return all, distinctErrors(failed)
}

// part is GetMany of keys of one mode.
func (b *Batch[K, V]) part(ctx context.Context, mode cache.Mode, keys []K) (map[K]V, error) {
	if mode == cache.ModeOn {
		return b.getMany(ctx, keys)
	}
	values := map[K]V{}
	results, errs := b.around().of(mode).DoMany(ctx, ctx, keys, nil, false)
	return values, collect(values, keys, results, errs)
}

// directRound asks the origin, and nothing else.
func (g *engine[K, V]) directRound(ctx context.Context, t *flight.Trip[K, result[V]], keys []K) {
	// No key rests: only the store could say that the error of another load holds.
	place := g.place(ctx, t, len(keys))
	if place == nil {
		return
	}
	defer place.release()
	t.Depart()
	g.observe(cache.Direct, len(keys), 0, nil)
	results, _ := g.fetch(ctx, keys, nil, place.move(), make([]witness, len(keys)))
	for j, r := range results {
		if r.err != nil && !r.absent {
			t.Land(j, r, r.err)
		} else {
			r.times = timesOf[V](nil, false)
			t.Land(j, r, nil)
		}
	}
}

// compare observes whether what the store would have answered is what the origin
// has said, of those results that were stored: nothing was invalidated between.
func (g *engine[K, V]) compare(found []*cache.Entry[V], results []result[V], outcomes []cache.Outcome) {
	agreed, differed := 0, 0
	for j, e := range found {
		stored := j < len(outcomes) && outcomes[j].Valid()
		if e == nil || !stored || g.judge(e).waits() {
			continue
		}
		r, same := results[j], false
		failed := g.hook(context.Background(), "Options.Equal", func() { same = e.Absent == r.absent && (r.absent || g.equal(e.Value, r.value)) })
		switch {
		case failed != nil: // who knows
		case same:
			agreed++
		default:
			differed++
		}
	}
	if agreed > 0 {
		g.observe(cache.ShadowAgreed, agreed, 0, nil)
	}
	if differed > 0 {
		g.observe(cache.ShadowDiffered, differed, 0, nil)
	}
}

func (g *engine[K, V]) equal(stored, loaded V) bool {
	if g.o.Equal != nil {
		return g.o.Equal(stored, loaded)
	}
	return reflect.DeepEqual(stored, loaded)
}
