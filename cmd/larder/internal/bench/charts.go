package bench

import (
	"math"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// parts is how many points a line over time has.
const parts = 40

// charts adds the pictures.
func (o *Outcome) charts(s *results.Section) {
	s.Charts = append(s.Charts, o.latencies(), o.quantiles(), o.overTime(), o.hitsOverTime(), o.databaseOverTime(), o.throughput())
	if heat := o.heat(); heat != nil {
		s.Charts = append(s.Charts, *heat)
	}
}

func (o *Outcome) names() (names []string) {
	for i := range o.Results {
		names = append(names, o.Results[i].Strategy)
	}
	return names
}

func (o *Outcome) latencies() results.Chart {
	c := results.Chart{
		ID: "strategies-latency", Title: "Latency of reads", Kind: results.Bars, Categories: o.names(),
		Note:   "From the planned start. The scale is logarithmic: each step is ten times as long.",
		Y:      results.Axis{Label: "latency", Unit: results.Nanoseconds, Scale: results.Log},
		Series: []results.Series{{Name: "p99"}, {Name: "p50"}, {Name: "p99.9"}},
	}
	for i := range o.Results {
		q := o.Results[i].Latency.reads().planned.Summary()
		for j, d := range []time.Duration{q.P99, q.P50, q.P999} {
			c.Series[j].Y = append(c.Series[j].Y, float64(d))
		}
	}
	return c
}

// shares are the quantiles that a curve goes through.
func shares() (q []float64) {
	for nines := 0.0; nines <= 4; nines += 0.05 {
		q = append(q, 1-math.Pow(10, -nines))
	}
	return q
}

func (o *Outcome) quantiles() results.Chart {
	c := results.Chart{
		ID: "strategies-quantiles", Title: "Latency of reads, by how many are faster", Kind: results.Lines,
		Note: "99% on the X axis: one read in a hundred takes longer than the curve is high there.",
		X:    results.Axis{Label: "part of the reads", Unit: results.Ratio, Scale: results.Nines},
		Y:    results.Axis{Label: "latency", Unit: results.Nanoseconds, Scale: results.Log},
	}
	for i := range o.Results {
		planned := o.Results[i].Latency.reads().planned
		s := results.Series{Name: o.Results[i].Strategy}
		for _, q := range shares() {
			// Beyond the last sample a quantile says nothing.
			if n := planned.Count(); n == 0 || (1-q)*float64(n) < 1 {
				break
			}
			s.X = append(s.X, q)
			s.Y = append(s.Y, float64(planned.At(q)))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func (o *Outcome) overTime() results.Chart {
	c := results.Chart{
		ID: "strategies-timeline", Title: "p99 of reads over time", Kind: results.Lines,
		X: results.Axis{Label: "time", Unit: results.Seconds, Scale: results.Linear},
		Y: results.Axis{Label: "p99", Unit: results.Nanoseconds, Scale: results.Log},
	}
	for i := range o.Results {
		s := results.Series{Name: o.Results[i].Strategy}
		o.Results[i].Latency.spans(parts, func(at time.Duration, reads latency.Recorder) {
			y := math.NaN()
			if reads.Count() > 0 {
				y = float64(reads.Summary().P99)
			}
			s.X, s.Y = append(s.X, at.Seconds()), append(s.Y, y)
		})
		c.Series = append(c.Series, s)
	}
	return c
}

// line draws what happens between two moments.
func (o *Outcome) line(c results.Chart, between func(before, now moment) float64) results.Chart {
	c.Kind = results.Lines
	c.X = results.Axis{Label: "time", Unit: results.Seconds, Scale: results.Linear}
	for i := range o.Results {
		s := results.Series{Name: o.Results[i].Strategy}
		m := o.Results[i].Latency.moments
		for j := 1; j < len(m); j++ {
			s.X, s.Y = append(s.X, m[j].at.Seconds()), append(s.Y, between(m[j-1], m[j]))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

func (o *Outcome) hitsOverTime() results.Chart {
	return o.line(results.Chart{
		ID: "strategies-hits", Title: "Hit ratio over time", Note: "Rows that were asked for and not read from the database.",
		Y: results.Axis{Label: "hit ratio", Unit: results.Ratio, Scale: results.Linear},
	}, func(before, now moment) float64 {
		if ratio, ok := now.hitRatio(before); ok {
			return ratio
		}
		return math.NaN()
	})
}

func (o *Outcome) databaseOverTime() results.Chart {
	return o.line(results.Chart{
		ID: "strategies-database", Title: "Queries of the database over time",
		Y: results.Axis{Label: "queries", Unit: results.PerSecond, Scale: results.Linear},
	}, func(before, now moment) float64 { return perSecond(now.queries-before.queries, now.at-before.at) })
}

func (o *Outcome) throughput() results.Chart {
	c := results.Chart{
		ID: "strategies-throughput", Title: "Most operations a second", Kind: results.Bars, Categories: o.names(),
		Y: results.Axis{Label: "operations", Unit: results.PerSecond, Scale: results.Linear}, Series: []results.Series{{Name: "throughput"}},
	}
	for i := range o.Results {
		c.Series[0].Y = append(c.Series[0].Y, o.Results[i].Throughput.PerSecond)
	}
	return c
}

// heatOf is the strategy of which all latencies are drawn.
const heatOf = "aside"

// heat is the latencies of one strategy, those of callers who have memory over Redis if
// they are there.
func (o *Outcome) heat() *results.Chart {
	var r *Result
	for i := range o.Results {
		if r == nil || o.Results[i].Flag == heatOf {
			r = &o.Results[i]
		}
	}
	if r == nil || len(r.Latency.samples) == 0 || r.Latency.took <= 0 {
		return nil
	}
	const perDecade, decades = 6, 7 // from a microsecond to ten seconds
	h := &results.Heat{}
	width := r.Latency.took.Seconds() / parts
	for i := range parts + 1 {
		h.X = append(h.X, float64(i)*width)
	}
	for i := range perDecade*decades + 1 {
		h.Y = append(h.Y, 1e3*math.Pow(10, float64(i)/perDecade))
	}
	h.Count = make([][]float64, parts)
	for i := range h.Count {
		h.Count[i] = make([]float64, perDecade*decades)
	}
	for i := range r.Latency.samples {
		s := &r.Latency.samples[i]
		if !s.done || !s.kind.Reads() {
			continue
		}
		column := min(max(int(s.due.Seconds()/width), 0), parts-1)
		row := int(math.Log10(max(float64(s.planned), 1)/1e3) * perDecade)
		h.Count[column][min(max(row, 0), perDecade*decades-1)]++
	}
	return &results.Chart{
		ID: "strategies-heat", Title: "All reads of " + r.Strategy, Kind: results.HeatMap, Heat: h,
		Note: "Each cell is as dark as there were reads of that latency at that time.",
		X:    results.Axis{Label: "time", Unit: results.Seconds, Scale: results.Linear},
		Y:    results.Axis{Label: "latency", Unit: results.Nanoseconds, Scale: results.Log},
	}
}
