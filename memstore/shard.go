package memstore

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/larder-cache/larder/cache"
)

// memory is how many invalidations of a shard are remembered key by key. A fill
// that sees more of them go by is refused.
const memory = 128

// shard is a part of a store, with its own lock.
type shard[K comparable, V any] struct {
	mu       sync.Mutex
	capacity int
	lru      *simplelru.LRU[K, *cache.Entry[V]]
	// sequence counts invalidations; recent has the hashes of the last ones, so
	// that a fill can tell whether its key was among them. This replaces a map
	// of open fills: a fill that is forgotten leaves nothing behind.
	sequence uint64
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

func (sh *shard[K, V]) init(capacity int) {
	sh.capacity = capacity
	// The size is checked before adding, so that what leaves is known.
	sh.lru, _ = simplelru.NewLRU[K, *cache.Entry[V]](capacity, nil)
}

// drop removes key if it still has e.
func (sh *shard[K, V]) drop(key K, e *cache.Entry[V]) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if now, ok := sh.lru.Peek(key); !ok || now != e {
		return false
	}
	return sh.lru.Remove(key)
}

// take removes and returns the entry of key. The lock is held.
func (sh *shard[K, V]) take(key K) *cache.Entry[V] {
	e, ok := sh.lru.Peek(key)
	if ok {
		sh.lru.Remove(key)
	}
	return e
}

// record notes an invalidation. The lock is held.
func (sh *shard[K, V]) record(hash uint64) {
	if sh.recent == nil {
		sh.recent = make([]uint64, memory)
	}
	sh.recent[sh.sequence%memory] = hash
	sh.sequence++
}

// changed reports whether a key may have been invalidated since the shard's
// sequence was since. The lock is held.
func (sh *shard[K, V]) changed(hash, since uint64) bool {
	if sh.sequence == since {
		return false
	}
	if sh.sequence-since > memory || sh.cleared > since {
		return true
	}
	for i := since; i < sh.sequence; i++ {
		if sh.recent[i%memory] == hash {
			return true
		}
	}
	return false
}

func (sh *shard[K, V]) invalidate(key K, hash uint64) *cache.Entry[V] {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.record(hash)
	if q := sh.held[key]; q != nil {
		q.tainted = true
	}
	return sh.take(key)
}

func (sh *shard[K, V]) clear() map[K]*cache.Entry[V] {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	gone := make(map[K]*cache.Entry[V], sh.lru.Len())
	for _, k := range sh.lru.Keys() {
		gone[k], _ = sh.lru.Peek(k)
	}
	sh.lru.Purge()
	sh.sequence++
	sh.cleared = sh.sequence
	for _, q := range sh.held {
		q.tainted = true
	}
	return gone
}

// hold puts key in quarantine.
func (sh *shard[K, V]) hold(key K, hash uint64) (*quarantine, *cache.Entry[V]) {
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
	} else {
		q.tainted = true
	}
	q.writers++
	return q, sh.take(key)
}

// eviction is an entry that had to go.
type eviction[K comparable, V any] struct {
	key K
	e   *cache.Entry[V]
	why Reason
}

// release ends a writer's part in a quarantine and installs e, if it is not nil
// and the writer was alone and untouched.
func (sh *shard[K, V]) release(key K, hash uint64, q *quarantine, e *cache.Entry[V]) (stored bool, gone eviction[K, V]) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.record(hash) // loads that began during the quarantine may have seen the old value
	q.writers--
	if q.writers > 0 {
		return false, gone
	}
	delete(sh.held, key)
	if e == nil || q.tainted {
		return false, gone
	}
	return true, sh.add(key, e)
}

// add stores an entry and returns what had to go for it. The lock is held.
func (sh *shard[K, V]) add(key K, e *cache.Entry[V]) (gone eviction[K, V]) {
	if old, ok := sh.lru.Peek(key); ok {
		gone = eviction[K, V]{key, old, Replaced}
	} else if sh.lru.Len() >= sh.capacity {
		k, old, _ := sh.lru.RemoveOldest()
		gone = eviction[K, V]{k, old, Full}
		switch now := time.Now(); {
		case now.UnixMilli() >= int64(old.Expires):
			gone.why = Expired
		case old.Trust(now) == cache.Invalid:
			gone.why = Invalidated
		}
	}
	sh.lru.Add(key, e)
	return gone
}
