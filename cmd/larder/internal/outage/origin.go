package outage

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// row is what the origin has of a key.
type row struct {
	Key, Version uint64
}

// origin is a database that takes a known time and answers all at once: what its
// callers wait for is their own.
type origin struct {
	latency, spread time.Duration
	versions        []atomic.Uint64
	clock           clock

	mu    sync.Mutex
	calls []call
}

// call is one question to the origin.
type call struct {
	at, took time.Duration
	// late is by how much it took longer than it was to: what the machine makes of
	// a timer.
	late time.Duration
	// control says that it was asked for those who have no cache.
	control bool
}

func newOrigin(c Config, k clock) *origin {
	return &origin{latency: c.Latency, spread: c.Spread, versions: make([]atomic.Uint64, c.Keys), clock: k}
}

// load returns the row as it is at the beginning, which leaves a cache the widest
// room to keep what has become old.
func (o *origin) load(ctx context.Context, key uint64, control bool) (row, error) {
	at := o.clock.now()
	r := row{key, o.versions[key].Load()}
	d := o.latency - o.spread + rand.N(2*o.spread+1)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return row{}, ctx.Err()
	}
	took := o.clock.now() - at
	o.mu.Lock()
	o.calls = append(o.calls, call{at, took, took - d, control})
	o.mu.Unlock()
	return r, nil
}

// write commits a new version of a row and returns it.
func (o *origin) write(key uint64) uint64 { return o.versions[key].Add(1) }

// clock has the time since the run began.
type clock struct{ began time.Time }

func (c clock) now() time.Duration { return time.Since(c.began) }
