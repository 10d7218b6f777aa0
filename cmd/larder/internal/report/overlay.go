package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// Overlay returns a document with the sections of all: charts with the same id become
// one with the series of all, and the metrics stand side by side. One document is
// returned as it is.
func Overlay(sources ...Source) *results.Document {
	if len(sources) == 1 {
		return sources[0].Document
	}
	d := &results.Document{Schema: results.Schema}
	var titles []string
	for _, s := range sources {
		titles = append(titles, s.Label)
		for _, section := range s.Sections {
			i := slices.IndexFunc(d.Sections, func(have *results.Section) bool { return have.Name == section.Name })
			if i < 0 {
				i = len(d.Sections)
				d.Sections = append(d.Sections, &results.Section{Name: section.Name, Title: section.Title, Intro: section.Intro})
			}
			lay(d, d.Sections[i], section, s.Label)
		}
	}
	for _, section := range d.Sections {
		if t, ok := sideBySide(section.Name, sources); ok {
			section.Tables = append([]results.Table{t}, section.Tables...)
		}
	}
	d.Title = strings.Join(titles, " and ")
	return d
}

// lay puts a section on top of those of the same name.
func lay(d *results.Document, to, from *results.Section, label string) {
	for _, f := range from.Facts {
		i := slices.IndexFunc(to.Facts, func(have results.Fact) bool { return have.Name == f.Name })
		switch {
		case i < 0:
			to.Facts = append(to.Facts, f)
		case to.Facts[i].Value != f.Value:
			to.Facts = append(to.Facts, results.Fact{Name: f.Name + " (" + label + ")", Value: f.Value})
		}
	}
	for _, n := range from.Notes {
		to.Notes = append(to.Notes, results.Note{Level: n.Level, Text: label + ": " + n.Text})
	}
	for _, t := range from.Tables {
		t.Title = strings.TrimSpace(label + ": " + t.Title)
		to.Tables = append(to.Tables, t)
	}
	for _, c := range from.Charts {
		var have *results.Chart
		for _, s := range d.Sections {
			if i := slices.IndexFunc(s.Charts, func(have results.Chart) bool { return have.ID == c.ID }); i >= 0 {
				have = &s.Charts[i]
			}
		}
		switch {
		case have == nil:
			c.Series = slices.Clone(c.Series)
			for i := range c.Series {
				c.Series[i].Name = label + ": " + c.Series[i].Name
			}
			if c.Kind == results.HeatMap {
				c.Title = label + ": " + c.Title
			}
			to.Charts = append(to.Charts, c)
		case c.Kind == have.Kind && c.Kind != results.HeatMap && c.X == have.X && c.Y == have.Y:
			join(have, c, label)
		default:
			c.ID, c.Title = freeID(d, c.ID), label+": "+c.Title
			to.Charts = append(to.Charts, c)
		}
	}
}

func freeID(d *results.Document, id string) string {
	for n := 2; ; n++ {
		free := fmt.Sprintf("%s-%d", id, n)
		taken := slices.ContainsFunc(d.Sections, func(s *results.Section) bool {
			return slices.ContainsFunc(s.Charts, func(c results.Chart) bool { return c.ID == free })
		})
		if !taken {
			return free
		}
	}
}

// join adds the series of a chart. Bars of categories that not both have are gaps.
func join(to *results.Chart, c results.Chart, label string) {
	all := slices.Clone(to.Categories)
	for _, name := range c.Categories {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	spread := func(s results.Series, categories []string) results.Series {
		y := make(results.Values, len(all))
		for i, name := range all {
			if j := slices.Index(categories, name); j >= 0 {
				y[i] = s.Y[j]
			} else {
				y[i] = math.NaN()
			}
		}
		s.Y = y
		return s
	}
	if c.Kind == results.Bars {
		for i, s := range to.Series {
			to.Series[i] = spread(s, to.Categories)
		}
	}
	for _, s := range c.Series {
		if c.Kind == results.Bars {
			s = spread(s, c.Categories)
		}
		s.Name = label + ": " + s.Name
		to.Series = append(to.Series, s)
	}
	to.Categories = all
	for _, b := range c.Bands {
		if !slices.Contains(to.Bands, b) {
			to.Bands = append(slices.Clone(to.Bands), b)
		}
	}
}

// sideBySide is a table of the metrics of a section, with a column for each document.
func sideBySide(section string, sources []Source) (t results.Table, ok bool) {
	t = results.Table{Title: "Side by side", Columns: []string{"metric"}, Note: "Medians. A change is against the first column."}
	var names []string
	for _, s := range sources {
		t.Columns = append(t.Columns, s.Label)
		for _, have := range s.Sections {
			for _, m := range have.Metrics {
				if have.Name == section && !slices.Contains(names, m.Name) {
					names = append(names, m.Name)
				}
			}
		}
	}
	for _, name := range names {
		row := []string{name}
		first := math.NaN()
		for i, s := range sources {
			m, found := s.Metric(name)
			if !found {
				row = append(row, "-")
				continue
			}
			cell := m.Unit.Format(m.Value())
			if i == 0 {
				first = m.Value()
			} else if change := m.Value()/first - 1; !math.IsNaN(change) && !math.IsInf(change, 0) {
				cell += fmt.Sprintf(" (%+.1f%%)", 100*change)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, len(t.Rows) > 0
}
