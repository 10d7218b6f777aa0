package redisstore

import (
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/meter"
)

// Stats returns what the store has counted: what was read and stored, and why not. How
// long trips take is in the Stats of its space, since those of several stores share
// trips.
func (s *Store[K, V]) Stats() cache.Stats {
	out := s.meter.Stats()
	out.Cache, out.Level = s.name, cache.Shared
	return out
}

func (s *Store[K, V]) observe(kind cache.Kind, err error) {
	s.tell(cache.Event{Kind: kind, N: 1, Err: err})
}

// tell counts an event and lets the Observer know.
func (s *Store[K, V]) tell(e cache.Event) {
	e.Cache, e.Level = s.name, cache.Shared
	s.meter.Tell(s.observer, e)
}

// tellApart is tell for goroutines that no Observer may end.
func (s *Store[K, V]) tellApart(e cache.Event) {
	e.Cache, e.Level = s.name, cache.Shared
	tellApart(&s.meter, s.observer, e)
}

// tellApart lets an Observer know on a goroutine of its own, which it may end.
func tellApart(m *meter.Meter, o cache.Observer, e cache.Event) {
	m.Observe(e)
	if o != nil && contain.Apart(contain.Observer, func() { m.Notify(o, e) }) != nil {
		m.Add(cache.HookPanic, 1) // it has ended its goroutine: Notify contains panics
	}
}

// Stats returns what was counted for all stores of the space together: trips, which
// are those of reads, fills, writes and invalidations but not the beats; how many keys
// and tags went in one; how long invalidations of this process took to come back to it
// over the bus; and invalidations of tags.
func (s *Space) Stats() cache.Stats {
	out := s.meter.Stats()
	out.Cache, out.Level = s.ns, cache.Shared
	out.Breaker, out.OpenBreakers = s.servers.state()
	return out
}

// observe counts an event of the space and lets its Observer know, which cannot end the
// goroutine: it may be one that the space cannot do without.
func (s *Space) observe(e cache.Event) {
	e.Cache, e.Level = s.ns, cache.Shared
	tellApart(&s.meter, s.observer, e)
}

// trip tells of a round trip about keys.
func (s *Space) trip(keys int, took time.Duration, err error) {
	s.suspect(err)
	s.observe(cache.Event{Kind: cache.Trip, N: max(keys, 1), Took: took, Err: err})
}

// said is what this process has announced in a lane and not heard yet: as much of it as
// there is room for, the latest of each place. It is of use to nobody but who wants to
// know how long that takes.
type said struct {
	waits int
	at    *[64]announcement // nil until there is one
}

type announcement struct {
	tail  logTail
	began time.Time
}

// put notes an announcement that began at a time.
func (a *said) put(t logTail, began time.Time) {
	if a.at == nil {
		a.at = new([64]announcement)
	}
	at := &a.at[t.seq%uint64(len(a.at))]
	if at.tail == (logTail{}) {
		a.waits++
	}
	at.tail, at.began = t, began
}

// take returns when the announcement of t began, if it is known.
func (a *said) take(t logTail) (began time.Time, ok bool) {
	if a.waits == 0 {
		return time.Time{}, false
	}
	at := &a.at[t.seq%uint64(len(a.at))]
	if at.tail != t || t == (logTail{}) {
		return time.Time{}, false
	}
	a.waits--
	began, at.tail = at.began, logTail{}
	return began, true
}

// said notes that this process has announced t. If the bus was faster than the answer,
// it is heard already.
func (s *Space) said(lane int, t logTail, began time.Time) {
	if s.bus == nil {
		return
	}
	l := s.bus.lanes[lane]
	l.mu.Lock()
	heard := l.known.has(t)
	if !heard {
		l.said.put(t, began)
	}
	l.mu.Unlock()
	if heard {
		s.observe(cache.Event{Kind: cache.Heard, N: 1, Took: time.Since(began)})
	}
}

// back is told of a message that has come, and tells of it if it is this process's own.
func (l *lane) back(t logTail) {
	l.mu.Lock()
	began, own := l.said.take(t)
	l.mu.Unlock()
	if own {
		l.space.observe(cache.Event{Kind: cache.Heard, N: 1, Took: time.Since(began)})
	}
}
