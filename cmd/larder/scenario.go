package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newScenario() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenario",
		Short: "Measure what happens when values expire, change, and Redis fails",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newStrategies())
	cmd.AddCommand(newThroughput())
	cmd.AddCommand(newStampede())
	cmd.AddCommand(newStaleness())
	cmd.AddCommand(newTags())
	cmd.AddCommand(newMemory())
	cmd.AddCommand(newOutage())
	return cmd
}

// choice returns the names in a list, each of which is one of those that there are.
func choice(list string, all []string) (chosen []string, err error) {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("%q is none of %s", name, strings.Join(all, ", "))
		}
		if !slices.Contains(chosen, name) {
			chosen = append(chosen, name)
		}
	}
	return chosen, nil
}
