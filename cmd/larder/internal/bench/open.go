package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// lead is the time between the start of the workers and the first operation.
const lead = 5 * time.Millisecond

// clocks are the times that one worker, or all of them, measured.
type clocks struct {
	planned [workload.Kinds]latency.Recorder // from when the operation was due
	service [workload.Kinds]latency.Recorder // from when it began
	lag     latency.Recorder                 // of idle workers: from when it was due to when it began
}

func newClocks() *clocks {
	c := &clocks{lag: latency.NewRecorder()}
	for k := range workload.Kinds {
		c.planned[k], c.service[k] = latency.NewRecorder(), latency.NewRecorder()
	}
	return c
}

func (c *clocks) merge(o *clocks) {
	for k := range workload.Kinds {
		c.planned[k].Merge(o.planned[k])
		c.service[k].Merge(o.service[k])
	}
	c.lag.Merge(o.lag)
}

// openLoop begins one operation at each time of plan, whether or not those
// before have ended. If all workers are busy when one is due it is done as soon
// as possible and never left out, and its wait counts as its latency. late is
// by how much the last operation began after its time.
func openLoop(ctx context.Context, o *checked, seq workload.Sequence, t *tallies, from int, plan []time.Duration, clock alarm) (all *clocks, took, late time.Duration) {
	begin := time.Now().Add(lead)
	ready := make(chan int, len(plan)) // what is due and not begun
	var latest atomic.Int64
	var workers sync.WaitGroup
	each := make([]*clocks, len(t.workers))
	for w := range t.workers {
		each[w] = newClocks()
		workers.Go(func() {
			free := time.Now()
			for i := range ready {
				if ctx.Err() != nil {
					return
				}
				due := begin.Add(plan[i])
				start := time.Now()
				if free.Before(due) {
					each[w].lag.Record(start.Sub(due))
				}
				op := seq.At(from + i)
				err := o.do(ctx, op)
				free = time.Now()
				t.count(ctx, w, op.Kind, err)
				if err == nil {
					each[w].planned[op.Kind].Record(free.Sub(due))
					each[w].service[op.Kind].Record(free.Sub(start))
				}
				if i == len(plan)-1 {
					latest.Store(int64(start.Sub(due)))
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
	took = time.Since(begin)
	all = newClocks()
	for _, c := range each {
		all.merge(c)
	}
	return all, took, time.Duration(latest.Load())
}
