package assertion

import (
	"fmt"
	"math"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
)

// SectionName is that of the section which Judge returns.
const SectionName = "assertions"

// Judge holds the medians of a run against the expressions, and returns a section that
// has a note on each: one that fails the run if it does not hold, or if there is no such
// metric, since nothing was asserted then.
func Judge(d *results.Document, all []Expression) *results.Section {
	s := &results.Section{Name: SectionName, Title: "Assertions", Metrics: []results.Metric{}}
	for _, e := range all {
		holds, words := e.judge(d)
		note := results.Note{Level: results.Info, Text: fmt.Sprintf("%s holds: %s", e, words)}
		if !holds {
			note = results.Note{Level: results.Fail, Text: fmt.Sprintf("%s does not hold: %s", e, words)}
		}
		s.Notes = append(s.Notes, note)
	}
	return s
}

// judge returns whether the expression holds, and why in words.
func (e Expression) judge(d *results.Document) (holds bool, words string) {
	m, ok := d.Metric(e.Metric)
	if !ok {
		return false, missing(d, e.Metric)
	}
	x := m.Value()
	words = fmt.Sprintf("%s is %s", e.Metric, figure(m.Unit, x))
	if n := len(m.Samples); n > 1 {
		words += fmt.Sprintf(" (the median of %d)", n)
	}
	if e.Other == "" {
		limit, err := e.Limit.in(m.Unit)
		if err != nil {
			return false, err.Error()
		}
		return e.Operator.holds(x, limit), words
	}
	other, ok := d.Metric(e.Other)
	switch {
	case !ok:
		return false, missing(d, e.Other)
	case other.Unit != m.Unit:
		return false, fmt.Sprintf("%s is counted in %s, and %s in %s", e.Metric, name(m.Unit), e.Other, name(other.Unit))
	}
	y := other.Value()
	return e.Operator.holds(x, y*e.Factor), fmt.Sprintf("%s, and %s is %s", words, e.Other, figure(other.Unit, y))
}

// missing says which metrics there are in place of one that there is not.
func missing(d *results.Document, name string) string {
	var names []string
	for _, s := range d.Sections {
		for _, m := range s.Metrics {
			names = append(names, m.Name)
		}
	}
	words := fmt.Sprintf("this run has no metric %s", name)
	if near := spelling.Nearest(name, names, 3); len(near) > 0 {
		return words + "; it has " + strings.Join(near, ", ")
	}
	return words + fmt.Sprintf(", nor one of a name like that among its %d (larder list metrics shows them)", len(names))
}

// figure writes zero as a duration too, and small differences as they are.
func figure(u results.Unit, x float64) string {
	switch {
	case u == results.Nanoseconds && x == 0:
		return "0 ns"
	case u == results.Ratio && x != math.Trunc(x):
		return fmt.Sprintf("%.4g%%", 100*x)
	}
	return u.Format(x)
}
