package redisstore

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
)

// hints remembers, for the keys that were read of late, what makes the next
// read or fill one round trip cheaper. It forgets at will: a hint that is
// missing or wrong costs a trip, never a wrong answer.
type hints struct {
	seed  maphash.Seed
	slots [4096]atomic.Pointer[hint]
}

type hint struct {
	key string
	// tags are those of the entry when it was last seen.
	tags []string
	// rejected is the header of a value that was read and is no hit, so that it
	// is not sent again; with a leading '!' if it is no entry at all.
	rejected string
}

var noHint = &hint{}

func newHints() *hints { return &hints{seed: maphash.MakeSeed()} }

func (h *hints) slot(key string) *atomic.Pointer[hint] {
	return &h.slots[maphash.String(h.seed, key)%uint64(len(h.slots))]
}

func (h *hints) get(key string) *hint {
	if p := h.slot(key).Load(); p != nil && p.key == key {
		return p
	}
	return noHint
}

// put remembers a hint, unless it is known or there is nothing to say.
func (h *hints) put(key string, tags []string, rejected string) {
	old := h.get(key)
	if old.rejected == rejected && slices.Equal(old.tags, tags) {
		return
	}
	h.slot(key).Store(&hint{key, tags, rejected})
}
