package bench

import (
	"context"
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// tally counts the operations of one worker. It fills two cache lines, so that
// workers do not slow each other down by counting.
type tally struct {
	done   [workload.Kinds]atomic.Int64
	rows   atomic.Int64 // that were asked for, by operations that succeeded
	failed atomic.Int64
	_      [56]byte
}

// tallies counts the operations of all workers.
type tallies struct {
	workers []tally
	first   atomic.Pointer[error] // of the operations that failed
}

func newTallies(workers int) *tallies { return &tallies{workers: make([]tally, workers)} }

// count counts an operation that asked for rows and returned err. What ended because the
// run was interrupted is not counted.
func (t *tallies) count(ctx context.Context, worker int, kind workload.Kind, rows int, err error) {
	switch {
	case err == nil:
		t.workers[worker].done[kind].Add(1)
		if rows > 0 {
			t.workers[worker].rows.Add(int64(rows))
		}
	case ctx.Err() == nil:
		t.workers[worker].failed.Add(1)
		t.first.CompareAndSwap(nil, &err)
	}
}

func (t *tallies) done(kind workload.Kind) (n int64) {
	for i := range t.workers {
		n += t.workers[i].done[kind].Load()
	}
	return n
}

// rows returns how many rows were asked for.
func (t *tallies) rows() (n int64) {
	for i := range t.workers {
		n += t.workers[i].rows.Load()
	}
	return n
}

func (t *tallies) failed() (n int64) {
	for i := range t.workers {
		n += t.workers[i].failed.Load()
	}
	return n
}

// all returns the number of operations that ended, in whatever way.
func (t *tallies) all() (n int64) {
	for kind := range workload.Kinds {
		n += t.done(kind)
	}
	return n + t.failed()
}

// queries returns how many queries these operations are without a cache.
func (t *tallies) queries() int64 { return t.all() - t.failed() + t.done(workload.ReadWrite) }

// firstError returns the error of the first operation that failed, or "".
func (t *tallies) firstError() string {
	if err := t.first.Load(); err != nil {
		return (*err).Error()
	}
	return ""
}
