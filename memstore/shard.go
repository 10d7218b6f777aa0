package memstore

import (
	"sync"
	"sync/atomic"
)

// memory is how many invalidations of a shard are remembered key by key. A fill
// that sees more of them go by is refused.
const memory = 128

// shard is a part of a store. Hits read its table; all else takes its lock.
type shard[K comparable, V any] struct {
	table atomic.Pointer[table[K, V]] // nil while it grows
	now   atomic.Uint32               // the generation
	// writers is how many keys are held.
	writers atomic.Int32
	*common
	_ [40]byte // writers do not disturb readers more than they must

	mu       sync.Mutex
	closed   bool
	capacity int
	nodes    []*node[K, V] // by slot
	free     []uint32
	count    int
	ends     []uint32     // by slot, see endOf; never if it is empty
	soonest  uint32       // no entry ends earlier
	weights  []int        // by slot, if entries have any
	heavy    atomic.Int64 // the weight of all of them
	order    order
	// sequence counts invalidations; recent has the hashes of the last ones, so
	// that a fill can tell whether its key was among them. This replaces a map
	// of open fills: a fill that is forgotten leaves nothing behind. It is changed
	// under the lock; Reserve reads it without, before it looks for the key.
	sequence atomic.Uint64
	recent   []uint64
	cleared  uint64 // the sequence when everything was last invalidated
	held     map[K]*quarantine
	_        [56]byte // shards that share a cache line slow each other down
}

// quarantine is a key that writers are at work on.
type quarantine struct {
	writers int
	tainted bool // somebody else has touched it: nobody's value may be installed
}

func (sh *shard[K, V]) init(capacity int, c *common) {
	sh.capacity, sh.common, sh.soonest = capacity, c, never
	sh.table.Store(newTable[K, V](minBuckets))
	sh.now.Store(1)
	sh.order = sh.newOrder()
}

func (sh *shard[K, V]) used(slot uint32) *atomic.Uint32 {
	if n := sh.nodes[slot]; n != nil {
		return &n.used
	}
	return nil
}

func (sh *shard[K, V]) hash(slot uint32) uint32 { return sh.nodes[slot].hash }

// peek returns the node of a key. The lock is held.
func (sh *shard[K, V]) peek(key K, hash uint64) *node[K, V] {
	return sh.table.Load().find(key, upper(hash))
}

// upper is the half of a hash that finds a node in its shard; the lower half finds
// the shard.
func upper(hash uint64) uint32 { return uint32(hash >> 32) }

// drop removes n if it is still there.
func (sh *shard[K, V]) drop(n *node[K, V]) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if int(n.slot) >= len(sh.nodes) || sh.nodes[n.slot] != n { // it has left, or all have
		return false
	}
	sh.remove(n)
	return true
}

// remove takes n out. The lock is held.
func (sh *shard[K, V]) remove(n *node[K, V]) {
	sh.table.Load().unlink(n)
	sh.order.remove(n.slot)
	sh.vacate(n.slot)
}

// vacate frees a slot that the order has left already. The lock is held.
func (sh *shard[K, V]) vacate(slot uint32) {
	sh.nodes[slot], sh.ends[slot] = nil, never
	sh.free = append(sh.free, slot)
	sh.count--
	if sh.budget != 0 {
		sh.weighIn(slot, 0)
	}
}

// take removes and returns the node of key, if there is one. The lock is held.
func (sh *shard[K, V]) take(key K, hash uint64) *node[K, V] {
	n := sh.peek(key, hash)
	if n != nil {
		sh.remove(n)
	} else {
		sh.order.forget(upper(hash))
	}
	return n
}

// record notes an invalidation. The lock is held.
func (sh *shard[K, V]) record(hash uint64) {
	if sh.recent == nil {
		sh.recent = make([]uint64, memory)
	}
	sh.recent[sh.sequence.Load()%memory] = hash
	sh.sequence.Add(1)
}

// changed reports whether a key may have been invalidated since the shard's
// sequence was since. The lock is held.
func (sh *shard[K, V]) changed(hash, since uint64) bool {
	now := sh.sequence.Load()
	if now == since {
		return false
	}
	if now-since > memory || sh.cleared > since {
		return true
	}
	for i := since; i < now; i++ {
		if sh.recent[i%memory] == hash {
			return true
		}
	}
	return false
}

func (sh *shard[K, V]) invalidate(key K, hash uint64) *node[K, V] {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.record(hash)
	if q := sh.held[key]; q != nil {
		q.tainted = true
	}
	return sh.take(key, hash)
}

// clear takes all nodes out; with end, nothing can be added afterwards.
func (sh *shard[K, V]) clear(end bool) []*node[K, V] {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.closed = sh.closed || end
	gone := make([]*node[K, V], 0, sh.count)
	for _, slot := range sh.order.slots() {
		gone = append(gone, sh.nodes[slot])
		sh.order.remove(slot)
	}
	sh.total.Add(-sh.heavy.Swap(0))
	sh.reset()
	sh.cleared = sh.sequence.Add(1)
	for _, q := range sh.held {
		q.tainted = true
	}
	return gone
}

// all returns the nodes, the next to leave first, more or less.
func (sh *shard[K, V]) all() []*node[K, V] {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	out := make([]*node[K, V], 0, sh.count)
	for _, slot := range sh.order.slots() {
		out = append(out, sh.nodes[slot])
	}
	return out
}

// hold puts key in quarantine.
func (sh *shard[K, V]) hold(key K, hash uint64) (*quarantine, *node[K, V]) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.record(hash)
	q := sh.held[key]
	if q == nil {
		if sh.held == nil {
			sh.held = map[K]*quarantine{}
		}
		q = &quarantine{}
		sh.held[key] = q
		sh.writers.Add(1)
	} else {
		q.tainted = true
	}
	q.writers++
	return q, sh.take(key, hash)
}

// release ends a writer's part in a quarantine and installs n, if it is not nil
// and the writer was alone and untouched.
func (sh *shard[K, V]) release(key K, hash uint64, q *quarantine, n *node[K, V], weight int) (stored bool, gone eviction[K, V]) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.record(hash) // loads that began during the quarantine may have seen the old value
	q.writers--
	if q.writers > 0 {
		return false, gone
	}
	delete(sh.held, key)
	sh.writers.Add(-1)
	if n == nil || q.tainted || sh.closed {
		return false, gone
	}
	return true, sh.add(n, weight)
}

// eviction is an entry that had to go.
type eviction[K comparable, V any] struct {
	n   *node[K, V]
	why Reason
}

// add stores n and returns what had to go for it. The lock is held. With weights,
// Store.shed has to make room afterwards, and what is heavier than all the store may
// hold is not stored.
func (sh *shard[K, V]) add(n *node[K, V], weight int) (gone eviction[K, V]) {
	t := sh.table.Load()
	old := t.find(n.key, n.hash)
	if sh.budget != 0 && weight > sh.budget {
		if n.slot = none; old == nil {
			return gone
		}
		sh.remove(old)
		return eviction[K, V]{old, Replaced}
	}
	if old != nil {
		n.slot = old.slot
		sh.nodes[n.slot] = n
		n.used.Store(old.used.Load())
		t.link(n, old)
		sh.ending(n.slot, endOf(n.entry.Expires))
		sh.hit(n)
		if sh.budget != 0 {
			sh.reweigh(n.slot, weight)
		}
		return eviction[K, V]{old, Replaced}
	}
	switch {
	case sh.count >= sh.capacity && sh.budget == 0:
		gone = sh.evict()
		n.slot = gone.n.slot
		sh.nodes[n.slot] = n
	case len(sh.free) > 0:
		n.slot = sh.free[len(sh.free)-1]
		sh.free = sh.free[:len(sh.free)-1]
		sh.nodes[n.slot] = n
		sh.count++
	default:
		n.slot = uint32(len(sh.nodes))
		sh.nodes = append(sh.nodes, n)
		sh.count++
	}
	if sh.count > len(t.buckets) {
		sh.grow()
		t = sh.table.Load()
	}
	t.link(n, nil)
	sh.ending(n.slot, endOf(n.entry.Expires))
	if sh.budget != 0 {
		sh.weighIn(n.slot, weight)
	}
	sh.order.add(n.slot, n.hash)
	return gone
}

// evict takes the victim out of the table. Its slot is to be taken over. The lock
// is held.
func (sh *shard[K, V]) evict() eviction[K, V] {
	old := sh.nodes[sh.order.victim(1)]
	sh.table.Load().unlink(old)
	return eviction[K, V]{old, Full}
}
