package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
)

// lead is the time between the start of the workers and the first operation.
const lead = 5 * time.Millisecond

// openLoop begins one operation at each time of plan, whether or not those
// before have ended. If all workers are busy when one is due it is done as soon
// as possible and never left out, and its wait counts as its latency.
func openLoop(ctx context.Context, o *checked, t *tallies, from int, plan []time.Duration, clock alarm, pulse *latency.Pulse) *timed {
	begin := time.Now().Add(lead)
	ready := make(chan int, len(plan)) // what is due and not begun
	all := &timed{samples: make([]sample, len(plan)), lag: latency.NewRecorder()}
	var late atomic.Int64
	var workers sync.WaitGroup
	lags := make([]latency.Recorder, len(t.workers))
	for w := range t.workers {
		lags[w] = latency.NewRecorder()
		workers.Go(func() {
			free := time.Now()
			for i := range ready {
				if ctx.Err() != nil {
					return
				}
				due := begin.Add(plan[i])
				start := time.Now()
				if free.Before(due) {
					lags[w].Record(start.Sub(due))
				}
				kind, rows, err := o.do(ctx, from+i)
				free = time.Now()
				t.count(ctx, w, kind, rows, err)
				if err == nil {
					pulse.Record(free.Sub(due))
				}
				all.samples[i] = sample{plan[i], float32(free.Sub(due)), float32(free.Sub(start)), kind, err == nil}
				if i == len(plan)-1 {
					late.Store(int64(start.Sub(due)))
				}
			}
		})
	}
	for i, at := range plan {
		if d := time.Until(begin.Add(at)); d > 0 && !clock.wait(ctx, d) {
			break
		}
		ready <- i
	}
	close(ready)
	workers.Wait()
	all.took, all.late = time.Since(begin), time.Duration(late.Load())
	for _, lag := range lags {
		all.lag.Merge(lag)
	}
	return all
}
