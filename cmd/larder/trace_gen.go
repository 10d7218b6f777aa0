package main

import (
	"github.com/larder-cache/larder/cmd/larder/internal/synthetic"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/spf13/cobra"
)

func newTraceGen() *cobra.Command {
	var (
		writing             traceWriting
		popularity          string
		size, ttl           string
		keys, requests      int
		seed                uint64
		rate, write, delete float64
	)
	cmd := &cobra.Command{
		Use:   "gen OUT",
		Short: "Make a trace up",
		Long: `Gen writes a trace of requests by a workload: ` + workload.PopularitySyntax + `.
The same flags give the same trace, byte for byte; the keys depend on the workload,
the numbers and the seed alone.

An object keeps its size and its TTL, which are ` + synthetic.SpreadSyntax + `.`,
		Example: `  larder trace gen --workload zipf:0.9 --keys 100000 --requests 1000000 zipf.trc
  larder trace gen --workload zipf:1.1+onehit:0.3 --value-size lognormal:500:20000 --ttl 1m-24h --write-share 0.05 shop.trc.zst`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := args[0]
			s := synthetic.Settings{Keys: keys, Requests: requests, Seed: seed, Rate: rate, Writes: write, Deletes: delete}
			var err error
			if s.Popularity, err = workload.ParsePopularity(popularity); err != nil {
				return usageError("--workload: %w", err)
			}
			if size != "" {
				if s.Sizes, err = synthetic.ParseSizes(size); err != nil {
					return usageError("--value-size: %w", err)
				}
			}
			if ttl != "" {
				if s.TTLs, err = synthetic.ParseTTLs(ttl); err != nil {
					return usageError("--ttl: %w", err)
				}
			}
			switch {
			case s.Writes != s.Writes || s.Writes < 0 || s.Writes > 1:
				return usageError("--write-share is %v: it must be from 0 to 1", s.Writes)
			case s.Deletes != s.Deletes || s.Deletes < 0 || s.Writes+s.Deletes > 1:
				return usageError("--delete-share is %v: it must be from 0 to 1, together with --write-share", s.Deletes)
			}
			if err := s.Check(); err != nil {
				return usageError("--%w", err)
			}
			format, compression, err := writing.target(out)
			if err != nil {
				return err
			}
			if err := (output{path: out, force: writing.force}).check(); err != nil {
				return err
			}
			t, err := s.Trace(cmd.Context())
			if err != nil {
				return err
			}
			return writing.write(cmd, t, out, format, compression)
		},
	}
	f := cmd.Flags()
	f.StringVar(&popularity, "workload", "zipf:0.99", "which keys are asked for: a `popularity`")
	f.IntVar(&keys, "keys", 100_000, "how many keys there are")
	f.IntVar(&requests, "requests", 1_000_000, "how many requests there are")
	f.Uint64Var(&seed, "seed", 1, "the `seed` of all that is drawn at random")
	f.Float64Var(&rate, "rate", 1000, "requests a second, evenly")
	f.Float64Var(&write, "write-share", 0, "the `part` of the requests, from 0 to 1, that write")
	f.Float64Var(&delete, "delete-share", 0, "the `part` of the requests, from 0 to 1, that delete")
	f.StringVar(&size, "value-size", "", "`bytes` of the objects, such as 1000, 100-5000 or lognormal:500:20000 (default: sizes are not recorded)")
	f.StringVar(&ttl, "ttl", "", "how `long` objects live, such as 60s, 1m-2h or lognormal:10m:24h (default: without end)")
	writing.flags(f)
	return cmd
}
