package policy

import (
	"math"
	"slices"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

// Load is a trace and what policies must know of it. It is made once, for all
// of them and all capacities, and is not changed.
type Load struct {
	trace  *trace.Trace
	bytes  bool
	expiry bool
	next   nextUse
	spans  *spans // with bytes

	// Reads are the requests that could be hits, and ReadBytes their bytes.
	Reads, ReadBytes int64
	// Whole is the capacity in which everything has its place: the number of
	// keys or, by bytes, the sum of their greatest sizes.
	Whole int64
	// Sizeless are the requests whose size is not known, by bytes.
	Sizeless int64
}

// Options says how a trace is looked at.
type Options struct {
	// Bytes has capacities in bytes and counts those of hits.
	Bytes bool
	// IgnoreTTL lets entries live for ever.
	IgnoreTTL bool
}

// NewLoad makes a load of a trace. Its error is a *trace.Error without the name
// of a file: the trace has no reads or, for Options.Bytes, no sizes. It costs a
// pass and 4 bytes a request, and with Options.Bytes two sorts and 20 bytes.
func NewLoad(t *trace.Trace, o Options) (*Load, error) {
	l := &Load{trace: t, bytes: o.Bytes, Whole: int64(t.Unique)}
	l.expiry = !o.IgnoreTTL && t.Times != nil && slices.ContainsFunc(t.TTLs, func(ttl uint32) bool { return ttl > 0 })
	if l.bytes && t.Sizes == nil {
		return nil, &trace.Error{Problem: "has no sizes of objects", Remedy: "leave out --bytes"}
	}
	l.Reads = int64(len(t.IDs))
	if t.Ops != nil {
		l.Reads = 0
		for _, op := range t.Ops {
			if op == trace.Read {
				l.Reads++
			}
		}
	}
	if l.Reads == 0 {
		return nil, &trace.Error{Problem: "has no reads, so there is nothing to hit", Remedy: "name another trace"}
	}
	l.next = l.findNextUse()
	if l.bytes {
		largest := make([]uint32, t.Unique)
		for i, id := range t.IDs {
			largest[id] = max(largest[id], l.size(i))
			if t.Sizes[i] == 0 {
				l.Sizeless++
			}
			if l.op(i) == trace.Read {
				l.ReadBytes += l.counted(i)
			}
		}
		l.Whole = 0
		for _, size := range largest {
			l.Whole += int64(size)
		}
		l.spans = l.findSpans()
	}
	return l, nil
}

// Expiry reports whether entries of the load expire.
func (l *Load) Expiry() bool { return l.expiry }

// Kinds returns every policy, in the order in which reports show them. The last
// is Optimum or, where that cannot be computed, Bound.
func (l *Load) Kinds() []Kind {
	best := Kind{Optimum, runOptimum}
	switch {
	case l.bytes:
		best = Kind{Bound, runBound}
	case l.expiry:
		best.Name = Bound
	}
	return append(slices.Clone(catalog), best)
}

func (l *Load) op(i int) trace.Op {
	if l.trace.Ops == nil {
		return trace.Read
	}
	return l.trace.Ops[i]
}

// size returns what the object of a request takes of the capacity: nothing
// takes nothing, and what is not known is 1.
func (l *Load) size(i int) uint32 {
	if !l.bytes {
		return 1
	}
	return max(1, l.trace.Sizes[i])
}

// counted returns the bytes that a hit counts for.
func (l *Load) counted(i int) int64 {
	if !l.bytes {
		return 0
	}
	return int64(l.trace.Sizes[i])
}

// expires returns when what is stored at a request expires, which is never
// after the end of 32 bits.
func (l *Load) expires(i int) uint32 {
	at, ttl := l.trace.Times[i], l.trace.TTLs[i]
	if ttl == 0 || at > math.MaxUint32-ttl {
		return math.MaxUint32
	}
	return at + ttl
}

// Names returns the names of all policies, and of what no policy has more hits than.
func Names() (names []string) {
	for _, k := range catalog {
		names = append(names, k.Name)
	}
	return append(names, Optimum, Bound)
}
