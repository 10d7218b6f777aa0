package tagcost

import (
	"fmt"
	"math"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

func section(c Config, all [][]figures) *results.Section {
	s := &results.Section{
		Name: "tags", Title: "What it costs to invalidate a tag",
		Intro: "Tags that one entry carries, ten, a hundred and so on are invalidated by Larder, which removes one key whatever the number of entries, " +
			"and by a set of members for each tag, all of which are read and removed.",
		Facts: []results.Fact{{Name: "tags", Value: fmt.Sprintf("%d of each size", c.Rounds)}},
	}
	table := results.Table{Columns: []string{"entries, way", "p50", "longest", "another process' memory after", "commands of the server"},
		Note: "From the beginning of the call. Where there is no memory that hears of it, or no count, stands a -."}
	chart := results.Chart{ID: "tags-cost", Title: "Time of an invalidation, by how many entries carry the tag", Kind: results.Lines,
		X: results.Axis{Label: "entries", Unit: results.Count, Scale: results.Log},
		Y: results.Axis{Label: "p50", Unit: results.Nanoseconds, Scale: results.Log}}
	for i, w := range ways {
		line := results.Series{Name: w.title, Dashed: w.name == "naive"}
		for _, f := range all[i] {
			took, heard := f.took.Summary(), f.heard.Summary()
			count := math.NaN()
			if f.commands >= 0 {
				count = f.commands
			}
			table.Rows = append(table.Rows, []string{fmt.Sprintf("%s, %s", results.Amount(float64(f.members)), w.title),
				results.Brief(took.P50), results.Brief(took.Max), results.Brief(heard.P50), results.Count.Format(count)})
			line.X, line.Y = append(line.X, float64(f.members)), append(line.Y, float64(took.P50))
			name := fmt.Sprintf("tags.%s.members_%d", w.name, f.members)
			s.Add(name+".p50", results.Nanoseconds, results.Lower, float64(took.P50))
			s.Add(name+".max", results.Nanoseconds, results.Lower, float64(took.Max))
			if heard.Max > 0 {
				s.Add(name+".heard_p50", results.Nanoseconds, results.Lower, float64(heard.P50))
			}
			if f.commands >= 0 {
				s.Add(name+".commands", results.Count, results.Lower, f.commands)
			}
		}
		if len(line.X) > 0 {
			chart.Series = append(chart.Series, line)
		}
	}
	s.Tables = []results.Table{table}
	s.Charts = []results.Chart{chart}
	if l, n := all[0], all[1]; len(n) > 1 {
		last := len(n) - 1
		s.Notes = append(s.Notes, results.Note{Level: results.Info, Text: fmt.Sprintf(
			"From %d to %s entries an invalidation takes %.1f times as long with Larder, and %.1f times as long with a set. A set that is evicted forgets its members: they stay.",
			n[0].members, results.Amount(float64(n[last].members)), growth(l[0], l[last]), growth(n[0], n[last]))})
	}
	return s
}

func growth(first, last figures) float64 {
	return float64(last.took.Summary().P50) / float64(max(first.took.Summary().P50, 1))
}
