package invalidation

import (
	"sync"
	"sync/atomic"
)

// holds are the tags, and the keys of the remote store, that this process does
// not let into memory nor takes from the remote store: writers are at work on
// them, or an invalidation has failed and has to be repeated.
type holds struct {
	n atomic.Int64 // how many, so that nobody looks while there are none

	mu  sync.RWMutex
	by  map[name]int
	all bool // everything
}

// name is a tag, or a key of the remote store.
type name struct {
	kind kind
	text string
}

type kind uint8

const (
	aTag kind = iota
	aKey
)

func (h *holds) add(names ...name) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by == nil {
		h.by = map[name]int{}
	}
	for _, n := range names {
		h.by[n]++
	}
	h.count()
}

func (h *holds) remove(names ...name) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range names {
		if h.by[n]--; h.by[n] <= 0 {
			delete(h.by, n)
		}
	}
	h.count()
}

func (h *holds) setAll(all bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = all
	h.count()
}

func (h *holds) count() {
	n := int64(len(h.by))
	if h.all {
		n++
	}
	h.n.Store(n)
}

func (h *holds) has(n name) bool {
	if h.n.Load() == 0 {
		return false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.all || h.by[n] > 0
}

// Held reports whether nobody in this process may store an entry with this tag,
// nor read one from the remote store.
func (d *Domain) Held(tag string) bool { return d.holds.has(name{aTag, tag}) }

// HeldKey is Held for a key in the remote store.
func (d *Domain) HeldKey(key string) bool { return d.holds.has(name{aKey, key}) }

func namesOf(k kind, texts []string) []name {
	out := make([]name, len(texts))
	for i, t := range texts {
		out[i] = name{k, t}
	}
	return out
}
