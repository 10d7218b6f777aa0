package main

import (
	"context"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/stampede"
	"github.com/spf13/cobra"
)

func newStampede() *cobra.Command {
	c, o := stampede.Default(), outputs{}
	var hasty bool
	cmd := &cobra.Command{
		Use:   "stampede",
		Short: "Count what many readers load when a value expires",
		Long: `Stampede lets several processes of many goroutines read a value that expires
again and again, in front of one simulated database, and counts how often that is
asked: once is what it takes. It compares

  none    GET and, after a miss, a query and SET with a TTL
  local   the library, which shares loads in each process, with LockWait off
  lock    the library as it comes: one process loads, the others wait
  early   Policy.Early: the value is loaded before it expires (XFetch)
  stale   Policy.Stale: what has expired is served until it is loaded

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 3 the library loaded more
often than it promises, 130 interrupted (what was measured is written).`,
		Example: `  larder bench scenario stampede
  larder bench scenario stampede --redis spawn --goroutines 200 --processes 8
  larder bench scenario stampede --ttl 5s --db-latency 100ms --time 2m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if hasty {
				q := c.Quick()
				unlessSet(cmd, map[string]func(){
					"time": func() { c.Time = q.Time }, "ttl": func() { c.TTL = q.TTL },
					"db-latency": func() { c.Load = q.Load }, "processes": func() { c.Processes = q.Processes },
				})
			}
			if err := c.Check(); err != nil {
				return usageError("%w", err)
			}
			return measure(cmd, o, "larder bench scenario stampede", c.Seed, measureStampede(c))
		},
	}
	f := cmd.Flags()
	o.flags(f)
	f.DurationVar(&c.Time, "time", c.Time, "time of all ways together")
	f.BoolVar(&hasty, "quick", false, "a run of some seconds, which is too short for sharp figures")
	f.DurationVar(&c.TTL, "ttl", c.TTL, "how long a value is fresh")
	f.IntVar(&c.Goroutines, "goroutines", c.Goroutines, "goroutines that read, in each process")
	f.IntVar(&c.Processes, "processes", c.Processes, "processes that read")
	f.Float64Var(&c.Rate, "rate", c.Rate, "planned reads a second of all goroutines together")
	f.IntVar(&c.Keys, "keys", c.Keys, "values that are read")
	f.DurationVar(&c.Load, "db-latency", c.Load, "time of a query")
	f.IntVar(&c.Connections, "db-conns", c.Connections, "queries that the database runs at once")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of when what is read")
	return cmd
}

// unlessSet calls what belongs to each flag that was not given.
func unlessSet(cmd *cobra.Command, flags map[string]func()) {
	for name, set := range flags {
		if !cmd.Flags().Changed(name) {
			set()
		}
	}
}

// measureStampede is a part of a run.
func measureStampede(c stampede.Config) measurement {
	return measurement{c.Steps(), func(ctx context.Context, on bed, meter *progress.Meter) (*results.Section, error) {
		return stampede.Run(ctx, on.Server, on.Prefix, c, meter)
	}}
}

func newStampedeWorker() *cobra.Command {
	return &cobra.Command{
		Use: stampede.WorkerCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return stampede.Work(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
}
