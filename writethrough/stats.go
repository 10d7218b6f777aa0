package writethrough

import (
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
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
	w.meter.Observe(e)
	observe(w.o.Observer, w.o.Name, e)
}

// observe lets an Observer know, if there is one.
func observe(o cache.Observer, name string, e cache.Event) {
	if o != nil {
		e.Cache, e.Level = name, cache.Origin
		contain.Observe(o, e)
	}
}
