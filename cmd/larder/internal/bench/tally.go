package bench

import (
	"context"
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// tally counts the operations of one worker. It fills a cache line, so that
// workers do not slow each other down by counting.
type tally struct {
	done   [workload.Kinds]atomic.Int64
	failed atomic.Int64
	_      [32]byte
}

// tallies counts the operations of all workers.
type tallies struct {
	workers []tally
	first   atomic.Pointer[error] // of the operations that failed
}

func newTallies(workers int) *tallies { return &tallies{workers: make([]tally, workers)} }

// count counts an operation that returned err. What ended because the run was
// interrupted is not counted.
func (t *tallies) count(ctx context.Context, worker int, kind workload.Kind, err error) {
	switch {
	case err == nil:
		t.workers[worker].done[kind].Add(1)
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

// firstError returns the error of the first operation that failed, or "".
func (t *tallies) firstError() string {
	if err := t.first.Load(); err != nil {
		return (*err).Error()
	}
	return ""
}
