package writethrough

import (
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/meter"
)

// Stats returns what the Writer has counted: invalidations of tags and of other keys,
// and how often the store could not be asked or told something. What Delete returns is
// a function and has none: give it an Observer.
func (w *Writer[K, V]) Stats() cache.Stats {
	out := w.meter.Stats()
	out.Cache, out.Level = w.o.Name, cache.Origin
	return out
}

func (w *Writer[K, V]) observe(e cache.Event) {
	observe(&w.meter, w.o.Observer, w.o.Name, e)
}

// observe counts an event and lets an Observer know, if there is one. That has a goroutine
// of its own, which it may end: what follows is needed.
func observe(m *meter.Meter, o cache.Observer, name string, e cache.Event) {
	e.Cache, e.Level = name, cache.Origin
	m.Observe(e)
	switch {
	case o == nil && e.Kind == cache.HookPanic:
		contain.Log(name, e.Err)
	case o != nil && contain.Apart(contain.Observer, func() { m.Notify(o, e) }) != nil:
		m.Add(cache.HookPanic, 1) // it has ended its goroutine: Notify contains panics
	}
}
