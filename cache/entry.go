package cache

import (
	"math"
	"time"

	"github.com/larder-cache/larder/internal/clock"
)

// Entry is a value in a cache and what the cache knows about it. Entries are
// shared between goroutines: nobody may change one that came from a store or
// was given to one. If V holds pointers, slices or maps, the same goes for
// what they lead to.
type Entry[V any] struct {
	Value V
	// Tags name the groups that this entry is invalidated with. Each has 1 to 4096 bytes:
	// an entry with any other is refused, by ErrNotStorable, since nobody could
	// invalidate it.
	Tags []string
	// Fresh is the moment until which the value is served without asking the
	// origin. From then until Expires it is stale.
	Fresh Moment
	// Expires is the moment from which no store returns the entry.
	Expires Moment
	// Cost is how long the origin took to give the value.
	Cost time.Duration
	// Guard, set by stores, says whether the entry may be served from memory.
	Guard Guard
	// Absent marks the answer of an origin that has no such value.
	Absent bool
	// When it was loaded; where Absent leaves room.
	loadedMs  uint16
	loadedSec uint32
}

// Loaded returns the moment at which the origin had given the value; zero if that is
// not known.
func (e *Entry[V]) Loaded() Moment { return Moment(e.loadedSec)*1000 + Moment(e.loadedMs) }

// SetLoaded says when the origin had given the value. It is for who makes an entry.
func (e *Entry[V]) SetLoaded(m Moment) {
	if m < 0 || m/1000 > math.MaxUint32 {
		m = 0
	}
	e.loadedSec, e.loadedMs = uint32(m/1000), uint16(m%1000)
}

// Moment is a point in time in milliseconds since 1970 UTC, by the clock of this
// process: the wall clock at its start, and what has passed since. Setting the wall
// clock therefore neither shortens nor lengthens the life of an entry. A Moment of
// another process means nothing here: a store that processes share hands on how much
// time is left. The zero Moment is in the past.
type Moment int64

// Forever is the Moment that does not come.
const Forever Moment = math.MaxInt64

// Now returns the present moment.
func Now() Moment { return MomentOf(time.Now()) }

// MomentOf returns the moment of t, which comes from time.Now and has its monotonic
// reading. A t without one is taken for a time of the wall clock at the start.
func MomentOf(t time.Time) Moment { return Moment(clock.Milli(t)) }

// Add returns m moved by d, in whole milliseconds; what is over is left out.
// What would be after Forever is Forever, and Forever stays what it is.
func (m Moment) Add(d time.Duration) Moment {
	s := m + Moment(d.Milliseconds())
	switch {
	case m == Forever || d == math.MaxInt64 || d > 0 && s < m:
		return Forever
	case d < 0 && s > m:
		return math.MinInt64
	}
	return s
}

// Sub returns the time from u to m, within what a Duration can hold.
func (m Moment) Sub(u Moment) time.Duration {
	const most = math.MaxInt64 / Moment(time.Millisecond)
	d := m - u
	switch {
	case m == Forever || m > u && (d < 0 || d > most):
		return math.MaxInt64
	case m < u && (d > 0 || d < -most):
		return math.MinInt64
	}
	return time.Duration(d) * time.Millisecond
}

// Time returns m as a time.Time, to be shown. It is not of the wall clock if that was
// set since the start of the process.
func (m Moment) Time() time.Time { return time.UnixMilli(int64(m)) }
