package invalidation

import (
	"sync"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// remoteName is the name of a Remote in errors.
const remoteName = "the Remote"

// step is a call of a store, by its name in errors.
type step[T any] struct {
	name string
	do   func() (T, error)
}

// each makes all calls at once. One that panics, or ends its goroutine, is an error, and
// the others are made.
func each[T any](steps []step[T]) (out []T, errs []error) {
	out, errs = make([]T, len(steps)), make([]error, len(steps))
	var wg sync.WaitGroup
	for i, s := range steps {
		wg.Go(func() {
			ended := func(p *cache.PanicError) { errs[i] = p }
			errs[i] = contain.Do(s.name, ended, func() (err error) { out[i], err = s.do(); return err })
		})
	}
	wg.Wait()
	return out, errs
}

// tell tells the Observer, which has a goroutine of its own, of an event.
func (m *Mutation) tell(e cache.Event) {
	if m.Observer != nil {
		// What it does is written to slog.Default: a Mutation has no Stats.
		_ = contain.Apart(contain.Observer, func() { contain.Observe(m.Observer, e) })
	}
}

// panicked tells of a panic that the caller may not hear of.
func (m *Mutation) panicked(p *cache.PanicError) {
	if m.Observer == nil {
		contain.Log("", p)
	}
	m.tell(cache.Event{Kind: cache.HookPanic, N: 1, Err: p})
}

// panics returns the panics of functions that an error joins. One of which a method panics
// joins none.
func panics(err error) (all []*cache.PanicError) {
	defer func() {
		if recover() != nil {
			all = nil
		}
	}()
	switch e := err.(type) {
	case *cache.PanicError:
		return []*cache.PanicError{e}
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			all = append(all, panics(part)...)
		}
	case interface{ Unwrap() error }:
		return panics(e.Unwrap())
	}
	return all
}
