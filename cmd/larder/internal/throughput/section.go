package throughput

import (
	"fmt"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

func section(c Config, all []figures) *results.Section {
	s := &results.Section{
		Name: "throughput", Title: "Throughput of hits in memory",
		Intro: "Every worker does one operation after the other on keys that are all there, without a look at the clock. " +
			"The load generator alone, and with each operation timed, shows what measuring costs.",
		Facts: []results.Fact{{Name: "workload", Value: fmt.Sprintf("%d keys, %s, reads only, %d workers, %v each", c.Keys, c.Popularity, c.Workers, c.Time)}},
	}
	table := results.Table{Columns: []string{"what", "operations", "a worker takes", "allocations", "bytes"},
		Note: "Allocations and bytes are those of one operation."}
	chart := results.Chart{ID: "throughput", Title: s.Title, Kind: results.Bars,
		Y: results.Axis{Label: "operations", Unit: results.PerSecond, Scale: results.Linear}, Series: []results.Series{{Name: "operations"}}}
	for i, f := range all {
		of := subjects[i]
		table.Rows = append(table.Rows, []string{of.title, results.PerSecond.Format(f.perSecond), fmt.Sprintf("%.1f ns", f.worker), fmt.Sprintf("%.3f", f.allocs), fmt.Sprintf("%.2f", f.bytes)})
		if i > 1 {
			chart.Categories = append(chart.Categories, of.title)
			chart.Series[0].Y = append(chart.Series[0].Y, f.perSecond)
		}
		name := "throughput." + of.name
		s.Add(name+".ops", results.PerSecond, results.Higher, f.perSecond)
		s.Add(name+".ns_per_op", results.Nanoseconds, results.Lower, f.worker)
		s.Add(name+".allocs_per_op", results.Count, results.Lower, f.allocs)
		s.Add(name+".bytes_per_op", results.Bytes, results.Lower, f.bytes)
		if f.missed > 0 {
			s.Notes = append(s.Notes, results.Note{Level: results.Warn, Text: fmt.Sprintf("%s: %d of %d operations were no hits.", of.title, f.missed, f.ops)})
		}
	}
	s.Tables = []results.Table{table}
	if len(chart.Categories) > 0 {
		s.Charts = []results.Chart{chart}
	}
	if len(all) > 1 {
		overhead := all[1].worker - all[0].worker
		s.Add("throughput.timing_overhead", results.Nanoseconds, results.Lower, overhead)
		s.Notes = append(s.Notes, results.Note{Level: results.Info, Text: fmt.Sprintf(
			"To draw an operation takes the generator %.1f ns, and to time one adds %.1f ns: wherever latencies are shown, they hold that much of the tool itself.", all[0].worker, overhead)})
	}
	return s
}
