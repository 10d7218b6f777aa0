package main

import (
	"context"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/outage"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/spf13/cobra"
)

// quick is how long a run takes that only shows that all is there.
const quick = 12 * time.Second

func newOutage() *cobra.Command {
	c := outage.Default()
	var strategies, faults string
	var hasty bool
	var o outputs
	cmd := &cobra.Command{
		Use:   "outage",
		Short: "Measure reads while Redis dies in all ways",
		Long: `Outage reads through a cache on a real redis-server, started for the run from
the PATH, while that is refused, swallowed, stopped, slowed down, filled up,
demoted, killed and restarted in turns, and rows are written and invalidated all
the while. Beside the reads through the cache others are made without one, with
which they are compared. The limits:

  available   every read gives a value
  stale       no read gives a value older than an acknowledged invalidation
  before      in the first 500 ms of a fault, the p99 of reads is at most that
              without Redis and 100 ms, which is for how long Redis is waited for
  after       in the rest of it, at most that without Redis and 1 ms
  recovery    5 s after the end of a fault, the hit ratio is back at 95 % of what
              it was before

Latencies are worth something only on a machine that does nothing else. The server
is always one of its own, as it is stopped and killed: there is no --redis.

Exit codes: 0 all limits held, 1 the run failed, 2 wrong usage, 3 a limit was
broken, 130 interrupted (what was measured until then is printed and written).`,
		Example: `  larder bench scenario outage
  larder bench scenario outage --strategy l2,aside --time 5m
  larder bench scenario outage --faults paused,slow --time 30s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				c.Seed = uint64(rand.Uint32())
			}
			if hasty && !cmd.Flags().Changed("time") {
				c.Time = quick
			}
			if err := checkOutage(&c, strategies, faults); err != nil {
				return err
			}
			return runOutage(cmd, c, o)
		},
	}
	f := cmd.Flags()
	o.resultFlags(f)
	f.DurationVar(&c.Time, "time", c.Time, "time of the schedule, of each strategy")
	f.BoolVar(&hasty, "quick", false, "--time "+quick.String()+", which is too short for sharp figures")
	f.StringVar(&strategies, "strategy", strings.Join(c.Strategies, ","), "comma-separated `list` of what is measured, one after the other: "+strings.Join(outage.Strategies(), ", ")+" (memory in front of it)")
	f.StringVar(&faults, "faults", "", "comma-separated `list` of faults (default: all): "+strings.Join(outage.Faults(), ", "))
	f.IntVar(&c.Readers, "readers", c.Readers, "goroutines that read through the cache, and as many that read without")
	f.Float64Var(&c.Rate, "rate", c.Rate, "reads a second, planned for all of the one and all of the other")
	f.IntVar(&c.Keys, "keys", c.Keys, "rows of the origin; an empty cache needs about 3 reads for each to be full again")
	f.Float64Var(&c.Zipf, "zipf", c.Zipf, "skew of the popularity of keys; 0 is none")
	f.Float64Var(&c.Writes, "writes", c.Writes, "invalidations a second")
	f.DurationVar(&c.Latency, "origin-latency", c.Latency, "mean time of a load")
	f.DurationVar(&c.Spread, "origin-spread", c.Spread, "how much more or less it takes at most")
	f.IntVar(&c.Capacity, "capacity", c.Capacity, "entries of memory, where there is memory")
	f.Uint64Var(&c.Seed, "seed", 0, "seed of the order of faults, and of what is read and written (default: drawn)")
	return cmd
}

// checkOutage fills in the lists, and returns an error that names the first flag
// that makes no sense.
func checkOutage(c *outage.Config, strategies, faults string) (err error) {
	if c.Strategies, err = choice(strategies, outage.Strategies()); err != nil {
		return usageError("--strategy: %w", err)
	}
	if faults != "" {
		if c.Faults, err = choice(faults, outage.Faults()); err != nil {
			return usageError("--faults: %w", err)
		}
	}
	switch {
	case c.Time < time.Second || c.Time > 10*time.Minute:
		return usageError("--time is %v: it must be from 1s to 10m", c.Time)
	case c.Readers < 1 || c.Readers > 1000:
		return usageError("--readers is %d: it must be from 1 to 1000", c.Readers)
	case !(c.Rate >= 10 && c.Rate <= 100_000):
		return usageError("--rate is %v: it must be from 10 to 100000", c.Rate)
	case c.Keys < 1 || c.Keys > 1_000_000:
		return usageError("--keys is %d: it must be from 1 to 1000000", c.Keys)
	case !(c.Zipf >= 0 && c.Zipf <= 10):
		return usageError("--zipf is %v: it must be from 0 to 10", c.Zipf)
	case !(c.Writes >= 0.1 && c.Writes <= 10_000):
		return usageError("--writes is %v: it must be from 0.1 to 10000", c.Writes)
	case c.Latency < 0 || c.Latency > 10*time.Second:
		return usageError("--origin-latency is %v: it must be from 0s to 10s", c.Latency)
	case c.Spread < 0 || c.Spread > c.Latency:
		return usageError("--origin-spread is %v: it must be from 0s to --origin-latency, %v", c.Spread, c.Latency)
	case c.Capacity < 1 || c.Capacity > 10_000_000:
		return usageError("--capacity is %d: it must be from 1 to 10000000", c.Capacity)
	}
	if err := c.Check(); err != nil {
		return usageError("--time: %w", err)
	}
	return nil
}

// ownServer describes the server of the scenario, which has one for each strategy.
var ownServer = server.Info{Kind: "spawned", Note: "Redis of the PATH, started for each strategy, and hurt"}

func runOutage(cmd *cobra.Command, c outage.Config, o outputs) error {
	if _, err := o.check(); err != nil {
		return err
	}
	return measureOn(cmd, o, nil, newDocument("larder bench scenario outage", c.Seed, ownServer), measureOutage(c, cmd.OutOrStdout()))
}

// measureOutage is a part of a run that has a server of its own, and so needs no bed. It
// writes to w which fault there is.
func measureOutage(c outage.Config, w io.Writer) measurement {
	return measurement{c.Steps(), func(ctx context.Context, _ bed, meter *progress.Meter) (*results.Section, error) {
		r, err := outage.Run(ctx, c, w, meter)
		if len(r.Results) == 0 {
			return nil, err
		}
		r.Check(true)
		return r.Section(), err
	}}
}
