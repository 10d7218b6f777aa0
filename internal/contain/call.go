// Package contain calls functions of the user's so that nothing they do is taken for
// something else, leaves anything locked or is lost.
//
// The rule: a function that panics has failed with a *cache.PanicError that names it. Who
// needs its result gets the error; otherwise an Observer is told, and without an Observer
// it is written to slog.Default. An Observer's own panic is counted and written there. A
// function that ends its goroutine ends it: that of a caller for good, and one of Larder's
// is answered for with a *cache.PanicError that names the function, see Within.
package contain

import (
	"context"
	"runtime/debug"
	"sync/atomic"

	"github.com/larder-cache/larder/cache"
)

// Call calls f, which calls the function of that name. It returns nil, or a
// *cache.PanicError if f panics. If f ends its goroutine, Call does not return, and the
// Scope of ctx, if it has one, knows why.
func Call(ctx context.Context, name string, f func()) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		p := &cache.PanicError{Function: name, Value: recover(), Stack: debug.Stack()}
		if err = p; p.Value != nil { // panic(nil) has a value too
			return
		}
		if s, ok := ctx.Value(scopeKey{}).(*Scope); ok {
			s.ended.Store(p)
		}
	}()
	f()
	returned = true
	return nil
}

// Do is Call of a function that returns an error. tell is told of a panic, and also if f
// ends the goroutine.
func Do(name string, tell func(*cache.PanicError), f func() error) (err error) {
	returned := false
	defer func() {
		if !returned {
			p := &cache.PanicError{Function: name, Value: recover(), Stack: debug.Stack()}
			err = p
			tell(p)
		}
	}()
	err = f()
	returned = true
	return err
}

// InTurn calls all steps, also those after one that panics or ends the goroutine.
func InTurn(steps ...func()) {
	for i, step := range steps {
		func() {
			returned := false
			defer func() {
				if !returned {
					InTurn(steps[i+1:]...)
				}
			}()
			step()
			returned = true
		}()
	}
}

// Apart is Call on a goroutine of its own, for who must go on if f ends its goroutine.
func Apart(name string, f func()) (err error) {
	err = &cache.PanicError{Function: name}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = Call(context.Background(), name, f)
	}()
	<-done
	return err
}

// DoApart is Apart of a function that returns an error.
func DoApart(name string, f func() error) (err error) {
	if ended := Apart(name, func() { err = f() }); ended != nil {
		return ended
	}
	return err
}

type scopeKey struct{}

// Scope knows of the functions that were called on a goroutine, and which of them has
// ended it.
type Scope struct {
	ended atomic.Pointer[cache.PanicError]
}

// Within returns a context with a new Scope, which is for one goroutine.
func Within(ctx context.Context) (context.Context, *Scope) {
	s := &Scope{}
	return context.WithValue(ctx, scopeKey{}, s), s
}

// Err returns how the goroutine was ended: recovered is what recover returns, and
// otherwise names what is to blame if no function is known.
func (s *Scope) Err(recovered any, otherwise string) *cache.PanicError {
	if p := s.ended.Load(); recovered == nil && p != nil {
		return p
	}
	return &cache.PanicError{Function: otherwise, Value: recovered, Stack: debug.Stack()}
}
