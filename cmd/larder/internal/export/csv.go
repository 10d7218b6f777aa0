package export

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"

	"github.com/larder-cache/larder/cmd/larder/internal/report"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// Metrics returns the samples of all metrics as CSV with the columns name, unit, better,
// repetition (from 1) and value; of several documents, with their labels in front.
func Metrics(sources ...report.Source) []byte {
	head := []string{"name", "unit", "better", "repetition", "value"}
	if len(sources) > 1 {
		head = append([]string{"document"}, head...)
	}
	rows := [][]string{head}
	for _, source := range sources {
		for _, s := range source.Sections {
			for _, m := range s.Metrics {
				for i, v := range m.Samples {
					row := []string{m.Name, string(m.Unit), string(m.Better), strconv.Itoa(i + 1), number(v)}
					if len(sources) > 1 {
						row = append([]string{source.Label}, row...)
					}
					rows = append(rows, row)
				}
			}
		}
	}
	return table(rows)
}

// Chart returns the data of a chart as CSV: series,x,y for lines, category,series,y for
// bars, and x,y,count with the lower edges for heat maps. A gap is an empty value.
func Chart(c *results.Chart) []byte {
	var rows [][]string
	switch c.Kind {
	case results.HeatMap:
		rows = append(rows, []string{"x", "y", "count"})
		for i, column := range c.Heat.Count {
			for j, n := range column {
				if n != 0 {
					rows = append(rows, []string{number(c.Heat.X[i]), number(c.Heat.Y[j]), number(n)})
				}
			}
		}
	case results.Bars:
		rows = append(rows, []string{"category", "series", "y"})
		for i, name := range c.Categories {
			for _, s := range c.Series {
				rows = append(rows, []string{name, s.Name, number(s.Y[i])})
			}
		}
	default:
		rows = append(rows, []string{"series", "x", "y"})
		for _, s := range c.Series {
			for i := range s.X {
				rows = append(rows, []string{s.Name, number(s.X[i]), number(s.Y[i])})
			}
		}
	}
	return table(rows)
}

func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func table(rows [][]string) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.WriteAll(rows) // a buffer takes all
	return out.Bytes()
}
