package memstore

import (
	"context"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// Stats returns what the store has counted. All is counted exactly, hits too, up to a
// million in a second. Of more hits, those of a part of the keys stand for all: at first
// of an eighth, and of a 64th when it goes on for half a second, with another part every
// ten milliseconds. Of the hits of a program in a minute that is wrong by a few in a
// hundred, and rather too few than too many; of a loop that does nothing else but hit
// one key, a quarter may be missing. Counting costs a hit a nanosecond or two then, and
// six while there are few.
//
// It takes each shard's lock in turn, to count entries.
func (s *Store[K, V]) Stats() cache.Stats {
	out := s.meter.Stats()
	out.Cache, out.Level, out.Entries = s.name, cache.Memory, int64(s.Len())
	out.Evicted = make(map[string]int64, reasons)
	for why := range Reason(reasons) {
		out.Evicted[why.String()] = s.meter.Parted(int(why))
	}
	return out
}

// hit counts a hit and lets the Observer know.
func (s *Store[K, V]) hit(h uint64) {
	if n := s.clock.weight(h); n != 0 {
		s.meter.Add(cache.Hit, n)
	}
	if s.observer != nil {
		s.meter.Notify(s.observer, s.event(cache.Hit, 1))
	}
}

func (s *Store[K, V]) observe(kind cache.Kind, n int) {
	s.meter.Add(kind, int64(n))
	if s.observer != nil {
		s.meter.Notify(s.observer, s.event(kind, n))
	}
}

func (s *Store[K, V]) event(kind cache.Kind, n int) cache.Event {
	return cache.Event{Kind: kind, Cache: s.name, Level: cache.Memory, N: n}
}

// left reports an entry that has left the store. No lock may be held.
func (s *Store[K, V]) left(n *node[K, V], why Reason) {
	s.meter.Part(int(why))
	if why == Full {
		s.observe(cache.Evicted, 1)
	}
	if s.onEvict == nil {
		return
	}
	if err := contain.Call(context.Background(), "Options.OnEvict", func() { s.onEvict(n.key, &n.entry, why) }); err != nil {
		s.meter.Panicked(s.observer, cache.Event{Cache: s.name, Level: cache.Memory, Err: err})
	}
}

// gone reports what had to go for another entry.
func (s *Store[K, V]) gone(g eviction[K, V]) {
	if g.n == nil {
		return
	}
	if g.why == Full {
		g.why = s.fate(g.n)
	}
	s.left(g.n, g.why)
}

// fate returns why a node leaves that has to make room: it may have been dead already.
func (s *Store[K, V]) fate(n *node[K, V]) Reason {
	var now time.Time // what is not timed looks at no clock
	if n.timed || !s.clock.before(n.entry.Expires) {
		now = time.Now()
		if cache.MomentOf(now) >= n.entry.Expires {
			return Expired
		}
	}
	if n.entry.Trust(now) == cache.Invalid {
		return Invalidated
	}
	return Full
}
