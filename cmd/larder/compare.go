package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/compare"
	"github.com/spf13/cobra"
)

type compareFlags struct {
	alpha               float64
	threshold           string
	all, asJSON, anyway bool
}

func newCompare() *cobra.Command {
	var flags compareFlags
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Tell whether one run is worse than another",
		Long: `Compare reads two results.json, or the directories they are in, and says of each
metric whether it changed by more than chance. A regression is significant and
worse by more than the threshold; the figures are medians.

Significance is by the rank sum test of Mann and Whitney over the repetitions,
so both runs need --repeat 6 at least. As many metrics are asked at once, p is
corrected by the method of Benjamini and Hochberg: of the changes reported, the
share of false ones is at most --alpha, and so is the chance of a false alarm if
nothing has changed.

A machine that gets slower between the runs makes the second one worse. If that
may be, measure both builds in turns, each run with an --out of its own
(old/1, new/1, old/2, new/2, ...), and compare the directories old and new: all
runs in them are then samples.

Runs under different conditions are not compared: a different machine, server,
seed or flag is named. Different versions of larder or Go are no hindrance.

Exit codes: 0 no regression, 2 the files cannot be compared, 3 a regression.`,
		Example: `  larder bench --repeat 6 --out old
  larder bench --repeat 6 --out new
  larder compare old new
  larder compare --threshold 10% --all old/results.json new/results.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("compare needs two runs, the old one and the new one, and not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runCompare(cmd, flags, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.Float64Var(&flags.alpha, "alpha", 0.05, "chance of a false alarm, over all metrics together")
	f.StringVar(&flags.threshold, "threshold", "5%", "least `change` that matters, in per cent of the old figure")
	f.BoolVar(&flags.all, "all", false, "show also what did not change")
	f.BoolVar(&flags.asJSON, "json", false, "print JSON")
	f.BoolVar(&flags.anyway, "anyway", false, "compare also what was measured under different conditions")
	return cmd
}

func runCompare(cmd *cobra.Command, flags compareFlags, before, after string) error {
	o := compare.Options{Alpha: flags.alpha}
	if !(o.Alpha > 0 && o.Alpha < 1) {
		return usageError("--alpha is %v: it must be between 0 and 1", o.Alpha)
	}
	number, isPercent := strings.CutSuffix(flags.threshold, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 10) {
		return usageError("--threshold is %q: it must be from 0%% to 1000%%, such as 5%%", flags.threshold)
	}
	o.Threshold = x
	old, err := compare.Load(before)
	if err != nil {
		return usageError("%w", err)
	}
	new, err := compare.Load(after)
	if err != nil {
		return usageError("%w", err)
	}
	r := compare.Documents(old, new, o)
	if grave := compare.Grave(r.Differences); len(grave) > 0 && !flags.anyway {
		var what []string
		for _, d := range grave {
			what = append(what, d.String())
		}
		return usageError("the runs were not made under the same conditions (%s): measure again, or compare them with --anyway", strings.Join(what, "; "))
	}
	if len(r.Rows) == r.Counts[compare.OnlyOld]+r.Counts[compare.OnlyNew] {
		return usageError("%s and %s have no metric in common", before, after)
	}
	stdout := cmd.OutOrStdout()
	if flags.asJSON {
		e := json.NewEncoder(stdout)
		e.SetIndent("", " ")
		if err := e.Encode(r); err != nil {
			return err
		}
	} else {
		for _, d := range r.Differences {
			fmt.Fprintln(stdout, "Note:", d.String()+".")
		}
		if len(r.Differences) > 0 {
			fmt.Fprintln(stdout)
		}
		r.Text(stdout, flags.all)
	}
	if n := r.Counts[compare.Regression]; n > 0 {
		return &exitError{exitBroken, errors.New(worst(r, n))}
	}
	return nil
}

// worst names the regression that is easiest to see.
func worst(r *compare.Report, n int) string {
	var most *compare.Row
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Verdict == compare.Regression && (most == nil || size(row) > size(most)) {
			most = row
		}
	}
	if n == 1 {
		return "1 REGRESSION: " + most.Words()
	}
	return fmt.Sprintf("%d REGRESSIONS; the greatest: %s", n, most.Words())
}

// size returns by how much of the old figure a metric changed; from zero it is more than
// by any.
func size(r *compare.Row) float64 {
	if r.Delta == nil {
		return maxChange
	}
	return max(*r.Delta, -*r.Delta)
}

const maxChange = 1e300
