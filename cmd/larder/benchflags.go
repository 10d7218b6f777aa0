package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/bench"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/spf13/cobra"
)

// benchFlags are those of the comparison of strategies.
type benchFlags struct {
	outputs
	config bench.Config

	workload, mix, trace            string
	valueSize, ttl                  string
	warmUp, loop, arrivals, profile string
	strategies, sweep               string
	quick, full                     bool
}

func newBenchFlags() *benchFlags {
	c := bench.Default()
	return &benchFlags{config: c, workload: c.Popularity.String(), mix: c.Mix.String(), valueSize: c.ValueSize.String(),
		ttl: c.TTL.String(), warmUp: strconv.Itoa(c.WarmUp), loop: "open", arrivals: string(c.Arrivals), profile: c.Profile.String()}
}

func (b *benchFlags) register(cmd *cobra.Command) {
	f, c := cmd.Flags(), &b.config
	b.outputs.flags(f)
	f.StringVar(&b.workload, "workload", b.workload, "which keys are asked for: ycsb-a to ycsb-f, or "+workload.PopularitySyntax)
	f.StringVar(&b.mix, "mix", b.mix, "how many operations are get, write, invtag (update a `group` of rows, whose tag is then invalidated), mget, scan, insert and rmw (default: that of the workload)")
	f.StringVar(&b.trace, "trace", "", "replay this `file` in its own order, instead of a workload; see larder trace")
	f.IntVar(&c.Keys, "keys", c.Keys, "rows in the database")
	f.IntVar(&c.GroupSize, "group-size", c.GroupSize, "rows that share a tag")
	f.IntVar(&c.Batch, "batch", c.Batch, "rows of an mget")
	f.StringVar(&b.valueSize, "value-size", b.valueSize, "bytes of a row's text: a number, uniform:FROM:TO, lognormal:P50:P99, or weights such as 100=90,10k=10")
	f.Float64Var(&c.Compressible, "compressible", c.Compressible, "part of the text that a compressor finds, from 0 to 1")
	f.IntVar(&c.KeySize, "key-size", c.KeySize, "least bytes of a key in Redis")
	f.StringVar(&b.ttl, "ttl", b.ttl, "how long entries are fresh, in the same forms as --value-size")
	f.IntVar(&c.Ops, "ops", c.Ops, "operations of each pass, in place of --duration")
	f.DurationVar(&c.Duration, "duration", c.Duration, "time of each latency pass; a throughput pass has half of it")
	f.StringVar(&b.warmUp, "warm-up", b.warmUp, "operations before the measurement (no more than --ops), or stable: until the hit ratio does not rise any more")
	f.IntVar(&c.Workers, "workers", c.Workers, "operations that may be under way at once")
	f.StringVar(&b.loop, "loop", b.loop, "open: operations are begun when they are due; closed: when the one before has ended")
	f.DurationVar(&c.Think, "think", c.Think, "pause of each worker between two operations of a closed loop")
	f.Float64Var(&c.Rate, "rate", c.Rate, "planned operations a second; 0 is half of what the database could do, and a quarter on the embedded server")
	f.StringVar(&b.arrivals, "arrivals", b.arrivals, "spread of planned times: poisson or constant")
	f.StringVar(&b.profile, "profile", b.profile, "how the rate changes over a pass: flat, ramp:FROM:TO or step:A,B,C, in multiples of it")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "the same seed gives the same operations")
	f.IntVar(&c.Capacity, "capacity", c.Capacity, "entries of L1")
	f.DurationVar(&c.Latency, "db-latency", c.Latency, "median time of a query")
	f.IntVar(&c.Connections, "db-conns", c.Connections, "queries that the database runs at once")
	f.StringVar(&b.strategies, "strategies", "", "comma-separated `list` of strategies (default: all): "+strings.Join(strategy.Names(), ", "))
	f.StringVar(&b.sweep, "sweep", "", "run once for each value of a `setting`, such as workers=1,2,4,8 or capacity=auto: "+strings.Join(bench.Settings(), ", "))
	f.BoolVar(&b.quick, "quick", false, "a first look in ten seconds")
	f.BoolVar(&b.full, "full", false, "passes that are four times as long, for sharper figures")
}

// check reads the flags that are texts, and returns an error that names the first one
// that makes no sense.
func (b *benchFlags) check(cmd *cobra.Command) (kinds []strategy.Kind, sweep bench.Sweep, err error) {
	c, given := &b.config, cmd.Flags().Changed
	switch {
	case b.quick && b.full:
		return nil, sweep, usageError("--quick and --full: give one of them")
	case b.quick && !given("duration"):
		c.Duration = bench.Quick().Duration
	case b.full && !given("duration"):
		c.Duration *= 4
	}
	if b.quick && !given("warm-up") {
		b.warmUp = strconv.Itoa(bench.Quick().WarmUp)
	}
	for _, read := range []func(func(string) bool) error{b.readWorkload, b.readLoad} {
		if err := read(given); err != nil {
			return nil, sweep, err
		}
	}
	if kinds, err = strategy.Parse(b.strategies); err != nil {
		return nil, sweep, usageError("--strategies: %w", err)
	}
	if err := b.checkNumbers(); err != nil {
		return nil, sweep, err
	}
	if err := b.readTrace(cmd.Context(), given); err != nil {
		return nil, sweep, err
	}
	if b.sweep != "" {
		if sweep, err = bench.ParseSweep(b.sweep, *c); err != nil {
			return nil, sweep, usageError("--sweep: %w", err)
		}
	}
	return kinds, sweep, nil
}

func (b *benchFlags) readWorkload(given func(string) bool) error {
	c := &b.config
	named, err := workload.ParseNamed(b.workload)
	if err != nil {
		return usageError("--workload: %w", err)
	}
	c.Popularity = named.Popularity
	if named.Name != "" && !given("mix") {
		b.mix = named.Mix.String()
	}
	if c.Mix, err = workload.ParseMix(b.mix); err != nil {
		return usageError("--mix: %w", err)
	}
	if c.Mix[workload.Insert] > 0 && !strings.Contains(b.workload, "latest:") {
		c.Popularity.Every = 0 // rows are new when they are inserted, not otherwise
	}
	if c.ValueSize, err = workload.ParseSizes(b.valueSize); err != nil {
		return usageError("--value-size: %w", err)
	}
	if most := c.ValueSize.Most(); most > bench.MaxText {
		return usageError("--value-size is %s: one in a million has %.0f bytes, and %d are the most", b.valueSize, most, bench.MaxText)
	}
	if c.TTL, err = workload.ParseTimes(b.ttl); err != nil {
		return usageError("--ttl: %w", err)
	}
	if least, most := time.Duration(c.TTL.At(0)), time.Duration(c.TTL.Most()); least < 0 || most < time.Millisecond || most > 24*time.Hour {
		return usageError("--ttl is %s: it must be from 1ms to 24h", b.ttl)
	}
	return nil
}

func (b *benchFlags) readLoad(given func(string) bool) (err error) {
	c := &b.config
	if c.Arrivals, err = workload.ParseArrivals(b.arrivals); err != nil {
		return usageError("--arrivals: %w", err)
	}
	if c.Profile, err = workload.ParseProfile(b.profile); err != nil {
		return usageError("--profile: %w", err)
	}
	switch b.loop {
	case "open":
	case "closed":
		c.Closed = true
	default:
		return usageError("--loop is %q: it must be open or closed", b.loop)
	}
	if !c.Closed && c.Think != 0 {
		return usageError("--think is %v: only a closed loop thinks; add --loop closed", c.Think)
	}
	if b.warmUp == "stable" {
		c.WarmUp = bench.Stable
		return nil
	}
	if c.WarmUp, err = strconv.Atoi(b.warmUp); err != nil || c.WarmUp < 0 || c.WarmUp > bench.MaxOps {
		return usageError("--warm-up is %s: it must be from 0 to %d, or stable", b.warmUp, bench.MaxOps)
	}
	if c.Ops > 0 && !given("warm-up") {
		c.WarmUp = min(c.WarmUp, c.Ops)
	}
	return nil
}

func (b *benchFlags) checkNumbers() error {
	c := &b.config
	for _, l := range []struct {
		flag             string
		got, least, most int
	}{
		{"keys", c.Keys, 1, 10_000_000},
		{"group-size", c.GroupSize, 1, 100_000},
		{"batch", c.Batch, 1, workload.MaxBatch},
		{"key-size", c.KeySize, 0, 4000},
		{"ops", c.Ops, 0, bench.MaxOps},
		{"workers", c.Workers, 1, 10_000},
		{"capacity", c.Capacity, 1, math.MaxInt32},
		{"db-conns", c.Connections, 1, 10_000},
	} {
		if l.got < l.least || l.got > l.most {
			return usageError("--%s is %d: it must be from %d to %d", l.flag, l.got, l.least, l.most)
		}
	}
	for _, l := range []struct {
		flag             string
		got, least, most time.Duration
	}{
		{"duration", c.Duration, 100 * time.Millisecond, time.Hour},
		{"db-latency", c.Latency, time.Microsecond, time.Minute},
		{"think", c.Think, 0, time.Minute},
	} {
		if l.got < l.least || l.got > l.most {
			return usageError("--%s is %v: it must be from %v to %v", l.flag, l.got, l.least, l.most)
		}
	}
	switch {
	case !(c.Compressible >= 0 && c.Compressible <= 1):
		return usageError("--compressible is %v: it must be from 0 to 1", c.Compressible)
	case c.Rate != 0 && !(c.Rate >= 0.1 && c.Rate <= 10_000_000):
		return usageError("--rate is %v: it must be 0 or from 0.1 to 10000000", c.Rate)
	case c.Rate*c.Duration.Seconds()*c.Profile.Mean() > bench.MaxOps && c.Ops == 0:
		return usageError("--rate is %v for %v: that is more than %d operations", c.Rate, c.Duration, bench.MaxOps)
	}
	return nil
}

func (b *benchFlags) readTrace(ctx context.Context, given func(string) bool) error {
	if b.trace == "" {
		return nil
	}
	for _, other := range []string{"workload", "mix", "keys"} {
		if given(other) {
			return usageError("--trace and --%s: a trace has its own keys and operations; give one of them", other)
		}
	}
	t, err := trace.Open(ctx, b.trace, trace.Options{MaxRequests: bench.MaxOps})
	if err != nil {
		return cmp.Or(ctx.Err(), usageError("--trace: %w", err))
	}
	if len(t.IDs) == 0 {
		return usageError("--trace: %s holds no requests", b.trace)
	}
	c := &b.config
	c.Trace, c.TraceName, c.Keys = make(workload.Sequence, len(t.IDs)), b.trace, t.Unique
	for i, id := range t.IDs {
		c.Trace[i].On = id
		if t.Ops != nil && t.Ops[i] != trace.Read {
			c.Trace[i].Kind = workload.Write // what deletes changes a row, too
		}
	}
	return nil
}

// measurement returns what the flags ask for.
func (b *benchFlags) measurement(kinds []strategy.Kind, sweep bench.Sweep) measurement {
	configs := []bench.Config{b.config}
	if sweep.Setting != "" {
		configs = nil
		for i := range sweep.Values {
			configs = append(configs, sweep.At(b.config, i))
		}
	}
	var m measurement
	for _, c := range configs {
		m.steps = append(m.steps, bench.Steps(c, candidates(kinds, c, bed{}))...)
	}
	m.run = func(ctx context.Context, on bed, meter *progress.Meter) (*results.Section, error) {
		var runs []*bench.Outcome
		var err error
		for i, c := range configs {
			var o *bench.Outcome
			o, err = bench.Run(ctx, c, on.Info.Embedded(), candidates(kinds, c, bed{on.Server, fmt.Sprintf("%s-%d", on.Prefix, i)}), meter)
			if len(o.Results) > 0 {
				runs = append(runs, o)
			}
			if err != nil {
				break
			}
		}
		switch {
		case len(runs) == 0:
			return nil, err
		case sweep.Setting == "":
			return runs[0].Section(), err
		}
		return sweep.Section(runs), err
	}
	return m
}

// candidates returns the strategies on a server.
func candidates(kinds []strategy.Kind, c bench.Config, on bed) (all []bench.Candidate) {
	for _, k := range kinds {
		all = append(all, bench.Candidate{Name: k.Name, Flag: k.Flag, Open: func(ctx context.Context, db *simdb.DB) (strategy.Strategy, error) {
			return k.Open(ctx, db, strategy.Setup{Capacity: c.Capacity, TTL: c.TTL, KeySize: c.KeySize, Redis: on.Client, Namespace: on.Prefix})
		}})
	}
	return all
}
