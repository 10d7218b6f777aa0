package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// closedLoop lets each worker do one operation after the other, from the
// sequence's from-th on, until n have begun (if n > 0) or d has passed (if
// d > 0). It reads no clock for single operations, so that those of
// nanoseconds stay such.
func closedLoop(ctx context.Context, o *checked, seq workload.Sequence, t *tallies, from, n int, d time.Duration) (took time.Duration) {
	var stop atomic.Bool
	halt := func() { stop.Store(true) }
	defer context.AfterFunc(ctx, halt)()
	begin := time.Now()
	if d > 0 {
		defer time.AfterFunc(d, halt).Stop()
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for w := range t.workers {
		workers.Go(func() {
			for !stop.Load() {
				i := int(next.Add(1)) - 1
				if n > 0 && i >= n {
					return
				}
				op := seq.At(from + i)
				t.count(ctx, w, op.Kind, o.do(ctx, op))
			}
		})
	}
	workers.Wait()
	return time.Since(begin)
}
