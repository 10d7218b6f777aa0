package outage

import (
	"fmt"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// Section makes the report into what is shown. The limits that did not hold, of which
// Check has put a list into the report, are failures.
func (r *Report) Section() *results.Section {
	c := r.Config
	s := &results.Section{
		Name: "outage", Title: "Outage: reads while Redis dies",
		Intro: "Goroutines read through a cache on a real server that is hurt in all ways, and rows are written and invalidated all the while. Others do the same reads without Redis.",
		Facts: []results.Fact{
			{Name: "server", Value: fmt.Sprintf("Redis %s, started for this run, behind a proxy that is cut off at will", r.Redis)},
			{Name: "reads", Value: fmt.Sprintf("%d goroutines through the cache and %d without, each %.0f reads/s, of %d keys (zipf %v); seed %d",
				c.Readers, c.Readers, c.Rate, c.Keys, c.Zipf, c.Seed)},
			{Name: "origin", Value: fmt.Sprintf("simulated: %v to %v, whatever the load", c.Latency-c.Spread, c.Latency+c.Spread)},
		},
	}
	for i := range r.Results {
		one := &r.Results[i]
		s.Tables = append(s.Tables, one.phases(), one.halves())
		one.notes(s)
		one.metrics(s, c.patience)
		s.Charts = append(s.Charts, one.charts()...)
	}
	for _, b := range r.Broken {
		s.Notes = append(s.Notes, results.Note{Level: results.Fail, Text: "LIMIT BROKEN: " + b})
	}
	if len(r.Broken) == 0 {
		s.Notes = append(s.Notes, results.Note{Level: results.Info, Text: "All limits held."})
	}
	return s
}

func (r *Result) phases() results.Table {
	t := results.Table{
		Title:   fmt.Sprintf("%s: %d invalidations were acknowledged, %d gave an error", r.Strategy, r.Acknowledged, r.NotAcknowledged),
		Columns: []string{"", "for", "reads", "available", "stale", "hits", "unasked", "loads/s", "p50", "p99", "max", "origin p99", "no Redis p99", "recovery"},
	}
	for i := range r.Phases {
		p := &r.Phases[i]
		a := &p.All
		t.Rows = append(t.Rows, []string{
			p.name(), fmt.Sprintf("%.1f s", (p.End - p.Begin).Seconds()), fmt.Sprint(a.Reads.Count), percent(a.Lost, a.Reads.Count), fmt.Sprint(a.Stale),
			results.Ratio.Format(a.HitRatio()), results.Ratio.Format(part(a.Unasked, a.Reads.Count)), fmt.Sprintf("%.0f", float64(a.Loads)/(p.End-p.Begin).Seconds()),
			brief(a.Reads.P50), brief(a.Reads.P99), brief(a.Reads.Max), brief(a.Origin.P99), brief(a.Control.P99), p.recovery(),
		})
	}
	return t
}

func (r *Result) halves() results.Table {
	t := results.Table{
		Title:   fmt.Sprintf("p99 of reads in the first %v of a fault, and after them", opening),
		Columns: []string{"", "reads", "before", "no Redis", "limit", "reads", "after", "no Redis", "limit"},
	}
	for i := range r.Phases {
		p := &r.Phases[i]
		if p.Fault == "" {
			continue
		}
		t.Rows = append(t.Rows, []string{
			p.name(), fmt.Sprint(p.Before.Reads.Count), brief(p.Before.Reads.P99), brief(p.Before.Control.P99), brief(p.Before.Control.P99 + Before),
			fmt.Sprint(p.After.Reads.Count), brief(p.After.Reads.P99), brief(p.After.Control.P99), brief(p.After.Control.P99 + After),
		})
	}
	return t
}

// busy is how late timers are, at p99, on a machine that has too much to do for a
// p99 to be of the cache.
const busy = 3 * time.Millisecond

func (r *Result) notes(s *results.Section) {
	say := func(level results.Level, format string, args ...any) {
		s.Notes = append(s.Notes, results.Note{Level: level, Text: r.Strategy + ": " + fmt.Sprintf(format, args...)})
	}
	say(results.Info, "timers fired %s late at p50 and %s at p99", brief(r.Lateness.P50), brief(r.Lateness.P99))
	if r.Lateness.P99 > busy {
		say(results.Warn, "THE MACHINE WAS BUSY: what took how long says more about that than about the cache.")
	}
	if r.FirstError != "" {
		say(results.Warn, "the first error of a read: %s", r.FirstError)
	}
}

// metrics adds the worst of all phases, and figures of each fault.
func (r *Result) metrics(s *results.Section, patience time.Duration) {
	name := "outage." + r.Strategy + "."
	var reads, lost, stale, healthy, hits int
	var first, after, recovery time.Duration
	faults := &results.Section{}
	for i := range r.Phases {
		p := &r.Phases[i]
		reads, lost, stale = reads+p.All.Reads.Count, lost+p.All.Lost, stale+p.All.Stale
		if p.Fault == "" {
			healthy, hits = healthy+p.All.Reads.Count, hits+p.All.Hits
			continue
		}
		took := p.Recovery
		if !p.Recovered {
			took = patience
		}
		first, after, recovery = max(first, p.Before.Reads.P99), max(after, p.After.Reads.P99), max(recovery, took)
		of := name + p.Fault + "."
		faults.Add(of+"availability", results.Ratio, results.Higher, p.All.Availability())
		faults.Add(of+"p99_first", results.Nanoseconds, results.Lower, float64(p.Before.Reads.P99))
		faults.Add(of+"p99_after", results.Nanoseconds, results.Lower, float64(p.After.Reads.P99))
		faults.Add(of+"recovery", results.Nanoseconds, results.Lower, float64(took))
	}
	spike := 0.0
	for _, x := range r.Timeline.Loads {
		spike = max(spike, x)
	}
	s.Add(name+"availability", results.Ratio, results.Higher, 1-part(lost, reads))
	s.Add(name+"stale", results.Count, results.Lower, float64(stale))
	s.Add(name+"hit_ratio", results.Ratio, results.Higher, part(hits, healthy))
	s.Add(name+"p99_first", results.Nanoseconds, results.Lower, float64(first))
	s.Add(name+"p99_after", results.Nanoseconds, results.Lower, float64(after))
	s.Add(name+"recovery", results.Nanoseconds, results.Lower, float64(recovery))
	s.Add(name+"loads_peak", results.PerSecond, results.Lower, spike)
	s.Metrics = append(s.Metrics, faults.Metrics...)
}

// charts are timelines in which the faults are shaded.
func (r *Result) charts() []results.Chart {
	var bands []results.Band
	for _, p := range r.Phases {
		if p.Fault != "" {
			bands = append(bands, results.Band{From: p.Begin.Seconds(), To: p.End.Seconds(), Label: p.Fault})
		}
	}
	x := make(results.Values, len(r.Timeline.Loads))
	for i := range x {
		x[i] = (time.Duration(i) * step).Seconds()
	}
	chart := func(id, title, label string, unit results.Unit, scale results.Scale, series ...results.Series) results.Chart {
		for i := range series {
			series[i].X, series[i].Steps = x, true
		}
		return results.Chart{
			ID: "outage-" + r.Strategy + "-" + id, Title: title + ", " + r.Strategy, Note: fmt.Sprintf("Of each %v. Shaded is when Redis was hurt, and how.", step), Kind: results.Lines,
			X: results.Axis{Label: "time", Unit: results.Seconds, Scale: results.Linear}, Y: results.Axis{Label: label, Unit: unit, Scale: scale},
			Series: series, Bands: bands,
		}
	}
	return []results.Chart{
		chart("p99", "Latency of reads", "p99", results.Nanoseconds, results.Log,
			results.Series{Name: "through the cache", Y: r.Timeline.P99}, results.Series{Name: "without Redis", Y: r.Timeline.Control, Dashed: true}),
		chart("hits", "Hit ratio", "hits", results.Ratio, results.Linear, results.Series{Name: "hits", Y: r.Timeline.HitRatio}),
		chart("loads", "Loads of the origin", "loads", results.PerSecond, results.Linear, results.Series{Name: "loads", Y: r.Timeline.Loads}),
	}
}
