// Package bench compares strategies on one recorded sequence of operations and
// one simulated database.
package bench

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Candidate is a strategy to measure. Open begins it on a new database.
type Candidate struct {
	Name string // in tables
	Flag string // in names of metrics
	Open func(ctx context.Context, db *simdb.DB) (strategy.Strategy, error)
}

const (
	// calibration is how long timers and database are measured.
	calibration = 600 * time.Millisecond
	// closing is how long a strategy may take to end.
	closing = 10 * time.Second
	// A warm-up that lasts until it is Stable looks at the hit ratio after so many
	// operations, and gives up after so many looks.
	lookEvery = 2000
	mostLooks = 50
	// steady is by how much the hit ratio may still rise between two looks.
	steady = 0.01
)

// Outcome is all that a run found out.
type Outcome struct {
	Config      Config
	Rate        float64 // planned operations a second
	Calibration simdb.Calibration
	Results     []Result
	seq         workload.Sequence
}

// run is a run under way.
type run struct {
	config   Config
	database simdb.Settings // of each database
	plan     []time.Duration
	seq      workload.Sequence
	meter    *progress.Meter
}

// Steps returns what a run consists of, and how long that should take.
func Steps(c Config, candidates []Candidate) []progress.Step {
	nominal := float64(c.Connections) / c.Latency.Seconds() // queries of the database
	by := func(ops int) time.Duration { return time.Duration(float64(ops) / nominal * float64(time.Second)) }
	timed, closed, warm := c.Duration, c.Duration/2, by(c.WarmUp)
	if c.Ops > 0 {
		timed, closed = by(c.Ops), by(c.Ops)
		if c.Rate > 0 {
			timed = time.Duration(float64(c.Ops) / c.Rate * float64(time.Second))
		}
	}
	if c.WarmUp == Stable {
		warm = by(5 * lookEvery)
	}
	steps := []progress.Step{{Name: "calibration", Expected: calibration}}
	for i, candidate := range candidates {
		name := fmt.Sprintf("%s (%d of %d)", candidate.Name, i+1, len(candidates))
		steps = append(steps,
			progress.Step{Name: name + ", warm-up", Expected: warm},
			progress.Step{Name: name + ", latency", Expected: timed},
			progress.Step{Name: name + ", throughput", Expected: closed})
	}
	return steps
}

// Run measures the candidates in turn. After an error, also that of ctx, the outcome has
// what was measured until then.
func Run(ctx context.Context, c Config, embedded bool, candidates []Candidate, meter *progress.Meter) (*Outcome, error) {
	o := &Outcome{Config: c, Rate: c.PlannedRate(embedded)}
	ops := c.Ops
	if ops == 0 {
		ops = min(int(math.Ceil(o.Rate*c.Duration.Seconds()*c.Profile.Mean())), MaxOps)
	}
	o.seq = c.Sequence(c.warmUpMost() + ops)
	r := &run{
		config: c, database: c.database(c.Rows(len(o.seq))), seq: o.seq, meter: meter,
		plan: c.Arrivals.Plan(c.Seed, ops, o.Rate, c.Profile),
	}
	meter.Next(nil)
	var err error
	one := r.database
	one.Rows = 1
	if o.Calibration, err = simdb.Calibrate(ctx, one, calibration); err != nil {
		return o, err
	}
	for _, candidate := range candidates {
		result, err := r.measure(ctx, candidate)
		o.Results = append(o.Results, result)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// warmUpMost is where the passes begin in the sequence, for all strategies alike.
func (c Config) warmUpMost() int {
	if c.WarmUp == Stable {
		return lookEvery * mostLooks
	}
	return c.WarmUp
}

// measure warms the strategy up and lets it go through both passes, which begin
// at the same operation.
func (r *run) measure(ctx context.Context, c Candidate) (result Result, err error) {
	result.Strategy, result.Flag = c.Name, c.Flag
	db := simdb.New(r.database)
	s, err := c.Open(ctx, db)
	if err != nil {
		return result, fmt.Errorf("%s: %w", c.Name, err)
	}
	o := newChecked(s, r.seq, r.database.Rows)
	defer func() {
		result.StaleReads = o.stale.Load()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		if err1 := s.Close(ctx); err == nil && err1 != nil {
			err = fmt.Errorf("%s: %w", c.Name, err1)
		}
	}()
	pass := func(expected time.Duration, what func(t *tallies, w *watch)) []moment {
		t := newTallies(r.config.Workers)
		w := startWatch(t, db, expected)
		r.meter.Next(w.reading)
		what(t, w)
		result.ReadsChecked += t.rows()
		result.Failed += t.failed()
		if result.FirstError == "" {
			result.FirstError = t.firstError()
		}
		return w.stop()
	}
	pass(time.Second, func(t *tallies, _ *watch) { result.WarmedUp = r.warmUp(ctx, o, db, t) })

	p := &result.Latency
	db.TakeStats()
	p.moments = pass(r.config.Duration, func(t *tallies, w *watch) {
		p.timed = *r.timed(ctx, o, t, w)
		p.Planned = len(r.plan)
		p.fill(t, db.TakeStats())
	})
	pass(r.config.Duration/2, func(t *tallies, _ *watch) {
		took := closedLoop(ctx, o, t, r.span(r.config.Duration/2))
		result.Throughput.Done = t.all()
		result.Throughput.PerSecond = perSecond(t.all(), took)
	})
	result.Complete = ctx.Err() == nil
	return result, nil
}

// span is what a closed loop does: a number of operations if that was asked for, and
// otherwise as many as fit.
func (r *run) span(d time.Duration) span {
	s := span{from: r.config.warmUpMost(), n: r.config.Ops, d: d}
	if s.n > 0 {
		s.d = 0
	}
	return s
}

func (r *run) timed(ctx context.Context, o *checked, t *tallies, w *watch) *timed {
	if r.config.Closed {
		return timedLoop(ctx, o, t, r.span(r.config.Duration), r.config.Think, newAlarm, &w.pulse)
	}
	clock := newAlarm()
	defer clock.close()
	return openLoop(ctx, o, t, r.config.warmUpMost(), r.plan, clock, &w.pulse)
}

// warmUp fills the cache, and returns how many operations that took.
func (r *run) warmUp(ctx context.Context, o *checked, db *simdb.DB, t *tallies) int {
	if r.config.WarmUp != Stable {
		if r.config.WarmUp > 0 {
			closedLoop(ctx, o, t, span{n: r.config.WarmUp})
		}
		return r.config.WarmUp
	}
	var before moment
	last := -1.0
	for look := 1; ; look++ {
		closedLoop(ctx, o, t, span{from: (look - 1) * lookEvery, n: lookEvery})
		stats, _ := db.Progress()
		now := moment{rows: t.rows(), read: stats.RowsRead}
		ratio, _ := now.hitRatio(before)
		if ratio < last+steady || look == mostLooks || ctx.Err() != nil {
			return look * lookEvery
		}
		before, last = now, ratio
	}
}
