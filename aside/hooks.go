package aside

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/flight"
)

// hook calls a function of the options. A panic of it is observed, and an error.
func (g *engine[K, V]) hook(ctx context.Context, name string, f func()) error {
	err := contain.Call(ctx, name, f)
	if err != nil {
		g.observe(cache.HookPanic, 1, 0, err)
	}
	return err
}

// apart calls f on a goroutine of its own. That it panics or is ended is an error.
func (g *engine[K, V]) apart(f func() error) (err error) {
	ended := contain.Apart("the store, or a function that it calls,", func() { err = f() })
	if ended != nil {
		g.observe(cache.HookPanic, 1, 0, ended)
		return ended
	}
	return err
}

// contain makes a round, and answers those who wait if it panics or ends its goroutine.
func (g *engine[K, V]) contain(ctx context.Context, t *flight.Trip[K, result[V]], round func(context.Context, *flight.Trip[K, result[V]], []K)) {
	keys := t.Keys()
	ctx, scope := contain.Within(ctx)
	returned := false
	defer func() {
		if !returned {
			err := scope.Err(recover(), "the store, or a function that it calls,")
			t.Fail(err)
			g.observe(cache.HookPanic, len(keys), 0, err)
		}
	}()
	round(ctx, t, keys)
	returned = true
}

// invalid observes that a key is one that no map can hold, and returns the error.
func (g *engine[K, V]) invalid(err error) error {
	if err != nil {
		g.observe(cache.MissKey, 1, 0, err)
	}
	return err
}

// absence reports whether an error is NotFound. What panics when it is asked is not.
func (g *engine[K, V]) absence(ctx context.Context, err error) (absent bool) {
	if err == nil || g.o.NotFound == nil {
		return false
	}
	g.hook(ctx, "errors.Is of the error of the load function and Options.NotFound", func() { absent = errors.Is(err, g.o.NotFound) })
	return absent
}

// checkNotFound returns an error if no error can ever be NotFound.
func checkNotFound(target error) (err error) {
	if _, ok := target.(interface{ Is(error) bool }); ok || target == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("Options.NotFound is a %v, which Go cannot compare, and has no method Is: no error can be it", reflect.TypeOf(target))
		}
	}()
	if other := target; target != other {
		return fmt.Errorf("Options.NotFound is a %v that is not equal to itself: no error can be it", reflect.TypeOf(target))
	}
	return nil
}
