package results

import (
	"fmt"
	"math"
	"regexp"
)

var chartID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// Check returns the first thing in which the document is not as its types say it is.
func (d *Document) Check() error {
	if d.Schema != Schema {
		return fmt.Errorf("the schema is %q and not %q", d.Schema, Schema)
	}
	names, ids := map[string]bool{}, map[string]bool{}
	for i, s := range d.Sections {
		if s == nil {
			return fmt.Errorf("section %d is null", i)
		}
		for _, m := range s.Metrics {
			switch {
			case !metricName.MatchString(m.Name):
				return fmt.Errorf("%q is no name of a metric", m.Name)
			case names[m.Name]:
				return fmt.Errorf("there are two metrics %s", m.Name)
			case len(m.Samples) == 0:
				return fmt.Errorf("the metric %s has no samples", m.Name)
			}
			for _, x := range m.Samples {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					return fmt.Errorf("a sample of the metric %s is %v", m.Name, x)
				}
			}
			names[m.Name] = true
		}
		for _, c := range s.Charts {
			if !chartID.MatchString(c.ID) || ids[c.ID] {
				return fmt.Errorf("%q is no id of a chart, or that of another", c.ID)
			}
			ids[c.ID] = true
			if err := c.check(); err != nil {
				return fmt.Errorf("chart %s: %w", c.ID, err)
			}
		}
		for _, t := range s.Tables {
			if len(t.Columns) == 0 {
				return fmt.Errorf("the table %q in %s has no columns", t.Title, s.Name)
			}
			for _, row := range t.Rows {
				if len(row) != len(t.Columns) {
					return fmt.Errorf("a row of the table %q in %s has %d cells for %d columns", t.Title, s.Name, len(row), len(t.Columns))
				}
			}
		}
	}
	return nil
}

func (c *Chart) check() error {
	for _, a := range []Axis{c.X, c.Y} {
		if a.Scale != "" && a.Scale != Linear && a.Scale != Log && a.Scale != Nines {
			return fmt.Errorf("%q is no scale", a.Scale)
		}
	}
	if c.Kind == HeatMap {
		h := c.Heat
		if h == nil || len(h.X) < 2 || len(h.Y) < 2 || len(h.Count) != len(h.X)-1 {
			return fmt.Errorf("the edges and the columns do not agree")
		}
		if !rising(h.X) || !rising(h.Y) {
			return fmt.Errorf("the edges do not rise")
		}
		for _, column := range h.Count {
			if len(column) != len(h.Y)-1 {
				return fmt.Errorf("the edges and the rows do not agree")
			}
		}
		return nil
	}
	if c.Kind != Lines && c.Kind != Bars {
		return fmt.Errorf("%q is no kind of chart", c.Kind)
	}
	for _, s := range c.Series {
		want := len(s.X)
		if c.Kind == Bars {
			want = len(c.Categories)
		}
		if len(s.Y) != want {
			return fmt.Errorf("the series %q has %d values for %d places", s.Name, len(s.Y), want)
		}
		for i := 1; i < len(s.X); i++ {
			if !(s.X[i] >= s.X[i-1]) {
				return fmt.Errorf("the x of the series %q do not rise at %v", s.Name, s.X[i])
			}
		}
	}
	return nil
}

// rising reports whether each value is more than the one before.
func rising(v Values) bool {
	for i := range v {
		if math.IsNaN(v[i]) || i > 0 && v[i] <= v[i-1] {
			return false
		}
	}
	return true
}
