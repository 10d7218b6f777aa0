package reference

import (
	"context"

	"github.com/larder-cache/larder/cache"
)

// The functions of the user's that the store would have.
const (
	aCodec     = "codec"
	anObserver = "Observer"
)

// Hooks has what would be functions of the user's call f, which may be nil.
func (s *Store) Hooks(f func(name string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

// call calls a function of the user's. A panic of it is an error.
func (s *Store) call(name string) (err error) {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	if s.has(HookThrough) && name == aCodec {
		hook(name)
		return nil
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if value := recover(); value != nil {
			err = &cache.PanicError{Value: value, Function: name}
		}
	}()
	hook(name)
	returned = true
	return nil
}

// observed tells the Observer, whose panic changes nothing.
func (s *Store) observed() { _ = s.call(anObserver) }

// encode has all entries encoded. The fill is cancelled if that does not return.
func (f *fill) encode(entries []*entry) error {
	encoded := false
	defer func() {
		if !encoded && !f.store.has(HookHolds) {
			f.Cancel(context.Background())
		}
	}()
	for _, e := range entries {
		if e == nil {
			continue
		}
		if err := f.store.call(aCodec); err != nil {
			return err
		}
	}
	encoded = true
	return nil
}
