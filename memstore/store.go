package memstore

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/meter"
	"github.com/larder-cache/larder/internal/validkey"
	"github.com/larder-cache/larder/invalidation"
)

// Options change what a Store does. The zero Options are the defaults.
type Options[K comparable, V any] struct {
	// Name is given to the Observer.
	Name string
	// Observer is told of everything the store does.
	Observer cache.Observer
	// OnEvict is called for every entry that leaves the store, with no lock
	// held, on the goroutine that caused it, or on one of the store's if the entry had
	// expired and nobody asked for it. While it runs there, nothing else that has
	// expired leaves by itself. It changes nothing if it panics: the
	// Observer is told of a cache.HookPanic.
	OnEvict func(key K, e *cache.Entry[V], why Reason)
	// Eviction is how a store that is full chooses what leaves.
	Eviction Eviction
	// Weight is what an entry takes of the capacity, such as the bytes of its key
	// and value; nil is 1 for each. Less than 1 counts as 1. It is asked once for
	// each Commit, with no lock held. If it panics, the Commit fails with a
	// *cache.PanicError.
	Weight func(key K, value V) int
}

// Reason is why an entry left a store.
type Reason uint8

const (
	// Full: the store was full and others were more likely to be used again.
	Full Reason = iota
	// Expired: its time was over.
	Expired
	// Invalidated: its key, or one of its tags, was invalidated, or a writer
	// holds the key.
	Invalidated
	// Replaced: another entry was stored under its key.
	Replaced
)

// reasons is how many there are.
const reasons = 4

// String returns the name of the reason in lower case.
func (r Reason) String() string {
	return [...]string{"full", "expired", "invalidated", "replaced"}[r&3]
}

// Store is a cache.Cache in memory. Its methods may be called at once from many
// goroutines; they do not wait for anything, so they ignore their contexts.
type Store[K comparable, V any] struct {
	domain   *invalidation.Domain
	name     string
	observer cache.Observer
	onEvict  func(K, *cache.Entry[V], Reason)
	seed     maphash.Seed
	shards   []shard[K, V]
	common   *common
	weigh    func(K, V) int
	check    func(K) error // nil if every key is valid
	closed   atomic.Bool
	leased   bool
	meter    meter.Meter
	sweeper  sweeper
	_        [64]byte // what is written to
	clock    clock
}

// New returns a Store whose tags are in domain; nil is a domain of its own. Its
// entries are at most capacity, or with Options.Weight weigh that much at most. It
// panics if capacity is not positive.
//
// An entry that has expired leaves within two seconds of its end, whether anybody asks for
// it or not, and a second later for each million entries of a large store. One that was
// invalidated by a tag or by another process keeps its place, and its memory, until it is
// asked for, has expired or the store is full. While a store has entries that end, it has a
// timer, and looks for those that have ended at most once a second, which takes at most a
// thousandth of the time of one processor. docs/memory.md has the figures.
//
// Larger stores are made of shards, each with its part of the keys and of the
// capacity; up to a capacity of 1024 there is one. When a shard is full, Options.Eviction
// chooses what leaves it. With LRU that is an entry that has not been used since the
// shard looked at it last, and it looks at all of them in turn: something close to the
// least recently used one, but not always it.
//
// With weights, shards share the capacity, and there are 16 at most. It may be
// exceeded, by what is being stored, until Commit returns. An entry that is heavier
// than all of the capacity leaves as soon as it is stored, for which Commit returns
// cache.Stored: the value is as good as any, so callers who wait for it may have it.
func New[K comparable, V any](domain *invalidation.Domain, capacity int, o *Options[K, V]) *Store[K, V] {
	if capacity <= 0 {
		panic(fmt.Sprintf("larder: memstore.New: capacity is %d: it must be positive", capacity))
	}
	if domain == nil {
		domain = invalidation.NewDomain()
	}
	if o == nil {
		o = &Options[K, V]{}
	}
	o.Eviction.check()
	n := shardCount(capacity, runtime.GOMAXPROCS(0))
	c := &common{eviction: o.Eviction}
	if o.Weight != nil {
		n = min(n, maxWeighedShards)
		c.budget = capacity
	}
	if o.Eviction == Adaptive {
		c.trials = newTrials(capacity)
	}
	s := &Store[K, V]{domain: domain, name: o.Name, observer: o.Observer, onEvict: o.OnEvict, weigh: o.Weight, check: validkey.Check[K](), leased: domain.Leased(),
		seed: maphash.MakeSeed(), shards: make([]shard[K, V], n), common: c}
	for i := range s.shards {
		n := capacity / len(s.shards)
		if i < capacity%len(s.shards) {
			n++
		}
		s.shards[i].init(n, c)
	}
	s.meter.Spread(runtime.GOMAXPROCS(0))
	s.clock.meter = &s.meter
	s.sweeper.at.Store(never)
	return s
}

// shardCount returns a power of two: 1 for small stores, and at most 16 for
// each processor.
func shardCount(capacity, processors int) int {
	n := 1
	for n < 16*processors && n*1024 < capacity {
		n *= 2
	}
	return n
}

func (s *Store[K, V]) hash(key K) uint64 { return maphash.Comparable(s.seed, key) }

func (s *Store[K, V]) shard(h uint64) *shard[K, V] { return &s.shards[h&uint64(len(s.shards)-1)] }

// Domain returns the domain of the store's tags.
func (s *Store[K, V]) Domain() *invalidation.Domain { return s.domain }

// Level returns cache.Memory.
func (s *Store[K, V]) Level() cache.Level { return cache.Memory }

// Get returns the entry of key and notes that it was used. If the Domain is remote,
// an entry is returned only under its lease, which costs a look at the clock;
// without, the entry stays for later, and Get returns nil or, if the Domain was told
// so, cache.ErrApart.
func (s *Store[K, V]) Get(_ context.Context, key K) (*cache.Entry[V], error) {
	if s.check != nil {
		if err := s.check(key); err != nil {
			return nil, err
		}
	}
	h := s.hash(key)
	sh := s.shard(h)
	n := sh.find(key, upper(h))
	if n == nil {
		return nil, s.miss(key, h)
	}
	sh.hit(n)
	if n.timed || !s.clock.before(n.entry.Expires) {
		now := time.Now()
		s.clock.start(now)
		return s.timed(n, h, now)
	}
	// What is not timed looks at no clock.
	if n.entry.Trust(time.Time{}) != cache.Valid {
		return nil, s.dead(n, h, cache.MissTag, Invalidated)
	}
	s.hit(h)
	return &n.entry, nil
}

// timed is Get of a node whose time has to be looked at.
func (s *Store[K, V]) timed(n *node[K, V], h uint64, now time.Time) (*cache.Entry[V], error) {
	if cache.MomentOf(now) >= n.entry.Expires {
		return nil, s.dead(n, h, cache.MissExpired, Expired)
	}
	switch n.entry.Trust(now) {
	case cache.Behind:
		s.observe(cache.BehindServed, 1)
		fallthrough
	case cache.Valid:
		s.hit(h)
		return &n.entry, nil
	case cache.Apart:
		// The entry stays: it is valid again when the lease is.
		s.observe(cache.MissApart, 1)
		if s.domain.Refuses() {
			return nil, cache.ErrApart
		}
		return nil, nil
	}
	return nil, s.dead(n, h, cache.MissTag, Invalidated)
}

func (s *Store[K, V]) get(key K, now time.Time) (*cache.Entry[V], error) {
	h := s.hash(key)
	sh := s.shard(h)
	n := sh.find(key, upper(h))
	if n == nil {
		return nil, s.miss(key, h)
	}
	sh.hit(n)
	return s.timed(n, h, now)
}

// dead removes a node that cannot be served any more.
func (s *Store[K, V]) dead(n *node[K, V], h uint64, kind cache.Kind, why Reason) error {
	if s.shard(h).drop(n) {
		s.left(n, why)
	}
	s.observe(kind, 1)
	return nil
}

// miss says why there is no entry.
func (s *Store[K, V]) miss(key K, h uint64) error {
	if s.closed.Load() {
		return cache.ErrClosed
	}
	kind := cache.Miss
	if sh := s.shard(h); sh.writers.Load() > 0 {
		sh.mu.Lock()
		if sh.held[key] != nil {
			kind = cache.MissWriter
		}
		sh.mu.Unlock()
	}
	s.observe(kind, 1)
	return nil
}

// GetMany is Get for each key, with one look at the clock.
func (s *Store[K, V]) GetMany(_ context.Context, keys []K) (map[K]*cache.Entry[V], error) {
	if s.closed.Load() {
		return nil, cache.ErrClosed
	}
	keys, failed := validkey.Valid(s.check, keys)
	found := make(map[K]*cache.Entry[V], len(keys))
	now := time.Now()
	for _, k := range keys {
		if _, twice := found[k]; twice {
			continue
		}
		e, err := s.get(k, now)
		if e != nil {
			found[k] = e
		}
		if err != nil {
			failed = err
		}
	}
	return found, failed
}

// Invalidate removes keys and refuses their open fills. A writer that holds one
// of them in quarantine will not install its value. For keys that are invalid it
// returns an error, and the others are invalidated.
func (s *Store[K, V]) Invalidate(_ context.Context, keys ...K) error {
	if s.closed.Load() {
		return cache.ErrClosed
	}
	keys, err := validkey.Valid(s.check, keys)
	if len(keys) == 0 {
		return err
	}
	var room [1]*node[K, V]
	gone := room[:0] // who is told of them may end the goroutine
	for _, k := range keys {
		h := s.hash(k)
		if n := s.shard(h).invalidate(k, h); n != nil {
			gone = append(gone, n)
		}
	}
	for _, n := range gone {
		s.left(n, Invalidated)
	}
	s.observe(cache.Invalidated, len(keys))
	return err
}

// Len returns the number of entries, with those that have expired or were
// invalidated and have not left yet.
func (s *Store[K, V]) Len() (n int) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		n += sh.count
		sh.mu.Unlock()
	}
	return n
}

// All yields the valid entries, those that would leave first, first in each shard.
// It takes a copy of a shard's list at a time and holds no lock while it yields,
// so the store may be used, and changed, meanwhile.
func (s *Store[K, V]) All() iter.Seq2[K, *cache.Entry[V]] {
	return func(yield func(K, *cache.Entry[V]) bool) {
		for i := range s.shards {
			sh := &s.shards[i]
			for _, n := range sh.all() {
				now := sh.find(n.key, n.hash)
				if now != nil && now.entry.Live(time.Now()) && !s.closed.Load() && !yield(now.key, &now.entry) {
					return
				}
			}
		}
	}
}

// Clear removes all entries and refuses all open fills.
func (s *Store[K, V]) Clear() { s.clear(false) }

func (s *Store[K, V]) clear(end bool) {
	gone := make([][]*node[K, V], len(s.shards)) // who is told of them may end the goroutine
	for i := range s.shards {
		gone[i] = s.shards[i].clear(end)
	}
	for _, nodes := range gone {
		for _, n := range nodes {
			s.left(n, Invalidated)
		}
	}
}

// Close removes all entries; from then on everything returns cache.ErrClosed.
// Closing again does nothing. A Store that is not closed needs no cleaning up:
// it has no goroutines of its own but those of OnEvict, and its timer does not keep it alive.
func (s *Store[K, V]) Close() error {
	if !s.closed.Swap(true) {
		s.clear(true)
	}
	return nil
}
