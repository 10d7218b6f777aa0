package memstore

import "sync/atomic"

// order decides which entries leave a shard that is full. The lock is held.
type order interface {
	// add notes that a new entry was put into a slot.
	add(slot, hash uint32)
	// remove notes that the entry of a slot leaves, for a reason of its own.
	remove(slot uint32)
	// victim chooses an entry that is to leave and returns its slot, which it
	// takes for empty from then on. There must be one.
	victim() (slot uint32)
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
}

// none is no slot.
const none = ^uint32(0)
