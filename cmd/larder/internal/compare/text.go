package compare

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
)

// Text writes the report for people: the metrics that changed, or all of them.
func (r *Report) Text(w io.Writer, all bool) {
	var rows []Row
	width := len("metric")
	for _, row := range r.Rows {
		if all || row.Verdict.Changed() {
			rows = append(rows, row)
			width = max(width, utf8.RuneCountInString(row.Name))
		}
	}
	if len(rows) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "%-*s\told\tnew\tdelta\tp\t  verdict\n", width, "metric")
		for _, row := range rows {
			verdict := string(row.Verdict)
			if row.Why != "" {
				verdict += ": " + row.Why
			}
			// The last cell has no tab behind it, so it begins at the left.
			fmt.Fprintf(t, "%-*s\t%s\t%s\t%s\t%s\t  %s\n", width, row.Name, figure(row.Unit, row.Old), figure(row.Unit, row.New), row.change(), row.chance(), verdict)
		}
		t.Flush()
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, r.Summary())
	for _, a := range r.Advice {
		fmt.Fprintln(w, "Note:", a+".")
	}
}

// Summary counts the verdicts in a sentence.
func (r *Report) Summary() string {
	var parts []string
	add := func(v Verdict, one, many string) {
		if n := r.Counts[v]; n > 0 {
			parts = append(parts, spelling.Plural(n, one, many))
		}
	}
	add(Regression, "regression", "regressions")
	add(Improvement, "improvement", "improvements")
	add(Differs, "other change", "other changes")
	if len(parts) == 0 {
		parts = []string{"No significant change"}
	}
	changed := len(parts)
	add(Same, "metric without a significant difference", "metrics without a significant difference")
	within := fmt.Sprintf("that differs, but by no more than %.3g%%", 100*r.Threshold)
	add(Slight, within, strings.Replace(within, "differs", "differ", 1))
	add(TooFew, "with too few samples", "with too few samples")
	add(Unlike, "that cannot be compared", "that cannot be compared")
	add(OnlyOld, "only in the old run", "only in the old run")
	add(OnlyNew, "only in the new run", "only in the new run")
	s := strings.Join(parts[:changed], ", ")
	if changed < len(parts) {
		s += "; " + strings.Join(parts[changed:], ", ")
	}
	return s + fmt.Sprintf(" (p is corrected for the number of metrics, and significant up to %v).", r.Alpha)
}

func figure(u results.Unit, x *float64) string {
	if x == nil {
		return "-"
	}
	if *x == 0 && u == results.Nanoseconds {
		return "0 ns"
	}
	return u.Format(*x)
}

func (r *Row) change() string {
	switch {
	case r.Old == nil || r.New == nil || r.Verdict == Unlike:
		return "-"
	case r.Delta == nil:
		return "from 0"
	case *r.Delta == 0:
		return "0%"
	case math.Abs(*r.Delta) >= 10:
		return fmt.Sprintf("%+.0f%%", 100**r.Delta)
	}
	return fmt.Sprintf("%+.1f%%", 100**r.Delta)
}

func (r *Row) chance() string {
	switch {
	case r.Adjusted != nil && *r.Adjusted < 0.001:
		return "<0.001"
	case r.Adjusted != nil:
		return fmt.Sprintf("%.3f", *r.Adjusted)
	case r.P != nil:
		return "1" // all samples are equal
	}
	return "-"
}

// Words returns the change as a phrase.
func (r *Row) Words() string {
	return fmt.Sprintf("%s was %s and is %s (%s)", r.Name, figure(r.Unit, r.Old), figure(r.Unit, r.New), r.change())
}
