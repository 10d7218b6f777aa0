package redisstore

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// refusals keep fills from a server that reads, but refuses to write, as one without
// memory does and a replica: what is loaded could not be stored, and to find that out
// costs a round trip each time, or even a connection. One in a second tries. They keep
// reads from a server that refuses even these, for want of a right.
type refusals struct {
	until atomic.Int64 // since epoch; 0 if the server writes
	row   atomic.Int64 // of fills that were refused
}

const (
	refusedRow   = 3
	refusedPause = time.Second
)

// refuses reports whether no fill is to be begun.
func (r *refusals) refuses() bool {
	until := r.until.Load()
	if until == 0 {
		return false
	}
	if int64(time.Since(epoch)) < until {
		return true
	}
	return !r.until.CompareAndSwap(until, r.next()) // one is to try
}

func (r *refusals) next() int64 {
	return int64(time.Since(epoch) + refusedPause/2 + rand.N(refusedPause/2))
}

// took notes how the trip of a fill went.
func (r *refusals) took(err error) {
	if err == nil {
		if r.row.Load() != 0 {
			r.row.Store(0)
			r.until.Store(0)
		}
		return
	}
	if refusal(err) && r.row.Add(1) >= refusedRow {
		r.until.Store(r.next())
	}
}

// refusal reports whether an error says that a server does not write.
func refusal(err error) bool {
	return says(err, "OOM", "READONLY", "MISCONF", "NOREPLICAS") || denied(err)
}
