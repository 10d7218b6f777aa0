package main

import (
	"context"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/staleness"
	"github.com/spf13/cobra"
)

func newStaleness() *cobra.Command {
	c, o := staleness.Default(), outputs{}
	var hasty bool
	cmd := &cobra.Command{
		Use:   "staleness",
		Short: "Find old reads after invalidations, while one process is cut off",
		Long: `Staleness lets several processes, with memory in front of Redis, read rows that
another process writes and invalidates, and finds reads that gave what had been
invalidated, and how long it takes until a change is seen. For a while one process
does not hear from Redis, and nobody tells it. It compares

  larder  the library with WaitCoherent: acknowledged means that nobody reads the
          old row any more
  lease   the library as it comes: other processes may read it for a lease longer
  pubsub  a map in memory with a TTL; DEL and PUBLISH when a row has changed
  ttl     the same without PUBLISH

All times are from one clock of this host.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 the library gave what it
promises not to, 130 interrupted (what was measured is written).`,
		Example: `  larder bench scenario staleness
  larder bench scenario staleness --redis spawn-cluster --processes 6
  larder bench scenario staleness --lease 1s --ttl 30s --time 40s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if hasty {
				q := c.Quick()
				unlessSet(cmd, map[string]func(){
					"time": func() { c.Time = q.Time }, "lease": func() { c.Lease = q.Lease }, "processes": func() { c.Processes = q.Processes },
				})
			}
			if err := c.Check(); err != nil {
				return usageError("%w", err)
			}
			return measure(cmd, o, "larder bench scenario staleness", c.Seed, measureStaleness(c))
		},
	}
	f := cmd.Flags()
	o.flags(f)
	f.DurationVar(&c.Time, "time", c.Time, "time of all ways together")
	f.BoolVar(&hasty, "quick", false, "a run of some seconds, which is too short for sharp figures")
	f.IntVar(&c.Processes, "processes", c.Processes, "processes that read")
	f.IntVar(&c.Keys, "keys", c.Keys, "rows")
	f.Float64Var(&c.Writes, "writes", c.Writes, "rows written and invalidated in a second")
	f.DurationVar(&c.Lease, "lease", c.Lease, "lease of the library's memory")
	f.DurationVar(&c.TTL, "ttl", c.TTL, "how long a row stays in the memory of the others, and in Redis")
	f.DurationVar(&c.Load, "db-latency", c.Load, "time of a query")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of when what is written")
	return cmd
}

// measureStaleness is a part of a run.
func measureStaleness(c staleness.Config) measurement {
	return measurement{c.Steps(), func(ctx context.Context, on bed, meter *progress.Meter) (*results.Section, error) {
		return staleness.Run(ctx, on.Server, on.Prefix, c, meter)
	}}
}

func newStalenessWorker() *cobra.Command {
	return &cobra.Command{
		Use: staleness.WorkerCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return staleness.Work(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
}
