package invalidation

import (
	"math"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Status says how a Domain stands with the remote store.
type Status struct {
	Lanes []LaneStatus
	// Held is how many tags and keys this process reads around, because a writer
	// is at work on them or their invalidation has to be repeated.
	Held int
	// Retries is how many invalidations and releases have failed and wait to be
	// repeated.
	Retries int
	// InDoubt is how many changes have ended in doubt: their targets are in quarantine
	// until they are decided.
	InDoubt int
	// Problems are what the servers, or the rights there, lack at present: see
	// cache.Problem.
	Problems []cache.Problem
}

// LaneStatus is the part of a lane.
type LaneStatus struct {
	// Trusted says that memory serves what is in the lane.
	Trusted bool
	// Remains is how long the lease has still to go; negative if it has ended.
	Remains time.Duration
	// Since is when memory was last found not to be trusted; zero if it is
	// trusted.
	Since time.Time
	// Subscribed says that the process hears invalidations as they happen.
	Subscribed bool
	// Applied is how many invalidations were heard of, Gaps how often some were
	// missed so that the lane was dropped from memory.
	Applied, Gaps uint64
}

// Status returns how the Domain stands. A Domain without a remote store has one
// lane, which is always trusted.
func (d *Domain) Status() Status {
	now := time.Now()
	s := Status{Lanes: make([]LaneStatus, len(d.lanes)), Held: int(d.holds.n.Load()), Retries: d.retries.len(), InDoubt: d.doubts.Len()}
	for i := range d.lanes {
		l := &d.lanes[i]
		s.Lanes[i].Trusted = l.trust(now) == cache.Valid
		s.Lanes[i].Remains = l.remains(now)
		if until := l.until.Load(); !s.Lanes[i].Trusted {
			s.Lanes[i].Since = d.opened
			if until > math.MinInt64 {
				s.Lanes[i].Since = now.Add(s.Lanes[i].Remains)
			}
		}
	}
	if d.remote != nil {
		d.remote.Status(&s)
	}
	return s
}
