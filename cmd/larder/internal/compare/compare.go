// Package compare tells whether the figures of two runs differ by more than chance, and
// which of them got worse.
package compare

import (
	"fmt"
	"math"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
)

// Schema names the layout of a Report in JSON. Fields may be added under the same name;
// any other change gives it a new number.
const Schema = "larder.compare/1"

// Least is how many samples a side must have to be judged.
const Least = 6

// Options say what counts.
type Options struct {
	// Alpha is the level of significance over all metrics together, from 0 to 1.
	Alpha float64 `json:"alpha"`
	// Threshold is the least change that matters, as a share of the old figure.
	Threshold float64 `json:"threshold"`
}

// Verdict says what became of a metric.
type Verdict string

// The verdicts.
const (
	Regression  Verdict = "regression"  // significant, worse, and by more than the threshold
	Improvement Verdict = "improvement" // the same, and better
	Differs     Verdict = "differs"     // the same, of a metric that has no better
	Slight      Verdict = "slight"      // significant, but within the threshold
	Same        Verdict = "same"        // not significant
	TooFew      Verdict = "too few"     // fewer samples than Least
	Unlike      Verdict = "unlike"      // the units, or which direction is better, differ
	OnlyOld     Verdict = "only old"    // the new run does not have it
	OnlyNew     Verdict = "only new"    // the old run does not have it
)

// Changed reports whether the verdict is one that a reader should see.
func (v Verdict) Changed() bool {
	return v == Regression || v == Improvement || v == Differs
}

// Row is the comparison of one metric. Figures are medians.
type Row struct {
	Name   string            `json:"metric"`
	Unit   results.Unit      `json:"unit"`
	Better results.Direction `json:"better,omitempty"`
	Old    *float64          `json:"old,omitempty"`
	New    *float64          `json:"new,omitempty"`
	// Delta is the change as a share of the old figure, nil if that is zero and the new
	// one is not.
	Delta *float64 `json:"delta,omitempty"`
	// P is that of the rank sum test, and Adjusted that which is held against alpha.
	P        *float64 `json:"p,omitempty"`
	Adjusted *float64 `json:"p_adjusted,omitempty"`
	Samples  [2]int   `json:"samples"`
	Verdict  Verdict  `json:"verdict"`
	Why      string   `json:"why,omitempty"` // in words, where the verdict does not say it
}

// Report is what comparing two runs found.
type Report struct {
	Schema string `json:"schema"`
	Options
	Rows        []Row           `json:"metrics"`
	Counts      map[Verdict]int `json:"counts"`
	Differences []Difference    `json:"differences,omitempty"`
	// Advice is what a reader must know to trust the verdicts.
	Advice []string `json:"advice,omitempty"`
}

// Documents compares each metric of two runs. A metric is a regression if the samples
// differ significantly, by the rank sum test at level Alpha corrected for the number of
// metrics, and the median is worse by more than the threshold.
func Documents(before, after *results.Document, o Options) *Report {
	r := &Report{Schema: Schema, Options: o, Rows: []Row{}, Counts: map[Verdict]int{}, Differences: Between(before, after)}
	test := ranks{}
	var tested []int
	var p []float64
	least, few := 1.0, math.MaxInt
	seen := map[string]bool{}
	for _, s := range before.Sections {
		for _, m := range s.Metrics {
			seen[m.Name] = true
			n, ok := after.Metric(m.Name)
			if !ok {
				r.Rows = append(r.Rows, lone(m, OnlyOld))
				continue
			}
			row, judged := pair(m, n)
			if judged {
				x, floor := test.p(m.Samples, n.Samples)
				row.P = &x
				if floor < 1 { // else all samples are equal, and nothing is asked
					tested, p = append(tested, len(r.Rows)), append(p, x)
					least, few = min(least, floor), min(few, len(m.Samples), len(n.Samples))
				}
			}
			r.Rows = append(r.Rows, row)
		}
	}
	for _, s := range after.Sections {
		for _, m := range s.Metrics {
			if !seen[m.Name] {
				r.Rows = append(r.Rows, lone(m, OnlyNew))
			}
		}
	}
	for i, a := range adjust(p) {
		row := &r.Rows[tested[i]]
		row.Adjusted = &a
		row.Verdict = row.judge(o)
	}
	for _, row := range r.Rows {
		r.Counts[row.Verdict]++
	}
	r.advise(before, after, len(p), few, least)
	return r
}

func lone(m results.Metric, v Verdict) Row {
	x := m.Value()
	row := Row{Name: m.Name, Unit: m.Unit, Better: m.Better, Verdict: v}
	if v == OnlyOld {
		row.Old, row.Samples[0] = &x, len(m.Samples)
	} else {
		row.New, row.Samples[1] = &x, len(m.Samples)
	}
	return row
}

// pair returns the row of a metric that both have, and whether it is to be tested.
func pair(m, n results.Metric) (row Row, judged bool) {
	x, y := m.Value(), n.Value()
	row = Row{Name: m.Name, Unit: n.Unit, Better: n.Better, Old: &x, New: &y, Samples: [2]int{len(m.Samples), len(n.Samples)}, Verdict: Same}
	switch {
	case m.Unit != n.Unit:
		row.Verdict, row.Why = Unlike, fmt.Sprintf("the old unit is %s, the new %s", m.Unit, n.Unit)
		return row, false
	case m.Better != n.Better:
		row.Verdict, row.Why = Unlike, fmt.Sprintf("better was %s, and is %s", orNeither(m.Better), orNeither(n.Better))
		return row, false
	}
	if x == y {
		row.Delta = new(float64)
	} else if x != 0 {
		d := (y - x) / math.Abs(x)
		row.Delta = &d
	}
	if min(len(m.Samples), len(n.Samples)) < Least {
		row.Verdict = TooFew
		return row, false
	}
	return row, true
}

func orNeither(d results.Direction) string {
	if d == "" {
		return "neither"
	}
	return string(d)
}

// judge returns the verdict on a row that was tested.
func (r *Row) judge(o Options) Verdict {
	switch {
	case *r.Adjusted > o.Alpha:
		return Same
	case r.Delta != nil && math.Abs(*r.Delta) <= o.Threshold:
		return Slight
	case r.Better == "":
		return Differs
	case (*r.New < *r.Old) == (r.Better == results.Lower):
		return Improvement
	}
	return Regression
}

// advise says what the samples can show and what they cannot.
func (r *Report) advise(before, after *results.Document, tested, few int, least float64) {
	add := func(format string, args ...any) { r.Advice = append(r.Advice, fmt.Sprintf(format, args...)) }
	for _, d := range []struct {
		which string
		*results.Document
	}{{"old", before}, {"new", after}} {
		if d.Interrupted {
			add("the %s run was interrupted: its figures are of a part of it", d.which)
		}
	}
	if n := r.Counts[TooFew]; n > 0 {
		add("%s fewer than %d samples on a side, so that no difference can be told from chance: measure both runs with --repeat %d",
			spelling.Plural(n, "metric has", "metrics have"), Least, Least)
	}
	switch k := together(tested, least, r.Alpha); {
	case tested == 0:
	case k > tested:
		add("with %d samples on a side no p is below %.2g, so that at --alpha %v nothing can be significant: measure with --repeat %d",
			few, least, r.Alpha, enough(1, r.Alpha))
	case k > 1:
		add("with %d samples on a side, at least %d of the %d metrics must change at once to be significant at --alpha %v; --repeat %d shows a single one",
			few, k, tested, r.Alpha, enough(tested, r.Alpha))
	}
}

// enough returns how many samples a side show a change of one of m metrics at level alpha
// if no samples are equal: two of the ways to choose half of them are the extremes.
func enough(m int, alpha float64) int {
	ways := 1.0
	for n := 1; ; n++ {
		ways = ways * float64(2*n-1) * float64(2*n) / float64(n*n)
		if n >= Least && 2/ways*float64(m) <= alpha {
			return n
		}
	}
}
