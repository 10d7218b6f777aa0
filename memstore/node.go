package memstore

import (
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/meter"
)

// node is an entry in a store, with all that a hit needs in one piece.
type node[K comparable, V any] struct {
	hash  uint32        // the upper half
	slot  uint32        // in shard.nodes
	used  atomic.Uint32 // when it was hit last, in generations, and how often, in the two lower bits
	timed bool          // only under a lease, or a guard that we do not know
	key   K
	next  atomic.Pointer[node[K, V]] // in the bucket
	entry cache.Entry[V]
}

// hitOnce is the mark of an entry that was hit, where generations do not matter.
const hitOnce = 1<<2 | 1

// hit notes a hit. The line is written to only if it is the first one of a
// generation, so that readers of one key do not take it from each other.
func (sh *shard[K, V]) hit(n *node[K, V]) {
	if now := sh.now.Load(); n.used.Load()>>2 != now {
		sh.mark(n, now)
	}
}

// mark is the rest of hit, apart so that hit costs no call.
func (sh *shard[K, V]) mark(n *node[K, V], now uint32) {
	hitIn(&n.used, now)
	if sh.trials != nil {
		sh.trials.request(n.hash)
	}
}

// hitIn notes the first hit in a generation, and counts up to 3.
func hitIn(used *atomic.Uint32, now uint32) {
	used.Store(now<<2 | min(3, used.Load()&3+1))
}

// table finds nodes by key. Readers take no lock; writers hold that of the shard.
// A node that is taken out keeps its next, so that a reader who stands on it goes on.
type table[K comparable, V any] struct {
	buckets []atomic.Pointer[node[K, V]]
}

func newTable[K comparable, V any](n int) *table[K, V] {
	return &table[K, V]{make([]atomic.Pointer[node[K, V]], n)}
}

func (t *table[K, V]) bucket(hash uint32) *atomic.Pointer[node[K, V]] {
	return &t.buckets[hash&uint32(len(t.buckets)-1)]
}

func (t *table[K, V]) find(key K, hash uint32) *node[K, V] {
	for n := t.bucket(hash).Load(); n != nil; n = n.next.Load() {
		if n.hash == hash && n.key == key {
			return n
		}
	}
	return nil
}

// link puts n in, in place of old if that is not nil.
func (t *table[K, V]) link(n, old *node[K, V]) {
	if old == nil {
		b := t.bucket(n.hash)
		n.next.Store(b.Load())
		b.Store(n)
		return
	}
	n.next.Store(old.next.Load())
	t.before(old).Store(n)
}

func (t *table[K, V]) unlink(n *node[K, V]) { t.before(n).Store(n.next.Load()) }

// before returns what points to n.
func (t *table[K, V]) before(n *node[K, V]) *atomic.Pointer[node[K, V]] {
	p := t.bucket(n.hash)
	for at := p.Load(); at != n; at = p.Load() {
		p = &at.next
	}
	return p
}

// minBuckets is the size of a new table.
const minBuckets = 8

// grow moves all nodes to a table of twice the size. A reader who misses on the
// way finds that the table has changed, and looks again under the lock.
func (sh *shard[K, V]) grow() {
	old := sh.table.Load()
	bigger := newTable[K, V](2 * len(old.buckets))
	sh.table.Store(nil)
	for i := range old.buckets {
		for n := old.buckets[i].Load(); n != nil; {
			next := n.next.Load()
			bigger.link(n, nil)
			n = next
		}
	}
	sh.table.Store(bigger)
}

// find returns the node of key, or nil. It takes the lock only if the table grows
// meanwhile.
func (sh *shard[K, V]) find(key K, hash uint32) *node[K, V] {
	t := sh.table.Load()
	if t != nil {
		if n := t.find(key, hash); n != nil {
			return n
		}
		if sh.table.Load() == t {
			return nil
		}
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.table.Load().find(key, hash)
}

// clock spares hits the look at the clock, which costs as much as all the rest.
// While a store is in use, a timer moves it ahead of the time: what has not expired
// by it has not expired.
type clock struct {
	ahead atomic.Int64 // a cache.Moment; 0 if nobody moves it
	idle  atomic.Bool
	sampler
	meter *meter.Meter // of the hits
}

// period is how often the clock is set, and lookahead how far ahead. What has expired is
// served only while the timer is late by more than their difference, 40 ms, as it may
// be on a machine that has far too much to do; the excess is for how long. A period is
// also how long the timer goes on when the store is not used any more.
const (
	period    = 10 * time.Millisecond
	lookahead = 50 * time.Millisecond
)

// before reports whether m is certainly still to come.
func (c *clock) before(m cache.Moment) bool {
	if ahead := c.ahead.Load(); ahead == 0 || int64(m) <= ahead {
		return false
	}
	if c.idle.Load() {
		c.idle.Store(false)
	}
	return true
}

// passed reports whether m has come.
func (c *clock) passed(m cache.Moment) bool {
	if c.before(m) {
		return false
	}
	now := time.Now()
	c.start(now)
	return cache.MomentOf(now) >= m
}

// start lets the clock go, if it does not.
func (c *clock) start(now time.Time) {
	if c.ahead.Load() != 0 {
		if c.idle.Load() {
			c.idle.Store(false)
		}
	} else if c.ahead.CompareAndSwap(0, reach(now)) {
		time.AfterFunc(period, c.tick)
	}
}

func (c *clock) tick() {
	if c.idle.Swap(true) {
		c.stop(counted(c.meter))
		c.ahead.Store(0)
		return
	}
	c.next(counted(c.meter))
	time.AfterFunc(period, c.tick)
	c.ahead.Store(reach(time.Now()))
}

func reach(now time.Time) int64 { return int64(cache.MomentOf(now.Add(lookahead))) + 1 }
