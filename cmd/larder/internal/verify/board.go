package verify

import (
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/history"
)

// The rows of the origin. Each mode reads and writes rows of its own.
const (
	rowsOfMode = 12
	groups     = 3 // of the rows of a mode; each has a tag
	allRows    = int(modes) * rowsOfMode
)

// mode is a way to use the library, with the guarantee that is checked for it.
type mode int

const (
	plain      mode = iota // a Loader and a Batch over Redis
	memory                 // a Loader with memory in front
	coherent               // the same, and invalidations wait until memory is coherent
	strict                 // a linearizable Loader
	lasting                // as memory, but without a bus, of rows that nobody writes: only time ends them
	missing                // as plain, of rows that are mostly not there: loads fail, and are not repeated for a while
	readMostly             // as plain, of rows that only one process writes, and seldom: the connections of the others only read
	modes
)

func modeOf(row int) mode { return mode(row / rowsOfMode) }

// board is memory that all processes of a round share: the origin.
type board struct {
	stop    atomic.Int32
	ease    atomic.Int32          // the faults are over: what is seen now is only whether memory serves
	version [allRows]atomic.Int64 // the value of a row is its version
}

// journalLen is how many operations a process can note in a round.
const journalLen = 1 << 21

// journal is what one process has done. It is in shared memory, so that it is
// complete up to the last moment of a process that is killed.
type journal struct {
	ready   atomic.Int32
	n       atomic.Int64
	counts  [modes]counts
	foreign atomic.Int64 // values of another key
	late    atomic.Int64 // commits that came after the error of their write
	ages    ages
	wall    atomic.Int64 // by how much the wall clock was set, in nanoseconds
	records [journalLen]record
}

type counts struct {
	hits, loads, failed atomic.Int64 // hits of any level; reads and writes that failed
}

type record struct {
	row          int32
	write        bool
	version      int64
	call, result int64
}

// begin notes the start of an operation. It returns nil when the journal is full.
func (j *journal) begin(row int, write bool) *record {
	i := j.n.Add(1) - 1
	if i >= journalLen {
		return nil
	}
	r := &j.records[i]
	r.row, r.write, r.call = int32(row), write, clock()
	return r
}

// end notes that an operation has succeeded.
func (r *record) end() { r.result = clock() }

// ops returns the operations of process p that may have had an effect.
func (j *journal) ops(p int) []history.Op {
	n := min(j.n.Load(), journalLen)
	out := make([]history.Op, 0, n)
	for i := range j.records[:n] {
		r := &j.records[i]
		if r.write && r.version == 0 || !r.write && r.result == 0 {
			continue // not begun in the origin, or without a result
		}
		out = append(out, history.Op{Key: int(r.row), Process: p, Write: r.write, Version: r.version, Call: r.call, Return: r.result})
	}
	return out
}

// missing returns writes of which a process that was killed could not note the
// version: they may have taken effect at any time.
func (b *board) missing(ops []history.Op) (out []history.Op) {
	var seen [allRows]map[int64]bool
	for _, op := range ops {
		if op.Write {
			if seen[op.Key] == nil {
				seen[op.Key] = map[int64]bool{}
			}
			seen[op.Key][op.Version] = true
		}
	}
	for row := range seen {
		for v := int64(1); v <= b.version[row].Load(); v++ {
			if !seen[row][v] {
				out = append(out, history.Op{Key: row, Process: -1, Write: true, Version: v})
			}
		}
	}
	return out
}
