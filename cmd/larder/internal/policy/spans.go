package policy

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

// spans are the times between two requests of an id of which the second can be a hit:
// it is one if the id stays cached for all of the span. That takes the size of the
// object for as many requests as the span is long.
type spans struct {
	from []uint32
	size []uint32 // what is kept takes at least
	// byHits and byBytes are the spans by what a hit, or a byte of one, takes, the
	// cheapest first.
	byHits, byBytes []uint32
}

func (l *Load) findSpans() *spans {
	t, s := l.trace, &spans{}
	least := make([]uint32, t.Unique) // size of what may be cached of each id
	for i, id := range t.IDs {
		if least[id] == 0 || l.op(i) != trace.Read {
			least[id] = l.size(i)
		}
		least[id] = min(least[id], l.size(i))
		if l.next[i] != never {
			s.from = append(s.from, uint32(i))
			s.size = append(s.size, least[id])
		}
	}
	sorted := func(price func(span uint32) float64) []uint32 {
		prices, order := make([]float64, len(s.from)), make([]uint32, len(s.from))
		for i := range order {
			order[i] = uint32(i)
			prices[i] = price(uint32(i))
		}
		slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(prices[a], prices[b]) })
		return order
	}
	s.byHits = sorted(func(i uint32) float64 { return float64(s.takes(l, i)) })
	s.byBytes = sorted(func(i uint32) float64 { return float64(s.takes(l, i)) / float64(l.counted(int(l.next[s.from[i]]))) })
	return s
}

// takes returns the bytes of a span times its length.
func (s *spans) takes(l *Load, i uint32) uint64 {
	return uint64(s.size[i]) * uint64(l.next[s.from[i]]-s.from[i])
}

// runBound computes how many hits there could be if only the mean of what is cached had
// to be within the capacity, and not all of it at all times: then the cheapest spans are
// the best, and the last one may be had in part (the relaxation PFOO of Berger,
// Beckmann and Harchol-Balter, Practical Bounds on Optimal Caching with Variable Object
// Sizes, 2018). An exact optimum would take exponential time.
func runBound(ctx context.Context, l *Load, capacity int64, done *atomic.Int64) (h Hits, err error) {
	defer done.Add(int64(len(l.trace.IDs)))
	h.Requests, _, err = l.spend(ctx, l.spans.byHits, capacity)
	if err == nil {
		_, h.Bytes, err = l.spend(ctx, l.spans.byBytes, capacity)
	}
	return h, err
}

// spend takes spans in order until the capacity times the length of the trace is spent.
func (l *Load) spend(ctx context.Context, order []uint32, capacity int64) (hits, bytes int64, err error) {
	hi, lo := bits.Mul64(uint64(capacity), uint64(len(l.trace.IDs)-1))
	for n, i := range order {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		if int64(l.spans.size[i]) > capacity {
			continue
		}
		gain := l.counted(int(l.next[l.spans.from[i]]))
		takes := l.spans.takes(l, i)
		if hi == 0 && lo < takes {
			return hits, bytes + int64(float64(gain)*float64(lo)/float64(takes)), nil
		}
		var borrow uint64
		lo, borrow = bits.Sub64(lo, takes, 0)
		hi -= borrow
		hits++
		bytes += gain
	}
	return hits, bytes, nil
}
