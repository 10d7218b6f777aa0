package writethrough

import (
	"errors"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// The names of functions in errors that are not fields of options.
const (
	keyName         = "the key function"
	invalidateName  = "the store's Invalidate"
	commitName      = "the store's Commit"
	cancelName      = "the store's Cancel"
	quarantineName  = "the store's Quarantine"
	tagsName        = "the InvalidateTags of Options.Domain"
	holdTagsName    = "the QuarantineTags of Options.Domain"
	releaseTagsName = "the release of QuarantineTags of Options.Domain"
)

// call calls a function that is not ours. A panic of it is observed, and an error; that
// it ends the goroutine is observed.
func (t *through[K, V]) call(name string, f func() error) error {
	return contain.Do(name, t.panicked, f)
}

// hook is call of a function without an error.
func (t *through[K, V]) hook(name string, f func()) error {
	return t.call(name, func() error { f(); return nil })
}

func (t *through[K, V]) panicked(err *cache.PanicError) {
	t.observe(cache.Event{Kind: cache.HookPanic, N: 1, Err: err})
}

// panicsOf reports whether an error is that of the function of that name, which panicked
// or ended its goroutine.
func panicsOf(name string, err error) bool {
	p, ok := errors.AsType[*cache.PanicError](err)
	return ok && p.Function == name
}
