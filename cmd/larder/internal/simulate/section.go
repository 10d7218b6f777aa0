package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/policy"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// figure is one of the ratios that an outcome has.
type figure struct {
	name, metric, chart string
	ratio               func(policy.Hits) float64
}

func (o *Outcome) figures() []figure {
	all := []figure{{"hit ratio", "hit_ratio", "hits-", func(h policy.Hits) float64 { return float64(h.Requests) / float64(o.Reads) }}}
	if o.Options.Bytes && o.ReadBytes > 0 {
		all = append(all, figure{"byte hit ratio", "byte_hit_ratio", "byte-hits-",
			func(h policy.Hits) float64 { return float64(h.Bytes) / float64(o.ReadBytes) }})
	}
	return all
}

// Section returns an outcome without an error as a section of results: its metrics are
// called simulate.SLUG.POLICY.hit_ratio@capacity=N, and byte_hit_ratio.
func (o *Outcome) Section() *results.Section {
	s := &results.Section{
		Name: "simulate-" + o.Slug, Title: "Hit ratios of " + o.Name,
		Intro: "What share of the reads a cache answers, by its capacity. What is read and not there is stored.",
		Facts: o.facts(),
	}
	for _, f := range o.figures() {
		s.Tables = append(s.Tables, o.table(f))
		s.Charts = append(s.Charts, o.chart(f))
		for _, p := range o.Points {
			for k, name := range o.Policies {
				better := results.Higher
				if k == len(o.Policies)-1 {
					better = ""
				}
				s.Add(fmt.Sprintf("simulate.%s.%s.%s@capacity=%d", o.Slug, name, f.metric, p.Capacity), results.Ratio, better, f.ratio(p.Hits[k]))
			}
		}
	}
	s.Notes = []results.Note{{Level: results.Info, Text: o.best()}}
	for _, d := range o.Doubts {
		s.Notes = append(s.Notes, results.Note{Level: results.Warn, Text: d})
	}
	if o.Sizeless > 0 {
		s.Notes = append(s.Notes, results.Note{Level: results.Warn, Text: fmt.Sprintf("the trace does not know the size of %d requests: these count as 1 byte", o.Sizeless)})
	}
	return s
}

// best says what the last policy is.
func (o *Outcome) best() string {
	switch {
	case o.Options.Bytes:
		return "No policy has more hits than the bound, which lets the mean of what is cached be within the capacity, not all of it at all times. The exact optimum of objects with sizes takes exponential time."
	case o.Expiry:
		return "No policy has more hits than the bound, which knows the future, and takes each entry for as young as it could be. The exact optimum of entries that expire is not computed."
	}
	return "The optimum knows the future: no policy has more hits."
}

func (o *Outcome) facts() []results.Fact {
	facts := slices.Clone(o.Source.Facts)
	if o.Format != "" {
		kind := string(o.Format)
		if o.Compression != "" {
			kind += " in " + string(o.Compression)
		}
		facts = append(facts, results.Fact{Name: "trace", Value: o.Name}, results.Fact{Name: "format", Value: kind})
	}
	requests := fmt.Sprintf("%d, %d unique keys", o.Requests, o.Unique)
	if o.Writes {
		requests = fmt.Sprintf("%d, of them %d reads, %d unique keys", o.Requests, o.Reads, o.Unique)
	}
	facts = append(facts, results.Fact{Name: "requests", Value: requests})
	if o.Options.Bytes {
		facts = append(facts, results.Fact{Name: "bytes", Value: fmt.Sprintf("%s of all objects, %s read", results.Bytes.Format(float64(o.Whole)), results.Bytes.Format(float64(o.ReadBytes)))})
	}
	if o.Expiry {
		facts = append(facts, results.Fact{Name: "expiry", Value: "in the time of the trace"})
	}
	return facts
}

// table shows the ratios in per cent and the points that are missing to the best.
func (o *Outcome) table(f figure) results.Table {
	last := len(o.Policies) - 1
	t := results.Table{
		Title:   fmt.Sprintf("%s%s in per cent, and points that are missing to the %s", strings.ToUpper(f.name[:1]), f.name[1:], o.Policies[last]),
		Columns: append([]string{"capacity"}, o.Policies...),
	}
	for _, name := range o.Policies[:last] {
		t.Columns = append(t.Columns, name+" gap")
	}
	shown := o.Table
	for _, p := range o.Points {
		if len(shown) == 0 || p.Capacity != shown[0] {
			continue
		}
		shown = shown[1:]
		row := []string{fmt.Sprint(p.Capacity)}
		if o.Options.Bytes {
			row[0] = results.Bytes.Format(float64(p.Capacity))
		}
		best := f.ratio(p.Hits[last])
		for _, h := range p.Hits {
			row = append(row, fmt.Sprintf("%.2f", 100*f.ratio(h)))
		}
		for _, h := range p.Hits[:last] {
			row = append(row, fmt.Sprintf("%.2f", 100*(best-f.ratio(h))))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (o *Outcome) chart(f figure) results.Chart {
	c := results.Chart{
		ID: f.chart + o.Slug, Title: fmt.Sprintf("%s%s of %s", strings.ToUpper(f.name[:1]), f.name[1:], o.Name), Kind: results.Lines,
		Note: "The higher a line is, the more reads are answered. Between a line and the dashed one is what a better policy could gain; where a line rises, more memory does.",
		X:    results.Axis{Label: "capacity in entries", Unit: results.Count, Scale: results.Log},
		Y:    results.Axis{Label: f.name, Unit: results.Ratio, Scale: results.Linear},
	}
	if o.Options.Bytes {
		c.X.Label, c.X.Unit = "capacity", results.Bytes
	}
	for k, name := range o.Policies {
		line := results.Series{Name: name, Dashed: k == len(o.Policies)-1}
		for _, p := range o.Points {
			line.X, line.Y = append(line.X, float64(p.Capacity)), append(line.Y, f.ratio(p.Hits[k]))
		}
		c.Series = append(c.Series, line)
	}
	return c
}
