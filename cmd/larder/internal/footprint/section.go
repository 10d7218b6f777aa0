package footprint

import (
	"fmt"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

func section(c Config, all []figures, r *remote) *results.Section {
	s := &results.Section{
		Name: "memory", Title: "Bytes of an entry",
		Intro: fmt.Sprintf("By how much the heap grows for each entry with a value of %d bytes, which count too; and what the key of an entry takes in Redis.", c.Size),
	}
	table := results.Table{Columns: []string{"in memory"}}
	chart := results.Chart{ID: "memory-heap", Title: s.Title + " in memory", Kind: results.Bars,
		Y: results.Axis{Label: "bytes of an entry", Unit: results.Bytes, Scale: results.Linear}}
	for i := range all {
		label := results.Amount(float64(c.Entries[i])) + " entries"
		table.Columns = append(table.Columns, label)
		chart.Series = append(chart.Series, results.Series{Name: label})
	}
	for _, k := range kinds {
		row := []string{k.title}
		chart.Categories = append(chart.Categories, k.title)
		for i, f := range all {
			row = append(row, results.Bytes.Format(f[k.name]))
			chart.Series[i].Y = append(chart.Series[i].Y, f[k.name])
			s.Add(fmt.Sprintf("memory.%s_%d.bytes_per_entry", k.name, c.Entries[i]), results.Bytes, results.Lower, f[k.name])
		}
		table.Rows = append(table.Rows, row)
	}
	if len(all) > 0 {
		s.Tables = append(s.Tables, table)
		s.Charts = append(s.Charts, chart)
	}
	addRemote(s, c, r)
	return s
}

func addRemote(s *results.Section, c Config, r *remote) {
	switch {
	case r == nil:
		return
	case r.why != "":
		s.Notes = append(s.Notes, results.Note{Level: results.Info, Text: r.why})
		return
	}
	table := results.Table{Columns: []string{"in Redis", fmt.Sprintf("%s entries", results.Amount(float64(c.Remote)))}}
	chart := results.Chart{ID: "memory-redis", Title: s.Title + " in Redis", Kind: results.Bars,
		Y: results.Axis{Label: "bytes of an entry", Unit: results.Bytes, Scale: results.Linear}, Series: []results.Series{{Name: "bytes"}}}
	for _, k := range []struct {
		name, title string
		bytes       float64
	}{{"larder", "Larder", r.larder}, {"larder_tagged", "Larder, one tag", r.tagged}, {"set", "SET", r.plain}} {
		table.Rows = append(table.Rows, []string{k.title, results.Bytes.Format(k.bytes)})
		chart.Categories = append(chart.Categories, k.title)
		chart.Series[0].Y = append(chart.Series[0].Y, k.bytes)
		s.Add("memory.redis."+k.name+".bytes_per_entry", results.Bytes, results.Lower, k.bytes)
	}
	s.Tables = append(s.Tables, table)
	s.Charts = append(s.Charts, chart)
}
