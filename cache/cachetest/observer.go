package cachetest

import (
	"slices"
	"sync"

	"github.com/larder-cache/larder/cache"
)

// Observer is a cache.Observer that keeps all it is told. The zero Observer is
// ready for use. Its methods may be called at once from many goroutines.
type Observer struct {
	mu     sync.Mutex
	events []cache.Event
}

// Observe keeps an event.
func (o *Observer) Observe(e cache.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

// Events returns a copy of all events, in the order in which they came.
func (o *Observer) Events() []cache.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.events)
}

// Count returns of how many keys events of a kind have told.
func (o *Observer) Count(k cache.Kind) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.Kind == k {
			n += e.N
		}
	}
	return n
}

// Reset forgets all events.
func (o *Observer) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = nil
}
