// Package bench compares strategies on one recorded sequence of operations and
// one simulated database.
package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Candidate is a strategy to measure. Open begins it on a new database.
type Candidate struct {
	Name string
	Open func(ctx context.Context, db *simdb.DB) (strategy.Strategy, error)
}

const (
	// calibration is how long timers and database are measured.
	calibration = 600 * time.Millisecond
	// load is the part of the database's capacity that is asked for by
	// default: without a cache it can just sustain that.
	load = 0.75
	// sharedLoad is the same with a server inside the process, which takes the
	// processors from those who ask it.
	sharedLoad = 0.4
	// closing is how long a strategy may take to end.
	closing = 10 * time.Second
)

// Run measures the candidates in turn. It writes what the run is to out and its
// progress to progress. If ctx ends, the report has what was measured until
// then.
func (r *Report) Run(ctx context.Context, candidates []Candidate, out, live io.Writer) (err error) {
	config := r.Config
	if r.Calibration, err = simdb.Calibrate(ctx, config.database(), calibration); err != nil {
		return err
	}
	if r.Rate = config.Rate; r.Rate == 0 {
		part := load
		if r.Server.Embedded() {
			part = sharedLoad
		}
		r.Rate = round(part * r.Calibration.Capacity)
	}
	ops := config.Ops
	if ops == 0 {
		ops = min(int(math.Ceil(r.Rate*config.Duration.Seconds())), MaxOps)
	}
	run := &run{
		config: config,
		plan:   config.Arrivals.Plan(config.Seed, ops, r.Rate),
		seq:    config.sequence(config.WarmUp + ops),
	}
	r.Sequence = Recorded{len(run.seq), run.seq.Digest()}
	r.header(out)
	run.meter = progress.New(live, run.steps(candidates, r.Calibration.Capacity))
	defer run.meter.Stop()
	for _, c := range candidates {
		result, err := run.measure(ctx, c)
		r.Strategies = append(r.Strategies, result)
		r.Interrupted = ctx.Err() != nil
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// MaxOps bounds the operations of a pass.
const MaxOps = 10_000_000

// round returns x with two digits.
func round(x float64) float64 {
	if x <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Floor(x/unit) * unit
}

type run struct {
	config Config
	plan   []time.Duration
	seq    workload.Sequence
	meter  *progress.Meter
}

// phases of each strategy, in order.
const (
	warmUp = iota
	latencies
	throughput
	phases
)

func (r *run) steps(candidates []Candidate, capacity float64) (steps []progress.Step) {
	last := r.plan[len(r.plan)-1]
	closed := r.closedTime()
	if closed == 0 {
		closed = time.Duration(float64(r.config.Ops) / capacity * float64(time.Second))
	}
	for i, c := range candidates {
		name := fmt.Sprintf("%s (%d of %d)", c.Name, i+1, len(candidates))
		steps = append(steps,
			progress.Step{Name: name + ", warm-up", Expected: time.Duration(float64(r.config.WarmUp) / capacity * float64(time.Second))},
			progress.Step{Name: name + ", latency", Expected: last},
			progress.Step{Name: name + ", throughput", Expected: closed})
	}
	return steps
}

// closedTime is how long the closed loop lasts, or 0 if it ends by a number of
// operations.
func (r *run) closedTime() time.Duration {
	if r.config.Ops > 0 {
		return 0
	}
	return r.config.Duration / 2
}

// measure warms the strategy up and lets it go through both passes, which begin
// at the same operation.
func (r *run) measure(ctx context.Context, c Candidate) (result Result, err error) {
	result.Strategy = c.Name
	db := simdb.New(r.config.database())
	s, err := c.Open(ctx, db)
	if err != nil {
		return result, fmt.Errorf("%s: %w", c.Name, err)
	}
	o := newChecked(s, r.config.Keys)
	defer func() {
		result.StaleReads = o.stale.Load()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if err1 := s.Close(ctx); err == nil && err1 != nil {
			err = fmt.Errorf("%s: %w", c.Name, err1)
		}
	}()
	pass := func(what func(t *tallies)) {
		t := newTallies(r.config.Workers)
		r.meter.Next(progress.Count(t.all))
		what(t)
		result.ReadsChecked += t.done(workload.Get)
		result.Failed += t.failed()
		if result.FirstError == "" {
			result.FirstError = t.firstError()
		}
	}
	if r.config.WarmUp > 0 {
		pass(func(t *tallies) { closedLoop(ctx, o, r.seq, t, 0, r.config.WarmUp, 0) })
	} else {
		r.meter.Next(nil)
	}
	db.TakeStats()
	pass(func(t *tallies) {
		p := &result.Latency
		clock := newAlarm()
		defer clock.close()
		var clocks *clocks
		clocks, p.Took, p.Late = openLoop(ctx, o, r.seq, t, r.config.WarmUp, r.plan, clock)
		p.Planned = len(r.plan)
		p.fill(clocks, t, db.TakeStats())
	})
	pass(func(t *tallies) {
		p := &result.Throughput
		p.Took = closedLoop(ctx, o, r.seq, t, r.config.WarmUp, r.config.Ops, r.closedTime())
		p.Done = t.all()
		p.PerSecond = rate(p.Done, p.Took)
	})
	result.Complete = ctx.Err() == nil
	return result, nil
}
