// Package synthetic makes request traces up. They follow from the settings alone:
// who asks again gets the same.
package synthetic

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Settings decide what a trace is.
type Settings struct {
	Popularity workload.Popularity
	Keys       int
	Requests   int
	Seed       uint64
	// Rate is how many requests there are in a second, evenly.
	Rate float64
	// Writes and Deletes are parts of the requests, of 1 together at most.
	Writes, Deletes float64
	// Sizes and TTLs are those of the objects. An object keeps its own.
	Sizes, TTLs Spread
}

// Check returns an error that names the first setting that makes no sense.
func (s Settings) Check() error {
	switch {
	case s.Keys < 1 || s.Keys > math.MaxInt32:
		return fmt.Errorf("keys is %d: it must be from 1 to %d", s.Keys, math.MaxInt32)
	case s.Requests < 1 || s.Requests > trace.MaxRequests:
		return fmt.Errorf("requests is %d: it must be from 1 to %d", s.Requests, trace.MaxRequests)
	case !(s.Rate > 0) || float64(s.Requests)/s.Rate > math.MaxUint32:
		return fmt.Errorf("rate is %v: it must be above 0, and the requests must be over within 136 years", s.Rate)
	case !(s.Writes >= 0) || !(s.Deletes >= 0) || s.Writes+s.Deletes > 1:
		return fmt.Errorf("the shares of writes and deletes are %v and %v: they must be from 0 to 1, also together", s.Writes, s.Deletes)
	}
	return nil
}

// The streams of random numbers that are drawn from one seed. The keys have one of
// their own, so that they stay when other settings change.
const (
	streamKeys = 0x7ace + iota
	streamOps
	streamObjects
)

// Trace makes a trace. It takes four bytes for each key and column of a request.
// Its only errors are those of Check and of ctx.
func (s Settings) Trace(ctx context.Context) (*trace.Trace, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	var (
		keys    = s.Popularity.Open(rand.New(rand.NewPCG(s.Seed, streamKeys)), s.Keys)
		ops     = rand.New(rand.NewPCG(s.Seed, streamOps))
		objects = rand.New(rand.NewPCG(s.Seed, streamObjects))
		ids     = newIDs(s.Popularity.Span(s.Keys, s.Requests), s.Requests)
		t       = &trace.Trace{IDs: make([]uint32, s.Requests), Times: make([]uint32, s.Requests), Format: trace.Larder}
		sizes   []uint32 // by id
		ttls    []uint32
	)
	if s.Writes+s.Deletes > 0 {
		t.Ops = make([]trace.Op, s.Requests)
	}
	for i := range s.Requests {
		if i&0xffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		id, fresh := ids.of(keys.Next())
		t.IDs[i], t.Times[i] = id, uint32(float64(i)/s.Rate)
		if fresh {
			// Both are drawn for each object, so that one does not change with the other.
			sizes, ttls = append(sizes, s.Sizes.draw(objects)), append(ttls, s.TTLs.draw(objects))
		}
		if t.Ops != nil {
			switch x := ops.Float64(); {
			case x < s.Writes:
				t.Ops[i] = trace.Write
			case x < s.Writes+s.Deletes:
				t.Ops[i] = trace.Delete
			}
		}
	}
	t.Unique = len(sizes)
	t.Sizes, t.TTLs = column(s.Sizes, t.IDs, sizes), column(s.TTLs, t.IDs, ttls)
	return t, nil
}

func column(s Spread, ids, of []uint32) []uint32 {
	if s == (Spread{}) {
		return nil
	}
	c := make([]uint32, len(ids))
	for i, id := range ids {
		c[i] = of[id]
	}
	return c
}

// numbers hands out dense ids by first appearance, from a table if that takes not
// much more memory than the trace, else from a map.
type numbers struct {
	table []uint32 // 1 plus the id
	known map[uint32]uint32
	next  uint32
}

func newIDs(span, requests int) *numbers {
	if span/8 <= requests {
		return &numbers{table: make([]uint32, span)}
	}
	return &numbers{known: make(map[uint32]uint32)}
}

func (n *numbers) of(key uint32) (id uint32, fresh bool) {
	if n.table != nil {
		if id := n.table[key]; id > 0 {
			return id - 1, false
		}
		n.table[key] = n.next + 1
	} else {
		if id, ok := n.known[key]; ok {
			return id, false
		}
		n.known[key] = n.next
	}
	n.next++
	return n.next - 1, true
}
