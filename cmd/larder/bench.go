package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/bench"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/spf13/cobra"
)

// exitStale says that a strategy returned what had been invalidated.
const exitStale = 3

type benchFlags struct {
	config                          bench.Config
	mix, arrivals, redis, only, out string
}

func newBench() *cobra.Command {
	flags := benchFlags{config: bench.Default()}
	c := &flags.config
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Compare caching strategies on one workload",
		Long: `Bench plays one recorded sequence of operations on each caching strategy in
turn, in front of one simulated database, and prints what each gives: latency
at the same planned rate, most throughput, hit ratio, queries that the database
was spared, and how many reads were stale although the update had been
acknowledged before. There must be none of those.

Without --redis it runs on a server inside this process, which shows how the
strategies differ but not how fast Redis is. On a real server all keys have a
prefix made up for the run, and they are removed at the end.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 stale reads were found,
130 interrupted (what was measured until then is printed and written).`,
		Example: `  larder bench
  larder bench --redis redis://localhost:6379 --rate 5000 --duration 20s
  larder bench --redis host1:7000,host2:7000,host3:7000
  larder bench --redis spawn --mix get=99,write=1 --zipf 1.1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(cmd, flags) },
	}
	f := cmd.Flags()
	f.IntVar(&c.Keys, "keys", c.Keys, "rows in the database")
	f.Float64Var(&c.Zipf, "zipf", c.Zipf, "skew of the popularity of keys; 0 is none")
	f.StringVar(&flags.mix, "mix", c.Mix.String(), "how many operations are reads, updates of a row, and updates of a `group` of rows whose tag is then invalidated")
	f.IntVar(&c.GroupSize, "group-size", c.GroupSize, "rows that share a tag")
	f.IntVar(&c.ValueSize, "value-size", c.ValueSize, "bytes of a row's text")
	f.IntVar(&c.Ops, "ops", c.Ops, "operations of each pass, in place of --duration")
	f.DurationVar(&c.Duration, "duration", c.Duration, "time of each latency pass; a throughput pass has half of it")
	f.IntVar(&c.WarmUp, "warm-up", c.WarmUp, "operations before the measurement (default: no more than --ops)")
	f.IntVar(&c.Workers, "workers", c.Workers, "operations that may be under way at once")
	f.Float64Var(&c.Rate, "rate", c.Rate, "planned operations a second; 0 is three quarters of what the database can take, and less on the embedded server")
	f.StringVar(&flags.arrivals, "arrivals", string(c.Arrivals), "spread of planned times: poisson or constant")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "the same seed gives the same operations")
	f.IntVar(&c.Capacity, "capacity", c.Capacity, "entries of L1")
	f.DurationVar(&c.TTL, "ttl", c.TTL, "how long entries are fresh")
	f.DurationVar(&c.Latency, "db-latency", c.Latency, "median time of a query")
	f.IntVar(&c.Connections, "db-conns", c.Connections, "queries that the database runs at once")
	f.StringVar(&flags.redis, "redis", "", "`server` to use: a redis:// or rediss:// URL, host:port, several host:port of a cluster separated by commas, or spawn or spawn-cluster for one of our own, from the redis-server of the PATH")
	f.StringVar(&flags.only, "strategies", "", "comma-separated `list` of strategies (default: all): "+strings.Join(strategy.Names(), ", "))
	f.StringVar(&flags.out, "out", "larder-out", "`directory` for results.json")
	cmd.AddCommand(newScenario())
	return cmd
}

// check returns an error that names the first flag that makes no sense.
func (f *benchFlags) check(warmUpGiven bool) (target server.Target, kinds []strategy.Kind, err error) {
	c := &f.config
	for _, l := range []struct {
		flag             string
		got, least, most int
	}{
		{"keys", c.Keys, 1, 10_000_000},
		{"group-size", c.GroupSize, 1, 100_000},
		{"value-size", c.ValueSize, 0, 1 << 20},
		{"ops", c.Ops, 0, bench.MaxOps},
		{"warm-up", c.WarmUp, 0, bench.MaxOps},
		{"workers", c.Workers, 1, 10_000},
		{"capacity", c.Capacity, 1, math.MaxInt32},
		{"db-conns", c.Connections, 1, 10_000},
	} {
		if l.got < l.least || l.got > l.most {
			return target, nil, usageError("--%s is %d: it must be from %d to %d", l.flag, l.got, l.least, l.most)
		}
	}
	for _, l := range []struct {
		flag             string
		got, least, most time.Duration
	}{
		{"duration", c.Duration, 100 * time.Millisecond, time.Hour},
		{"ttl", c.TTL, time.Second, 24 * time.Hour},
		{"db-latency", c.Latency, time.Microsecond, time.Minute},
	} {
		if l.got < l.least || l.got > l.most {
			return target, nil, usageError("--%s is %v: it must be from %v to %v", l.flag, l.got, l.least, l.most)
		}
	}
	switch {
	case !(c.Zipf >= 0 && c.Zipf <= 10):
		return target, nil, usageError("--zipf is %v: it must be from 0 to 10", c.Zipf)
	case c.Rate != 0 && !(c.Rate >= 0.1 && c.Rate <= 10_000_000):
		return target, nil, usageError("--rate is %v: it must be 0 or from 0.1 to 10000000", c.Rate)
	case c.Rate*c.Duration.Seconds() > bench.MaxOps && c.Ops == 0:
		return target, nil, usageError("--rate is %v for %v: that is more than %d operations", c.Rate, c.Duration, bench.MaxOps)
	case f.out == "":
		return target, nil, usageError("--out is empty: it must name a directory")
	}
	if c.Mix, err = workload.ParseMix(f.mix); err != nil {
		return target, nil, usageError("--mix: %w", err)
	}
	if c.Arrivals, err = workload.ParseArrivals(f.arrivals); err != nil {
		return target, nil, usageError("--arrivals: %w", err)
	}
	if kinds, err = strategy.Parse(f.only); err != nil {
		return target, nil, usageError("--strategies: %w", err)
	}
	if target, err = server.ParseTarget(f.redis); err != nil {
		return target, nil, usageError("--redis: %w", err)
	}
	if c.Ops > 0 && !warmUpGiven {
		c.WarmUp = min(c.WarmUp, c.Ops)
	}
	return target, kinds, nil
}

func runBench(cmd *cobra.Command, flags benchFlags) (err error) {
	target, kinds, err := flags.check(cmd.Flags().Changed("warm-up"))
	if err != nil {
		return err
	}
	ctx, stdout, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	redis, err := target.Open(ctx)
	if err != nil {
		return err
	}
	prefix := server.RunPrefix("larderbench")
	defer func() {
		// Also after an interrupt.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweeping)
		defer cancel()
		_, err1 := redis.Sweep(ctx, prefix)
		err = cmp.Or(err, err1, redis.Close())
	}()

	setup := strategy.Setup{Capacity: flags.config.Capacity, TTL: flags.config.TTL, Redis: redis.Client, Namespace: prefix}
	var candidates []bench.Candidate
	for _, k := range kinds {
		candidates = append(candidates, bench.Candidate{
			Name: k.Name,
			Open: func(ctx context.Context, db *simdb.DB) (strategy.Strategy, error) { return k.Open(ctx, db, setup) },
		})
	}
	report := bench.NewReport(flags.config, versionName(), redis.Info)
	runErr := report.Run(ctx, candidates, stdout, stderr)
	if len(report.Strategies) == 0 {
		return runErr
	}
	return publishOld(report, flags.out, stdout, runErr)
}

// publish prints and writes what was measured, and returns the error that
// decides the exit code.
func publishOld(report *bench.Report, out string, stdout io.Writer, runErr error) error {
	report.Text(stdout)
	path, err := report.Write(out)
	if err != nil {
		return cmp.Or(runErr, err)
	}
	fmt.Fprintln(stdout, "results:", path)
	if n := report.StaleReads(); n > 0 {
		return &exitError{exitStale, fmt.Errorf("%d STALE READS: a strategy returned what had been updated and acknowledged", n)}
	}
	return runErr
}
