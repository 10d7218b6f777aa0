package results

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Text writes a section for people at a terminal.
func (s *Section) Text(w io.Writer) {
	fmt.Fprintf(w, "%s\n\n", s.Title)
	width := 0
	for _, f := range s.Facts {
		width = max(width, utf8.RuneCountInString(f.Name))
	}
	for _, f := range s.Facts {
		fmt.Fprintf(w, "%-*s  %s\n", width, f.Name, f.Value)
	}
	if len(s.Facts) > 0 {
		fmt.Fprintln(w)
	}
	for _, t := range s.Tables {
		t.text(w)
	}
	for _, c := range s.Charts {
		if c.Kind == Bars {
			c.text(w)
		}
	}
	for _, n := range s.Notes {
		switch n.Level {
		case Warn:
			fmt.Fprintln(w, "Note:", n.Text)
		case Fail:
			fmt.Fprintln(w, "FAILED:", n.Text)
		default:
			fmt.Fprintln(w, n.Text)
		}
	}
	if len(s.Notes) > 0 {
		fmt.Fprintln(w)
	}
}

func (t *Table) text(w io.Writer) {
	if t.Title != "" {
		fmt.Fprintln(w, t.Title)
	}
	// The names of the rows begin at the left, all else ends at the right.
	first := utf8.RuneCountInString(t.Columns[0])
	for _, row := range t.Rows {
		first = max(first, utf8.RuneCountInString(row[0]))
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		fmt.Fprintf(tw, "%-*s\t%s\t\n", first, row[0], strings.Join(row[1:], "\t"))
	}
	tw.Flush()
	if t.Note != "" {
		fmt.Fprintf(w, "\n%s\n", t.Note)
	}
	fmt.Fprintln(w)
}

// text draws the first series, on a scale from zero.
func (c *Chart) text(w io.Writer) {
	if len(c.Series) == 0 {
		return
	}
	y := c.Series[0].Y
	title := c.Title
	if len(c.Series) > 1 {
		title += ": " + c.Series[0].Name
	}
	most, width := 0.0, 0
	for i, name := range c.Categories {
		width = max(width, utf8.RuneCountInString(name))
		if !math.IsNaN(y[i]) {
			most = max(most, y[i])
		}
	}
	if most <= 0 || !slices.ContainsFunc(y, func(v float64) bool { return v > 0 }) {
		return
	}
	fmt.Fprintln(w, title)
	const full = 50
	for i, name := range c.Categories {
		bar := ""
		if y[i] > 0 {
			bar = strings.Repeat("#", max(1, int(full*y[i]/most))) + " "
		}
		fmt.Fprintf(w, "%-*s  %s%s\n", width, name, bar, c.Y.Unit.Format(y[i]))
	}
	fmt.Fprintln(w)
}
