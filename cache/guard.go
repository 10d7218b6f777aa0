package cache

import (
	"slices"
	"time"
)

// Guard watches what an entry in memory depends on.
type Guard interface {
	// Trust says whether the entry may be served at now, which comes from
	// time.Now and has its monotonic reading. It costs a few atomic loads.
	Trust(now time.Time) Trust
}

// Trust is what a Guard says of an entry.
type Trust uint8

const (
	// Invalid: something the entry depends on was invalidated, or may have been
	// without this process hearing of it. It stays so.
	Invalid Trust = iota
	// Apart: it cannot be told at the moment, because the process has not heard
	// from the servers for too long. The entry must not be served, but may be
	// valid again.
	Apart
	// Behind: as Apart, but within the time for which the user has chosen to
	// serve nevertheless.
	Behind
	// Valid: nothing was invalidated.
	Valid
)

// String returns the name of the trust in lower case.
func (t Trust) String() string {
	return [...]string{"invalid", "apart", "behind", "valid"}[t&3]
}

// Live reports whether the entry may be served at now: it has not expired, and
// its Guard does not object.
func (e *Entry[V]) Live(now time.Time) bool {
	return MomentOf(now) < e.Expires && e.Trust(now) >= Behind
}

// Trust returns what the Guard says of the entry, Valid if it has none.
func (e *Entry[V]) Trust(now time.Time) Trust {
	if e.Guard == nil {
		return Valid
	}
	return e.Guard.Trust(now)
}

// WithGuard returns a copy of e that also depends on g.
func (e *Entry[V]) WithGuard(g Guard) Entry[V] {
	c := *e
	c.Tags = slices.Clip(e.Tags)
	if e.Guard != nil {
		g = both{e.Guard, g}
	}
	c.Guard = g
	return c
}

type both struct{ a, b Guard }

func (g both) Trust(now time.Time) Trust { return min(g.a.Trust(now), g.b.Trust(now)) }
