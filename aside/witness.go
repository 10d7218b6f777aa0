package aside

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/flight"
)

// witness is the slot of the fill of a load, which can say whether something was
// invalidated since the load began. The zero witness can not.
type witness struct {
	fill validator
	slot int
}

// validator is a fill of which the type of the values does not matter.
type validator interface {
	validate(ctx context.Context) []bool
}

// evidence is a fill that many witnesses share.
type evidence[V any] struct {
	fill   cache.Fill[V]
	failed func(error) // is told of a panic
}

func (e *evidence[V]) validate(ctx context.Context) (valid []bool) {
	ctx, cancel := outlive(ctx)
	defer cancel()
	// A store that cannot tell does not vouch. It may be asked on a goroutine of its own.
	err := contain.Apart("the Validate of the store", func() { valid, _ = cache.Validate(ctx, e.fill) })
	if err != nil {
		e.failed(err)
		return nil
	}
	return valid
}

// witnesses returns those of the slots of a fill, which may be nil.
func (g *engine[K, V]) witnesses(fill cache.Fill[V], slots []int) []witness {
	out := make([]witness, len(slots))
	if fill == nil {
		return out
	}
	e := &evidence[V]{fill, func(err error) { g.observe(cache.HookPanic, len(slots), 0, err) }}
	for n, j := range slots {
		out[n] = witness{e, j}
	}
	return out
}

// validate reports of which witnesses it is certain that nothing was invalidated since.
// It asks each fill once, and all at the same time.
func (g *engine[K, V]) validate(ctx context.Context, all []witness) []bool {
	valid := make([]bool, len(all))
	of := map[validator][]bool{}
	for _, w := range all {
		if w.fill != nil {
			of[w.fill] = nil
		}
	}
	if len(of) == 0 {
		return valid
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	fills := slices.Collect(maps.Keys(of)) // of is written meanwhile
	for _, f := range fills {
		ask := func() {
			said := f.validate(ctx)
			mu.Lock()
			defer mu.Unlock()
			of[f] = said
		}
		if len(fills) == 1 {
			ask()
			break
		}
		wg.Go(ask)
	}
	wg.Wait()
	for i, w := range all {
		if said := of[w.fill]; w.fill != nil && w.slot < len(said) {
			valid[i] = said[w.slot]
		}
	}
	return valid
}

// settle gives those who came during a load that has failed its error, if nothing was
// invalidated since it began. at are the places of the keys in the trip. Otherwise the
// Group carries them into a round of their own, all together.
func (g *engine[K, V]) settle(ctx context.Context, t *flight.Trip[K, result[V]], at []int, since []witness) {
	late := false
	for _, i := range at {
		late = late || t.Late(i)
	}
	if !late {
		return
	}
	for n, valid := range g.validate(ctx, since) {
		t.Settle(at[n], valid)
	}
}
