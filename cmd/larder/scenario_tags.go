package main

import (
	"context"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/tagcost"
	"github.com/spf13/cobra"
)

func newTags() *cobra.Command {
	c, o := tagcost.Default(), outputs{}
	var quick bool
	cmd := &cobra.Command{
		Use:   "tags",
		Short: "Measure what it costs to invalidate a tag, by how many entries carry it",
		Long: `Tags stores entries that carry tags, and invalidates these: by Larder, and by a set
of the members of each tag, which many write themselves. It also measures after
how long the memory of another process does not serve an entry any more.`,
		Example: `  larder bench scenario tags
  larder bench scenario tags --redis spawn --members 1,100,10000,100000 --rounds 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q := tagcost.Quick(); quick {
				unlessSet(cmd, map[string]func(){"members": func() { c.Members = q.Members }, "rounds": func() { c.Rounds = q.Rounds }})
			}
			if err := c.Check(); err != nil {
				return usageError("--%w", err)
			}
			return measure(cmd, o, "larder bench scenario tags", 0, measureTags(c))
		},
	}
	f := cmd.Flags()
	o.flags(f)
	f.IntSliceVar(&c.Members, "members", c.Members, "comma-separated `numbers` of entries that carry a tag")
	f.IntVar(&c.Rounds, "rounds", c.Rounds, "tags of each size")
	f.BoolVar(&quick, "quick", false, "fewer of all, for a first look")
	return cmd
}

// measureTags is a part of a run.
func measureTags(c tagcost.Config) measurement {
	return measurement{tagcost.Steps(c), func(ctx context.Context, on bed, meter *progress.Meter) (*results.Section, error) {
		return tagcost.Run(ctx, on.Server, on.Prefix, c, meter)
	}}
}
