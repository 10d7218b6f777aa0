package memstore

import "github.com/hashicorp/golang-lru/v2/simplelru"

// order decides which slot of a shard is given to a new entry when all are taken.
// The lock is held.
type order interface {
	// add notes that an entry was put into a slot.
	add(slot uint32, hash uint32)
	// remove notes that a slot is empty.
	remove(slot uint32)
	// victim returns the slot whose entry is to leave. used reports whether there
	// was a hit since it was asked last.
	victim(used func(slot uint32) bool) uint32
	// slots returns the slots that are taken, the next victim first, more or less.
	slots() []uint32
}

// lru is the order of use, in the list of golang-lru. Hits do not come here: an entry
// that was used since it was looked at last has a second chance at the end of the
// list, and goes to its front (F. J. Corbató, A Paging Experiment with the Multics
// System, 1968). A slot that is taken over keeps its place in the list's map, so
// that a full shard neither allocates nor hashes for it more than once.
type lru struct {
	list *simplelru.LRU[uint32, struct{}]
}

func newLRU(capacity int) *lru {
	list, _ := simplelru.NewLRU[uint32, struct{}](capacity, nil)
	return &lru{list}
}

func (o *lru) add(slot, _ uint32) {
	if _, ok := o.list.Get(slot); !ok {
		o.list.Add(slot, struct{}{})
	}
}

func (o *lru) remove(slot uint32) { o.list.Remove(slot) }

func (o *lru) victim(used func(uint32) bool) uint32 {
	for {
		slot, _, _ := o.list.GetOldest()
		if !used(slot) {
			return slot
		}
		o.list.Get(slot)
	}
}

func (o *lru) slots() []uint32 { return o.list.Keys() }
