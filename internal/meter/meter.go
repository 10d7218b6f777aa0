// Package meter counts what caches do, for their Stats.
package meter

import (
	"errors"
	"sync/atomic"
	"unsafe"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// Meter is what one store, space, Loader or Writer has counted. It never waits, and
// allocates only when it measures something for the first time. Its methods may be
// called at once from many goroutines. It must not be copied.
type Meter struct {
	loads, trips, lag, batch lazy
	errors                   [len(cache.ErrorCounts{})]atomic.Int64
	shared                   stripe
	// stripes are used in place of shared, if there are any.
	stripes []stripe
}

// stripe has a counter for each kind. Whoever adds to one does so with cache lines
// that those who add to another do not touch.
type stripe struct {
	n      [len(cache.Counts{})]atomic.Int64
	parted [parts]atomic.Int64
	_      [128 - (len(cache.Counts{})+parts)*8%128]byte
}

// parts is how many reasons there may be why an entry parts from its store.
const parts = 4

// maxStripes bounds what a Meter takes to 24 KiB.
const maxStripes = 64

// Spread makes the counters of m several, so that goroutines on different processors
// hardly ever add to the same one: an addition to a counter of one's own takes as long
// as 20 instructions, one that two processors fight about takes five times as long.
// It is called before m is used.
func (m *Meter) Spread(processors int) {
	n := 8
	for n < 4*processors && n < maxStripes {
		n *= 2
	}
	m.stripes = make([]stripe, n)
}

// Add counts n events of a kind, which must be one that exists.
func (m *Meter) Add(k cache.Kind, n int64) { m.stripe().n[k].Add(n) }

// stripe returns the counters of the goroutine: two stacks are never in the same 2 KiB,
// and it does no harm if the goroutine moves to another stack.
func (m *Meter) stripe() *stripe {
	if m.stripes == nil {
		return &m.shared
	}
	var here byte
	at := uint64(uintptr(unsafe.Pointer(&here))>>11) * 0x9e3779b97f4a7c15
	return &m.stripes[at>>32&uint64(len(m.stripes)-1)]
}

// Tell counts e and lets o know, which may be nil.
func (m *Meter) Tell(o cache.Observer, e cache.Event) {
	m.Observe(e)
	m.Notify(o, e)
}

// Notify lets o know of e, and counts if it panics.
func (m *Meter) Notify(o cache.Observer, e cache.Event) {
	if o != nil && contain.Observe(o, e) != nil {
		m.Add(cache.HookPanic, 1)
	}
}

// Panicked is Tell of a HookPanic with the Cache, Level and Err of e, of which no caller
// is told: without o it is written to slog.Default.
func (m *Meter) Panicked(o cache.Observer, e cache.Event) {
	e.Kind, e.N = cache.HookPanic, 1
	if o == nil {
		contain.Log(e.Cache, e.Err)
	}
	m.Tell(o, e)
}

// Count returns the number of events of a kind.
func (m *Meter) Count(k cache.Kind) int64 {
	n := m.shared.n[k].Load()
	for i := range m.stripes {
		n += m.stripes[i].n[k].Load()
	}
	return n
}

// Part counts an entry that has parted from its store for a reason, below 4.
func (m *Meter) Part(why int) { m.stripe().parted[why].Add(1) }

// Parted returns how many have for that reason.
func (m *Meter) Parted(why int) int64 {
	n := m.shared.parted[why].Load()
	for i := range m.stripes {
		n += m.stripes[i].parted[why].Load()
	}
	return n
}

// Observe counts an event, its error if it is a failure, and how long it took.
func (m *Meter) Observe(e cache.Event) {
	if int(e.Kind) >= len(cache.Counts{}) {
		return
	}
	m.Add(e.Kind, int64(max(e.N, 1)))
	if e.Err != nil {
		m.failed(e)
	}
	switch e.Kind {
	case cache.Load:
		m.loads.record(int64(e.Took))
	case cache.Trip:
		m.trips.record(int64(e.Took))
		m.batch.record(int64(max(e.N, 1)))
	case cache.Heard:
		m.lag.record(int64(e.Took))
	}
}

// failed counts the error of an event, unless it is one that was counted when it
// happened, and is now the reason for something.
func (m *Meter) failed(e cache.Event) {
	switch e.Kind {
	case cache.StaleOnError, cache.LoadSpared, cache.BreakerOpened:
		return
	case cache.FillRefused: // it is no failure that something was invalidated
		if !errors.Is(e.Err, cache.ErrUnavailable) {
			return
		}
	}
	m.errors[cache.ClassOf(e.Err)].Add(1)
}

// Stats returns what was counted until now.
func (m *Meter) Stats() cache.Stats {
	s := cache.Stats{Loads: m.loads.snapshot(), Trips: m.trips.snapshot(), Lag: m.lag.snapshot(), Batch: m.batch.snapshot()}
	for k := range s.Counts {
		s.Counts[k] = m.Count(cache.Kind(k))
	}
	for c := range s.Errors {
		s.Errors[c] = m.errors[c].Load()
	}
	return s
}
