package policy

import (
	"math"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

// never is the next use of a request that no read of the same id comes after.
const never = math.MaxUint32

// nextUse tells for each request of a trace the position of the next request
// of the same id, or never if that cannot be a hit whatever is done: because
// it writes or deletes, or because everything that could be cached by then has
// expired.
type nextUse []uint32

func (l *Load) findNextUse() nextUse {
	t := l.trace
	next := make(nextUse, len(t.IDs))
	last := make([]uint32, t.Unique) // request of each id
	for id := range last {
		last[id] = never
	}
	// until is when the last of what reads have cached since the last write expires.
	var until []uint32
	if l.expiry {
		until = make([]uint32, t.Unique)
	}
	for i, id := range t.IDs {
		next[i] = never
		before, op := last[id], l.op(i)
		if op == trace.Read && before != never && (!l.expiry || until[id] > t.Times[i]) {
			next[before] = uint32(i)
		}
		if l.expiry {
			if op == trace.Read && before != never {
				until[id] = max(until[id], l.expires(i))
			} else {
				until[id] = l.expires(i)
			}
		}
		if last[id] = uint32(i); op == trace.Delete {
			last[id] = never
		}
	}
	return next
}
