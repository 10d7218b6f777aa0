// Package policy replays request traces against eviction policies and counts
// the hits.
package policy

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

// Policy is a cache of a fixed capacity, for one goroutine at a time.
//
// A policy that holds more than memory also implements io.Closer; it is closed
// after the replay.
type Policy interface {
	// Get reports whether id is cached and, if so, notes that it was used.
	Get(id uint32) bool
	// Put caches id, with so many bytes, or replaces what is cached. Without
	// Setup.Bytes the size is of no importance.
	Put(id, size uint32)
	// Drop removes id, if it is cached.
	Drop(id uint32)
}

// Setup is what a policy is built from.
type Setup struct {
	// Capacity is the number of entries or, with Bytes, of bytes, 1 at least.
	Capacity int64
	Bytes    bool
	// Unique is a number that all ids are below.
	Unique int
}

// Kind is an entry of the catalog.
type Kind struct {
	Name string
	run  func(ctx context.Context, l *Load, capacity int64, done *atomic.Int64) (Hits, error)
}

// Hits says how many of the reads were hits, and how many bytes these had. The
// bytes are counted in loads by bytes alone.
type Hits struct{ Requests, Bytes int64 }

// Run replays a load on a policy of kind k. It adds to done, which may be nil,
// how many requests it has been through, and ends early, with its error, when
// ctx does.
func (k Kind) Run(ctx context.Context, l *Load, capacity int64, done *atomic.Int64) (Hits, error) {
	if capacity < 1 {
		return Hits{}, fmt.Errorf("%s: capacity %d is less than 1", k.Name, capacity)
	}
	if done == nil {
		done = new(atomic.Int64)
	}
	h, err := k.run(ctx, l, capacity, done)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", k.Name, err)
	}
	return h, err
}

// of returns the kind of the policies that build makes.
func of(name string, build func(Setup) Policy) Kind {
	return Kind{name, func(ctx context.Context, l *Load, capacity int64, done *atomic.Int64) (h Hits, err error) {
		p := build(Setup{Capacity: capacity, Bytes: l.bytes, Unique: l.trace.Unique})
		if c, ok := p.(io.Closer); ok {
			defer func() {
				if e := c.Close(); e != nil && err == nil {
					err = e
				}
			}()
		}
		replay := l.everything(p)
		if l.trace.Ops == nil && !l.expiry && !l.bytes {
			replay = l.reads(p)
		}
		err = l.inParts(ctx, done, func(from, to int) { replay(&h, from, to) })
		return h, err
	}}
}

// checkEvery is the number of requests between two looks at the context.
const checkEvery = 1 << 16

// inParts calls part for all requests in order, some of them at a time.
func (l *Load) inParts(ctx context.Context, done *atomic.Int64, part func(from, to int)) error {
	for from, n := 0, len(l.trace.IDs); from < n; from += checkEvery {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+checkEvery, n)
		part(from, to)
		done.Add(int64(to - from))
	}
	return nil
}

// reads replays a load in which there is nothing but reads.
func (l *Load) reads(p Policy) func(h *Hits, from, to int) {
	return func(h *Hits, from, to int) {
		for _, id := range l.trace.IDs[from:to] {
			if p.Get(id) {
				h.Requests++
			} else {
				p.Put(id, 1)
			}
		}
	}
}

// everything replays any load. What has expired leaves the cache when it is met, as in
// the store in memory, and takes its place until then.
func (l *Load) everything(p Policy) func(h *Hits, from, to int) {
	t := l.trace
	var expires []uint32
	if l.expiry {
		expires = make([]uint32, t.Unique)
	}
	return func(h *Hits, from, to int) {
		for i := from; i < to; i++ {
			id := t.IDs[i]
			switch l.op(i) {
			case trace.Delete:
				p.Drop(id)
				continue
			case trace.Read:
				hit := p.Get(id)
				if hit && l.expiry && expires[id] <= t.Times[i] {
					p.Drop(id)
					hit = false
				}
				if hit {
					h.Requests++
					h.Bytes += l.counted(i)
					continue
				}
			}
			p.Put(id, l.size(i))
			if l.expiry {
				expires[id] = l.expires(i)
			}
		}
	}
}
