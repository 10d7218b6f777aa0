package main

import (
	"context"

	"github.com/larder-cache/larder/cmd/larder/internal/footprint"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/spf13/cobra"
)

func newMemory() *cobra.Command {
	c, o := footprint.Default(), outputs{}
	var quick bool
	cmd := &cobra.Command{
		Use:   "memory",
		Short: "Measure how many bytes an entry takes",
		Long: `Memory measures by how much the heap grows for each entry of the store in memory,
of a plain map and of golang-lru, and what the key of an entry takes in Redis
beside a plain SET. The server inside the process does not know the latter.`,
		Example: `  larder bench scenario memory --redis spawn
  larder bench scenario memory --entries 1000000 --size 1000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q := footprint.Quick(); quick {
				unlessSet(cmd, map[string]func(){"entries": func() { c.Entries = q.Entries }, "remote": func() { c.Remote = q.Remote }})
			}
			if err := c.Check(); err != nil {
				return usageError("--%w", err)
			}
			return measure(cmd, o, "larder bench scenario memory", 0, measureMemory(c))
		},
	}
	f := cmd.Flags()
	o.flags(f)
	f.IntSliceVar(&c.Entries, "entries", c.Entries, "comma-separated `numbers` of entries in memory")
	f.IntVar(&c.Remote, "remote", c.Remote, "entries in Redis; 0 is none")
	f.IntVar(&c.Size, "size", c.Size, "bytes of each value")
	f.BoolVar(&quick, "quick", false, "fewer entries, for a first look")
	return cmd
}

// measureMemory is a part of a run.
func measureMemory(c footprint.Config) measurement {
	return measurement{footprint.Steps(c), func(ctx context.Context, on bed, meter *progress.Meter) (*results.Section, error) {
		return footprint.Run(ctx, on.Server, on.Prefix, c, meter)
	}}
}
