package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/larder-cache/larder/cmd/larder/internal/outage"
	"github.com/larder-cache/larder/cmd/larder/internal/policy"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/spf13/cobra"
)

// entry is something that can be named on the command line.
type entry struct{ name, about string }

// topic is a kind of things that can be named.
type topic struct {
	name, about string
	entries     func(root *cobra.Command) []entry
}

// topics are all of them but metrics, which only a run has. The names are those of the
// catalogs; the lines about them are either there too, or in about.
var topics = []topic{
	{"workloads", "which keys are asked for, and what is done (--workload)", func(*cobra.Command) (all []entry) {
		for _, n := range workload.YCSB() {
			all = append(all, entry{n.Name, n.Short + " (" + n.Mix.String() + ")"})
		}
		return all
	}},
	{"distributions", "of keys (--workload)", func(*cobra.Command) (all []entry) {
		for _, form := range workload.PopularityForms {
			name, _, _ := strings.Cut(form, ":")
			all = append(all, entry{form, about[name]})
		}
		return all
	}},
	{"operations", "of a mix (--mix)", func(*cobra.Command) (all []entry) {
		for k := range workload.Kinds {
			all = append(all, described(k.String()))
		}
		return all
	}},
	{"arrivals", "how operations are spread over time (--arrivals)", func(*cobra.Command) []entry {
		return []entry{described(string(workload.Poisson)), described(string(workload.Constant))}
	}},
	{"strategies", "ways to cache (--strategies)", func(*cobra.Command) (all []entry) {
		for _, k := range strategy.Catalog() {
			all = append(all, entry{k.Flag, k.Name + ": " + k.Short})
		}
		return all
	}},
	{"scenarios", "what larder bench scenario measures", scenarios},
	{"faults", "ways in which Redis fails (--faults)", func(*cobra.Command) (all []entry) {
		for _, name := range outage.Faults() {
			all = append(all, entry{name, outage.WhatHappens(name)})
		}
		return all
	}},
	{"policies", "ways to evict", func(*cobra.Command) (all []entry) {
		for _, name := range policy.Names() {
			all = append(all, described(name))
		}
		return all
	}},
	{"formats", "of traces (--format)", func(*cobra.Command) (all []entry) {
		for _, f := range trace.Formats() {
			all = append(all, described(string(f)))
		}
		return all
	}},
}

func described(name string) entry { return entry{name, about[name]} }

// scenarios are the commands below larder bench scenario.
func scenarios(root *cobra.Command) (all []entry) {
	cmd, _, err := root.Find([]string{"bench", "scenario"})
	if err != nil {
		return nil
	}
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			all = append(all, entry{c.Name(), c.Short})
		}
	}
	return all
}

// metricsTopic lists what a run has found.
const metricsTopic = "metrics"

func topicNames() (names []string) {
	for _, t := range topics {
		names = append(names, t.name)
	}
	return append(names, metricsTopic)
}

func newList() *cobra.Command {
	return &cobra.Command{
		Use:   "list [" + strings.Join(topicNames(), " | ") + "] [RESULTS]",
		Short: "Print what there is to choose from",
		Long: `List prints the names that other commands take, with a line on each. What metrics
there are depends on the run: list metrics prints those of a results.json, or of
larder-out if none is named, with their values. They are what --assert and
larder compare speak of.`,
		Example: `  larder list
  larder list strategies
  larder list metrics larder-out`,
		ValidArgs: topicNames(),
		Args:      checkList,
		RunE: func(cmd *cobra.Command, args []string) error {
			w := cmd.OutOrStdout()
			if len(args) > 0 && args[0] == metricsTopic {
				dir := "larder-out"
				if len(args) > 1 {
					dir = args[1]
				}
				d, err := results.Read(dir)
				if err != nil {
					return usageError("%w", err)
				}
				return listMetrics(w, d)
			}
			for i, t := range topics {
				if len(args) > 0 && t.name != args[0] {
					continue
				}
				if len(args) == 0 {
					if i > 0 {
						fmt.Fprintln(w)
					}
					fmt.Fprintf(w, "%s: %s\n", t.name, t.about)
				}
				if err := listEntries(w, t.entries(cmd.Root()), len(args) == 0); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func checkList(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !slices.Contains(topicNames(), args[0]):
		words := strings.Join(topicNames(), ", ")
		if near := spelling.Nearest(args[0], topicNames(), 1); len(near) > 0 {
			words += "; the nearest is " + near[0]
		}
		return fmt.Errorf("%q is none of %s", args[0], words)
	case len(args) > 1 && args[0] != metricsTopic:
		return fmt.Errorf("list %s takes nothing more, and not %q", args[0], args[1])
	case len(args) > 2:
		return fmt.Errorf("list metrics takes one file or directory, and not %d", len(args)-1)
	}
	return nil
}

func listEntries(w io.Writer, all []entry, indent bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range all {
		if indent {
			fmt.Fprint(t, "  ")
		}
		fmt.Fprintf(t, "%s\t%s\n", e.name, e.about)
	}
	return t.Flush()
}

func listMetrics(w io.Writer, d *results.Document) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "metric\tunit\tbetter\tsamples\tmedian")
	for _, s := range d.Sections {
		for _, m := range s.Metrics {
			better := string(m.Better)
			if better == "" {
				better = "-"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", m.Name, m.Unit, better, len(m.Samples), m.Unit.Format(m.Value()))
		}
	}
	return t.Flush()
}
