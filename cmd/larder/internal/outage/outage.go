// Package outage measures the promise that a service does not die with Redis.
//
// Goroutines read through a Loader over Redis while a real server is refused,
// swallowed, stopped, slowed down, filled up, demoted, killed and restarted in
// turns, and rows are written and invalidated all the while. Every read is
// measured, and checked: it may give no error, and no version older than one whose
// invalidation was acknowledged before it began.
//
// # What latencies are compared with
//
// The promise is that while Redis is dead a read takes as long as one without a
// cache. So as many goroutines do the same reads at the same time through a Loader
// over a store that cannot be asked and says so at once: the control. Both have
// the same origin, machine, scheduler and neighbours, and the same call sharing,
// and so what is left between them is the cache. That is fairer than the
// time of the origin alone, which is measured as well, around the call: callers
// who want one row share a load, and who comes when it has begun can only have the
// next one, as nobody can vouch that it has missed no change (ADR 0004). A read
// of a hot row therefore takes up to two loads, with or without Redis.
//
// The origin takes a uniformly distributed time between narrow bounds, so that a
// p99 of a second is sharp, and has no limit to how much it does at once, so that
// it never collapses.
//
// # How reads are planned
//
// Readers are paced, so that the processors are idle most of the time and a p99 is
// of the cache and not of the scheduler. A reader that was held up leaves out what
// it has missed: its next read begins at once and is measured from its own begin.
// Reads belong to the phase, and the part of it, in which they began.
package outage

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/oracle"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/redis/go-redis/v9"
)

// Steps returns what Run does, and how long it takes.
func (c Config) Steps() (steps []progress.Step) {
	for _, s := range c.Strategies {
		steps = append(steps, progress.Step{Name: "outage, " + s, Expected: c.Time})
	}
	return steps
}

// Run measures each strategy in turn, writes to w what it does, and shows on the meter, if
// there is one, how far it is. With an error, also that of ctx, it returns what it has.
func Run(ctx context.Context, c Config, w io.Writer, meter *progress.Meter) (*Report, error) {
	server.Silence() // that servers die is no news
	r := newReport(c)
	p, err := c.plan()
	if err != nil {
		return r, err
	}
	for _, strategy := range c.Strategies {
		t := &trial{Config: c, plan: p, strategy: strategy, progress: w}
		if meter != nil {
			meter.Next(t.reading)
		}
		result, err := t.run(ctx)
		if len(result.Phases) > 0 {
			r.Redis = t.site.version
			r.Results = append(r.Results, result)
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", strategy, err)
		}
	}
	return r, nil
}

// trial is the schedule of one strategy.
type trial struct {
	Config
	plan     plan
	strategy string
	progress io.Writer

	site   *site
	clock  clock
	hits   *buckets
	shown  atomic.Pointer[buckets] // hits, for who shows how far it is
	phases []phase
}

// reading returns how many reads there were, and the hit ratio of the last second.
func (t *trial) reading() progress.Reading {
	r := progress.Reading{HitRatio: -1}
	hits := t.shown.Load()
	if hits == nil {
		return r
	}
	for i := range hits.reads {
		r.Done += hits.reads[i].Load()
	}
	now := t.clock.now()
	if ratio, some := hits.ratio(max(now-former, 0), now); some {
		r.HitRatio = ratio
	}
	return r
}

// phase is a part of a schedule as it was.
type phase struct {
	fault *fault // nil in a healthy phase
	// begin is when the fault was begun, end when Redis served again.
	begin, end time.Duration
	// former is the hit ratio before a fault.
	former float64
}

func (t *trial) run(ctx context.Context) (result Result, err error) {
	if t.site, err = openSite(ctx, t.plan.fault); err != nil {
		return result, err
	}
	defer func() { err = cmp.Or(err, t.site.close()) }()
	t.clock = clock{time.Now()}
	o := newOrigin(t.Config, t.clock)
	rdb := redis.NewClient(&redis.Options{Addr: t.site.proxy.Addr()})
	defer rdb.Close()
	tested, err := openCached(ctx, t.strategy, t.Config, rdb, o)
	if err != nil {
		return result, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
		defer cancel()
		err = cmp.Or(err, tested.close(ctx))
	}()
	if err := t.fill(ctx, tested.rows); err != nil {
		return result, err
	}

	t.hits = newBuckets(t.clock.now() + t.Time + time.Duration(len(t.plan.faults))*(t.patience+former) + time.Minute)
	due := oracle.New(t.Keys)
	t.shown.Store(t.hits)
	reading := t.group(tested.rows, due, 1)
	reading.hits = t.hits
	control := t.group(newLoader(nothing{}, t.Config, o, true), oracle.New(t.Keys), 2)
	writing := &writer{to: tested, origin: o, oracle: due, c: t.Config}
	reading.start()
	control.start()
	writing.start()
	err = t.schedule(ctx)
	writing.end()
	samples, controls := reading.end(), control.end()
	if err == nil {
		err = t.settle(ctx, tested)
	}
	if n := len(t.phases); err != nil && n > 0 && t.phases[n-1].fault != nil {
		t.phases = t.phases[:n-1] // nobody has seen what comes after it
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	m := &measurement{phases: t.phases, samples: samples, controls: controls, calls: o.calls, hits: t.hits}
	result = m.result(t.strategy)
	result.Acknowledged, result.NotAcknowledged = writing.acknowledged.Load(), writing.failed.Load()
	if first := reading.firstError(); first != nil {
		result.FirstError = first.Error()
	}
	return result, err
}

// closing bounds each step of the end of a trial.
const closing = 10 * time.Second

// fill reads every row once.
func (t *trial) fill(ctx context.Context, rows *loader) error {
	var all sync.WaitGroup
	errs := make([]error, t.Readers)
	for i := range t.Readers {
		all.Go(func() {
			for k := i; k < t.Keys && errs[i] == nil; k += t.Readers {
				_, errs[i] = rows.Get(ctx, uint64(k))
			}
		})
	}
	all.Wait()
	return cmp.Or(errs...)
}

func (t *trial) group(rows *loader, due oracle.Oracle, stream uint64) *group {
	return &group{rows: rows, oracle: due, clock: t.clock, rate: t.Rate, readers: t.Readers,
		seed: t.Seed*4 + stream, keys: t.Keys, zipf: t.Zipf}
}

// schedule has the faults happen.
func (t *trial) schedule(ctx context.Context) error {
	begin := t.clock.now()
	if err := t.wait(ctx, t.plan.warmUp); err != nil {
		return err
	}
	t.phases = append(t.phases, phase{begin: begin, end: t.clock.now()})
	for i, f := range t.plan.faults {
		fmt.Fprintf(t.progress, "%s: %s: %s (%d of %d)\n", t.strategy, f.name, f.what, i+1, len(t.plan.faults))
		p := phase{fault: f, begin: t.clock.now()}
		p.former, _ = t.hits.ratio(max(p.begin-former, t.phases[len(t.phases)-1].begin), p.begin)
		if err := f.begin(t.site, ctx); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		waited := t.wait(ctx, t.plan.fault)
		if err := cmp.Or(f.end(t.site, context.WithoutCancel(ctx)), waited); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		p.end = t.clock.now()
		t.phases = append(t.phases, p)
		if err := t.recover(ctx, p); err != nil {
			return err
		}
		t.phases = append(t.phases, phase{begin: p.end, end: t.clock.now()})
	}
	return nil
}

// recover is the healthy phase after another. It takes longer than planned until the hit ratio is
// back for a while, or should have been.
func (t *trial) recover(ctx context.Context, p phase) error {
	if err := t.wait(ctx, t.plan.healthy); err != nil {
		return err
	}
	settling := min(former, t.plan.healthy/2)
	for t.clock.now() < p.end+t.patience+settling {
		if _, ok := t.hits.recovered(p.end, t.clock.now()-settling, recovery*p.former); ok {
			break
		}
		if err := t.wait(ctx, bucket); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until what could not be invalidated has been.
func (t *trial) settle(ctx context.Context, c *cached) error {
	for until := t.clock.now() + closing; c.space.Status().Retries > 0 && t.clock.now() < until; {
		if err := t.wait(ctx, bucket); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
