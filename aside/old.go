package aside

import (
	"context"

	"github.com/larder-cache/larder/cache"
)

type oldKey[V any] struct{}

// Old returns, to a load function that was called with ctx, the value from before:
// one that is past its time, or is loaded again before it, and that the store had
// when the load began. It was not invalidated. A load function that finds out that
// it still holds, such as by its version, returns an error that matches
// cache.ErrNotModified; the value is then kept with new times and returned to
// callers. Without a value from before that error is one like any other.
//
// The value is shared: do not change it. The load function of a Batch is shown
// none. It costs a look into ctx.
func Old[V any](ctx context.Context) (V, bool) {
	if e, _ := ctx.Value(oldKey[V]{}).(*cache.Entry[V]); e != nil {
		return e.Value, true
	}
	var none V
	return none, false
}

// showing returns a context with which Old returns the value of e. If e is nil, it
// returns none, also when ctx comes from a load of another Loader.
func showing[V any](ctx context.Context, e *cache.Entry[V]) context.Context {
	if e == nil && ctx.Value(oldKey[V]{}) == nil {
		return ctx
	}
	return context.WithValue(ctx, oldKey[V]{}, e)
}

// old returns what is to be shown to the load of one key, the j-th of a fill, or
// nil.
func (g *engine[K, V]) old(fill cache.Fill[V], j int) *cache.Entry[V] {
	if !g.single || fill == nil {
		return nil
	}
	if e := fill.Found(j); e != nil && !e.Absent {
		return e
	}
	return nil
}
