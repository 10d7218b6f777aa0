package policy

import (
	"context"
	"sync/atomic"
)

// optimum is Belady's MIN with bypass: it evicts the entry whose next use is
// farthest and does not admit a new item that would be that entry. It costs
// O(log capacity) a request.
//
// Since a position belongs to one request alone, an entry is known by the
// position of its next use. Ids with none are not kept: they can have no hit.
//
// Of a load with expiry it is a bound: it takes every next use for one that can be
// reached from the request before, when it may need an entry that was stored earlier
// and lives longer, or one that was stored later.
type optimum struct {
	next     nextUse
	capacity int
	size     int      // entries cached
	due      []uint64 // bit set of the next uses of the cached entries
	far      farthest // the same positions, and some that are past
}

func newOptimum(l *Load, capacity int64) *optimum {
	return &optimum{next: l.next, capacity: int(min(capacity, int64(len(l.next)))), due: make([]uint64, (len(l.next)+63)/64)}
}

func runOptimum(ctx context.Context, l *Load, capacity int64, done *atomic.Int64) (h Hits, err error) {
	o := newOptimum(l, capacity)
	err = l.inParts(ctx, done, func(from, to int) {
		for i := from; i < to; i++ {
			if o.request(uint32(i)) {
				h.Requests++
			}
		}
	})
	return h, err
}

// request reports whether the request at position now is a hit.
func (o *optimum) request(now uint32) bool {
	next := o.next[now]
	hit := o.due[now/64]>>(now%64)&1 != 0
	if hit {
		o.size--
	}
	if next == never {
		return hit
	}
	if o.size == o.capacity {
		worst := o.far[0]
		if next > worst {
			return hit
		}
		o.due[worst/64] &^= 1 << (worst % 64)
		o.far.replaceFirst(next)
	} else {
		if len(o.far) > 2*o.size+64 {
			o.far.dropUntil(now)
		}
		o.far.push(next)
		o.size++
	}
	o.due[next/64] |= 1 << (next % 64)
	return hit
}

// farthest is a heap whose first element is the highest position. Positions
// that are past sink to its end and never come first while others are left.
type farthest []uint32

func (f *farthest) push(pos uint32) {
	h := append(*f, pos)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2] < pos {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = pos
	*f = h
}

func (f farthest) replaceFirst(pos uint32) {
	f[0] = pos
	f.sink(0)
}

func (f farthest) sink(i int) {
	pos := f[i]
	for {
		child := 2*i + 1
		if child >= len(f) {
			break
		}
		if child+1 < len(f) && f[child+1] > f[child] {
			child++
		}
		if f[child] <= pos {
			break
		}
		f[i] = f[child]
		i = child
	}
	f[i] = pos
}

// dropUntil removes all positions up to now.
func (f *farthest) dropUntil(now uint32) {
	h := (*f)[:0]
	for _, pos := range *f {
		if pos > now {
			h = append(h, pos)
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
	*f = h
}
