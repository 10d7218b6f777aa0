// Package history judges what clients of a cache have seen. It knows nothing of
// the cache: a history is a list of operations with the times of their call and
// return, on one clock, and the versions that they read or wrote.
package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Op is one operation on a key. A write is the change of the origin together
// with its invalidation: Call is before the change, Return after the invalidation
// has returned. What has failed, or never returned, has no Return: it may have
// happened, or not, or later.
type Op struct {
	Key          int
	Process      int
	Write        bool
	Version      int64 // what was read, or written; versions of a key grow from 1, and 0 is before all writes
	Call, Return int64 // nanoseconds, or any other clock that orders them
}

// never is the return of an operation that has none.
const never = 0

// Stale is a read of a version although a newer one was invalidated before.
type Stale struct {
	Read Op
	// Newer is the write that had returned first, of those of newer versions.
	Newer Op
	// By is how long the write had returned when the read was called.
	By time.Duration
}

func (s Stale) String() string {
	return fmt.Sprintf("key %d: process %d read version %d, called %v after the write of version %d had returned",
		s.Read.Key, s.Read.Process, s.Read.Version, s.By, s.Newer.Version)
}

// Freshness returns the reads that are staler than lease allows: a version was
// read although a newer one had returned longer than lease before the read was
// called. With no lease that is the guarantee of reads past the memory. It takes
// O(n log n) for n operations. longest is the worst staleness of all reads,
// whatever the lease.
func Freshness(ops []Op, lease time.Duration) (stale []Stale, longest time.Duration) {
	for _, of := range byKey(ops) {
		var writes, reads []Op
		for _, op := range of {
			switch {
			case op.Return == never:
			case op.Write:
				writes = append(writes, op)
			default:
				reads = append(reads, op)
			}
		}
		first := firstNewer(writes)
		for _, r := range reads {
			w, found := first(r.Version)
			if !found || w.Return >= r.Call {
				continue
			}
			by := time.Duration(r.Call - w.Return)
			longest = max(longest, by)
			if by > lease {
				stale = append(stale, Stale{r, w, by})
			}
		}
	}
	slices.SortFunc(stale, func(a, b Stale) int { return cmp.Compare(a.Read.Call, b.Read.Call) })
	return stale, longest
}

// firstNewer returns a function that finds, of the writes of versions newer than
// another, the first to return. From its return on nobody may read the other.
func firstNewer(writes []Op) func(version int64) (Op, bool) {
	versions := slices.Clone(writes)
	slices.SortFunc(versions, func(a, b Op) int { return cmp.Compare(a.Version, b.Version) })
	// first[i] is the write that returns first among versions[i:].
	first := make([]Op, len(versions))
	for i := len(versions) - 1; i >= 0; i-- {
		first[i] = versions[i]
		if i+1 < len(versions) && first[i+1].Return < first[i].Return {
			first[i] = first[i+1]
		}
	}
	return func(version int64) (Op, bool) {
		i, _ := slices.BinarySearchFunc(versions, version+1, func(w Op, v int64) int { return cmp.Compare(w.Version, v) })
		if i == len(versions) {
			return Op{}, false
		}
		return first[i], true
	}
}

func byKey(ops []Op) map[int][]Op {
	out := map[int][]Op{}
	for _, op := range ops {
		out[op.Key] = append(out[op.Key], op)
	}
	return out
}
