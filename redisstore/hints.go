package redisstore

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
	"time"
)

// hints remembers, for the keys that were read of late, what makes the next
// read or fill one round trip cheaper. It forgets at will, and so do goroutines
// that use it at once, and knows keys by their hashes alone: a hint that is missing
// or wrong costs a trip, never a wrong answer. It takes memory as it learns: 4 KiB at
// first, half a MiB and the hints when it knows many keys.
type hints struct {
	seed  maphash.Seed
	pages [512]atomic.Pointer[page]
}

// page is a part of the sets, which is made when a key of it is first remembered.
type page [32]set

// set is the hints of keys with a common hash, the latest first.
type set [4]atomic.Pointer[hint]

type hint struct {
	hash uint64
	// tags are those of the entry when it was last seen.
	tags []string
	// rejected is the header of a value that was read and is no hit, so that it
	// is not sent again; with a leading '!' if it is no entry at all.
	rejected string
	// large says that the value should not travel with others.
	large bool
	// cost is how long the load of the value took.
	cost time.Duration
}

var noHint = &hint{}

func newHints() *hints { return &hints{seed: maphash.MakeSeed()} }

func (h *hints) hash(key string) uint64 { return maphash.String(h.seed, key) }

// set returns the set of a hash. If there is none yet it is made, or is nil.
func (h *hints) set(hash uint64, make bool) *set {
	at := &h.pages[hash%uint64(len(h.pages))]
	p := at.Load()
	if p == nil {
		if !make {
			return nil
		}
		at.CompareAndSwap(nil, new(page)) // or somebody else has just done it
		p = at.Load()
	}
	return &p[hash/uint64(len(h.pages))%uint64(len(p))]
}

func (h *hints) get(key string) *hint {
	hash := h.hash(key)
	set := h.set(hash, false)
	if set == nil {
		return noHint
	}
	for i := range set {
		if p := set[i].Load(); p != nil && p.hash == hash {
			return p
		}
	}
	return noHint
}

// put remembers a hint, unless it is known. The tags and what was rejected are not
// parts of anything larger.
func (h *hints) put(key string, tags []string, rejected string) {
	p := h.get(key)
	if p != noHint && p.rejected == rejected && slices.Equal(p.tags, tags) {
		return
	}
	h.keep(&hint{h.hash(key), tags, rejected, p.large, p.cost})
}

// took remembers how long a load took.
func (h *hints) took(key string, cost time.Duration) {
	if p := h.get(key); p.cost != cost {
		h.keep(&hint{h.hash(key), p.tags, p.rejected, p.large, cost})
	}
}

// largeValue is the size, in bytes, from which values travel alone.
const largeValue = 32 << 10

// hit remembers a valid value, unless it is as p, the hint of its key, says.
func (h *hints) hit(p *hint, key string, tags []string, size int, cost time.Duration) {
	if large := size >= largeValue; p.rejected != "" || p.large != large || p.cost != cost || !slices.Equal(p.tags, tags) {
		h.keep(&hint{h.hash(key), tags, "", large, cost})
	}
}

func (h *hints) keep(moved *hint) {
	set := h.set(moved.hash, true)
	for i := range set {
		if p := set[i].Load(); p != nil && p.hash == moved.hash {
			set[i].Store(moved)
			return
		}
	}
	for i := range set {
		if moved = set[i].Swap(moved); moved == nil {
			return
		}
	}
}
