package memstore

import "sync/atomic"

// order decides which entries leave a shard that is full. The lock is held.
type order interface {
	// add notes that a new entry was put into a slot.
	add(slot, hash uint32)
	// remove notes that the entry of a slot leaves, for a reason of its own.
	remove(slot uint32)
	// grow notes that the entry of a slot was replaced by one that is heavier by so much.
	grow(slot uint32, by int)
	// forget notes that a key was invalidated that has no entry.
	forget(hash uint32)
	// victim chooses an entry that is to leave and returns its slot, which it
	// takes for empty from then on. There must be one. next is the weight of what
	// will be added, or 0 if that was added before; then it is not the victim if
	// there is another one.
	victim(next int) (slot uint32)
	// slots returns the slots that are taken, the next victim first, more or less.
	slots() []uint32
}

// residents are the entries that an order is about.
type residents interface {
	// used returns the mark of the hits of an entry (see node), nil if the slot is
	// empty.
	used(slot uint32) *atomic.Uint32
	// hash returns the hash of the key.
	hash(slot uint32) uint32
	// weight returns what the entry takes of the capacity.
	weight(slot uint32) int
}

// none is no slot.
const none = ^uint32(0)

func (sh *shard[K, V]) newOrder() order {
	switch sh.eviction {
	case TwoQueue:
		return newTwoQueue(sh.capacity, sh)
	case Adaptive:
		return newAdaptive(sh.capacity, sh, &sh.now, sh.common)
	}
	return newRing(sh)
}

// common is what the shards of a store have in common.
type common struct {
	eviction Eviction
	trials   *trials  // of Adaptive
	budget   int      // the capacity, if entries have weights
	_        [64]byte // what is written to
	total    atomic.Int64
}
