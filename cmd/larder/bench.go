package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/footprint"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/staleness"
	"github.com/larder-cache/larder/cmd/larder/internal/stampede"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/tagcost"
	"github.com/larder-cache/larder/cmd/larder/internal/throughput"
	"github.com/spf13/cobra"
)

// part is a scenario that larder bench makes.
type part struct {
	name  string
	quick bool // also in --quick
	make  func(b *benchFlags) measurement
}

// suiteTime is how long each of the scenarios with processes of their own takes in the
// suite, all of which should take a minute.
const suiteTime = 7 * time.Second

// suite is what larder bench makes after the comparison of strategies, in order.
func suite() []part {
	return []part{
		{"throughput", true, func(b *benchFlags) measurement {
			c := hasty(b.quick, throughput.Quick(), throughput.Default())
			c.Seed = b.config.Seed
			return measureThroughput(c)
		}},
		{"stampede", false, func(b *benchFlags) measurement {
			c := stampede.Default()
			c.Seed, c.Time = b.config.Seed, suiteTime
			return measureStampede(hasty(b.quick, c.Quick(), c))
		}},
		{"staleness", false, func(b *benchFlags) measurement {
			c := staleness.Default()
			c.Seed, c.Time = b.config.Seed, suiteTime
			return measureStaleness(hasty(b.quick, c.Quick(), c))
		}},
		{"tags", false, func(b *benchFlags) measurement {
			return measureTags(hasty(b.quick, tagcost.Quick(), tagcost.Default()))
		}},
		{"memory", false, func(b *benchFlags) measurement {
			return measureMemory(hasty(b.quick, footprint.Quick(), footprint.Default()))
		}},
	}
}

// hasty chooses between two configurations.
func hasty[C any](quick bool, short, whole C) C {
	if quick {
		return short
	}
	return whole
}

// strategies is the name of the comparison, which has the flags of larder bench.
const strategies = "strategies"

func suiteNames() []string {
	names := []string{strategies}
	for _, p := range suite() {
		names = append(names, p.name)
	}
	return names
}

func newBench() *cobra.Command {
	b, only := newBenchFlags(), ""
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how an application feels a cache",
		Long: `Bench plays one recorded sequence of operations on each caching strategy in
turn, in front of one simulated database, and prints what each gives: latency
at the same planned rate, most throughput, hit ratio, queries that the database
was spared, and how many reads were stale although the update had been
acknowledged before. There must be none of those. Short versions of the other
scenarios follow: see larder bench scenario.

Without --redis it runs on a server inside this process, which shows how the
strategies differ but not how fast Redis is. On a real server all keys have a
prefix made up for the run, and they are removed at the end.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 stale reads were found or
something else that was promised or asserted did not hold, 130 interrupted (what
was measured until then is printed and written).`,
		Example: `  larder bench
  larder bench --quick
  larder bench --redis redis://localhost:6379 --rate 5000 --duration 20s
  larder bench --redis host1:7000,host2:7000,host3:7000 --only strategies
  larder bench --redis spawn --workload ycsb-b --sweep workers=1,4,16,64`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names := suiteNames()
			if b.quick {
				names = []string{strategies}
				for _, p := range suite() {
					if p.quick {
						names = append(names, p.name)
					}
				}
			}
			if only != "" {
				var err error
				if names, err = choice(only, suiteNames()); err != nil {
					return usageError("--only: %w", err)
				}
			}
			kinds, sweep, err := b.check(cmd)
			if err != nil {
				return err
			}
			var all []measurement
			if slices.Contains(names, strategies) {
				all = append(all, b.measurement(kinds, sweep))
			}
			for _, p := range suite() {
				if slices.Contains(names, p.name) {
					all = append(all, p.make(b))
				}
			}
			return measure(cmd, b.outputs, "larder bench", b.config.Seed, all...)
		},
	}
	b.register(cmd)
	cmd.Flags().StringVar(&only, "only", "", "comma-separated `list` of scenarios (default: all): "+strings.Join(suiteNames(), ", "))
	cmd.AddCommand(newScenario())
	return cmd
}

// newStrategies is the comparison alone.
func newStrategies() *cobra.Command {
	b := newBenchFlags()
	cmd := &cobra.Command{
		Use:   strategies,
		Short: "Compare caching strategies on one workload",
		Long: `Strategies plays one recorded sequence of operations on each caching strategy in
turn, in front of one simulated database with a pool of connections:

` + strategyList(),
		Example: `  larder bench scenario strategies --workload zipf:1.1 --mix get=99,write=1
  larder bench scenario strategies --loop closed --think 1ms --workers 200
  larder bench scenario strategies --profile step:0.5,1,2,1 --full
  larder bench scenario strategies --trace production.monitor.gz --sweep capacity=auto`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kinds, sweep, err := b.check(cmd)
			if err != nil {
				return err
			}
			return measure(cmd, b.outputs, "Caching strategies", b.config.Seed, b.measurement(kinds, sweep))
		},
	}
	b.register(cmd)
	return cmd
}

func strategyList() string {
	var list strings.Builder
	for _, k := range strategy.Catalog() {
		list.WriteString("  " + k.Flag + strings.Repeat(" ", 15-len(k.Flag)) + k.Short + "\n")
	}
	return strings.TrimRight(list.String(), "\n")
}

// newThroughput is the scenario that counts hits in memory.
func newThroughput() *cobra.Command {
	o, c, quick := outputs{}, throughput.Default(), false
	var popularity string
	cmd := &cobra.Command{
		Use:   "throughput",
		Short: "Count hits in memory, and what the tool itself costs",
		Long: `Throughput has as many goroutines as there are processors do one operation after
the other on keys that are all in memory, and counts operations, allocations and
bytes. It also measures the load generator alone, and what it costs to time an
operation.`,
		Example: `  larder bench scenario throughput
  larder bench scenario throughput --time 5s --repeat 6 --assert 'throughput.loader.ops >= 5M/s'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if quick && !cmd.Flags().Changed("time") {
				c.Time = throughput.Quick().Time
			}
			if err := c.Popularity.UnmarshalText([]byte(popularity)); err != nil {
				return usageError("--workload: %w", err)
			}
			if err := c.Check(); err != nil {
				return usageError("--%w", err)
			}
			return measure(cmd, o, "Throughput", c.Seed, measureThroughput(c))
		},
	}
	f := cmd.Flags()
	o.flags(f)
	f.StringVar(&popularity, "workload", c.Popularity.String(), "which keys are asked for")
	f.IntVar(&c.Keys, "keys", c.Keys, "keys, all of which are in memory")
	f.IntVar(&c.Workers, "workers", c.Workers, "goroutines")
	f.DurationVar(&c.Time, "time", c.Time, "time of each part")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "the same seed gives the same keys")
	f.BoolVar(&quick, "quick", false, "--time "+throughput.Quick().Time.String())
	return cmd
}

func measureThroughput(c throughput.Config) measurement {
	return measurement{
		steps: throughput.Steps(c),
		run: func(ctx context.Context, _ bed, meter *progress.Meter) (*results.Section, error) {
			return throughput.Run(ctx, c, meter)
		},
	}
}
