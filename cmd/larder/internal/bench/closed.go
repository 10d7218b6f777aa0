package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
)

// span is the part of a sequence that a loop does: from the from-th operation on, until
// n have begun (if n > 0) or d has passed (if d > 0).
type span struct {
	from, n int
	d       time.Duration
}

// closedLoop lets each worker do one operation after the other. It reads no clock for
// single operations, so that those of nanoseconds stay such.
func closedLoop(ctx context.Context, o *checked, t *tallies, s span) (took time.Duration) {
	return eachInTurn(ctx, t, s, func(worker, i int) {
		kind, rows, err := o.do(ctx, i)
		t.count(ctx, worker, kind, rows, err)
	})
}

// timedLoop is the same, but measures each operation, after each of which a worker
// thinks. What an operation waits for another is not seen: see openLoop.
func timedLoop(ctx context.Context, o *checked, t *tallies, s span, think time.Duration, clock func() alarm, pulse *latency.Pulse) *timed {
	each := make([][]sample, len(t.workers))
	alarms := make([]alarm, len(t.workers))
	if think > 0 {
		for w := range alarms {
			alarms[w] = clock()
			defer alarms[w].close()
		}
	}
	begin := time.Now()
	most := MaxOps / len(t.workers)
	took := eachInTurn(ctx, t, s, func(worker, i int) {
		start := time.Now()
		kind, rows, err := o.do(ctx, i)
		d := time.Since(start)
		t.count(ctx, worker, kind, rows, err)
		if err == nil {
			pulse.Record(d)
		}
		if len(each[worker]) < most {
			each[worker] = append(each[worker], sample{start.Sub(begin), float32(d), float32(d), kind, err == nil})
		}
		if think > 0 {
			alarms[worker].wait(ctx, think)
		}
	})
	all := &timed{lag: latency.NewRecorder(), took: took}
	for _, samples := range each {
		all.samples = append(all.samples, samples...)
	}
	return all
}

// eachInTurn has every worker call do with one operation after the other.
func eachInTurn(ctx context.Context, t *tallies, s span, do func(worker, i int)) (took time.Duration) {
	var stop atomic.Bool
	halt := func() { stop.Store(true) }
	defer context.AfterFunc(ctx, halt)()
	begin := time.Now()
	if s.d > 0 {
		defer time.AfterFunc(s.d, halt).Stop()
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for w := range t.workers {
		workers.Go(func() {
			for !stop.Load() {
				i := int(next.Add(1)) - 1
				if s.n > 0 && i >= s.n {
					return
				}
				do(w, s.from+i)
			}
		})
	}
	workers.Wait()
	return time.Since(begin)
}
