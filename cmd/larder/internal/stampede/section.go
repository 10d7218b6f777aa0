package stampede

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// section makes what was measured into what is shown.
func section(c Config, outcomes []outcome) *results.Section {
	s := &results.Section{
		Name: "stampede", Title: "Stampede: what an expiry costs",
		Intro: "Processes read a value that expires again and again. What it costs is how often the database is asked for it, which should be once, and how long readers wait.",
		Facts: []results.Fact{
			{Name: "readers", Value: fmt.Sprintf("%d goroutines in each of %d processes, %s reads together", c.Goroutines, c.Processes, results.PerSecond.Format(c.Rate))},
			{Name: "values", Value: fmt.Sprintf("%d, fresh for %v, in Redis alone", c.Keys, c.TTL)},
			{Name: "database", Value: fmt.Sprintf("%v a query, %d at once", c.Load, c.Connections)},
		},
	}
	t := results.Table{
		Columns: []string{"", "expiries", "reads", "loads", "loads per expiry", "at most", "waiters p99", "all reads p99", "somebody waited"},
		Note:    "Waiters are reads that found nothing. Somebody waited: per expiry, from the first read that found nothing until the last of them had its answer.",
	}
	var figures []figure
	for i := range outcomes {
		o := &outcomes[i]
		f := o.figures(c)
		figures = append(figures, f)
		t.Rows = append(t.Rows, []string{
			o.way.title, results.Amount(float64(len(o.expiries))), results.Amount(float64(len(o.hits) + len(o.waits))), results.Amount(float64(len(o.loads))),
			results.Amount(f.loads), results.Amount(f.most), results.Brief(f.waits), results.Brief(f.reads), results.Brief(f.window),
		})
		name := "stampede." + o.way.name
		s.Add(name+".loads_per_expiry", results.Count, results.Lower, f.loads)
		s.Add(name+".loads_most", results.Count, results.Lower, f.most)
		s.Add(name+".wait_p99", results.Nanoseconds, results.Lower, float64(f.waits))
		s.Add(name+".read_p99", results.Nanoseconds, results.Lower, float64(f.reads))
		s.Add(name+".miss_window", results.Nanoseconds, results.Lower, float64(f.window))
		s.Notes = append(s.Notes, o.judge(c)...)
	}
	s.Tables = []results.Table{t}
	s.Charts = charts(outcomes, figures)
	s.Notes = append(s.Notes, results.Note{Level: results.Info, Text: "The first way is GET and, after a miss, a query and SET with a TTL. All others are the library: with LockWait off, as it comes, with Policy.Early, and with Policy.Stale. What promises one load may load again when the first takes longer than its lock lives (docs/adr/0012-lock.md)."})
	return s
}

// figure is a way in a few figures.
type figure struct {
	loads, most          float64 // of an expiry
	waits, reads, window time.Duration
}

func (o *outcome) figures(c Config) (f figure) {
	for _, e := range o.expiries {
		f.most = max(f.most, float64(len(e)))
	}
	if n := len(o.expiries); n > 0 {
		f.loads = float64(len(o.loads)) / float64(n)
	}
	waits := make([]int64, len(o.waits))
	for i, w := range o.waits {
		waits[i] = w.Took
	}
	f.waits, f.reads = p99(waits), p99(slices.Concat(waits, o.hits))
	all := windows(o.waits, c.gap())
	for _, w := range all {
		f.window += w / time.Duration(len(all))
	}
	return f
}

// p99 returns the least time that 99 % of all are not above, 0 if there are none.
func p99(all []int64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return time.Duration(all[int(math.Ceil(0.99*float64(len(all))))-1])
}

// bucket is the width of what a timeline counts together.
const bucket = 20 * time.Millisecond

func charts(outcomes []outcome, figures []figure) []results.Chart {
	loads := results.Chart{
		ID: "stampede-loads", Title: "Loads per expiry", Note: "One is what it takes.", Kind: results.Bars,
		Y: results.Axis{Label: "loads per expiry", Unit: results.Count, Scale: results.Log}, Series: []results.Series{{Name: "mean"}, {Name: "most"}},
	}
	waits := results.Chart{
		ID: "stampede-p99", Title: "How long reads take", Note: "Waiters are reads that found nothing; where there is no bar, nobody waited.", Kind: results.Bars,
		Y: results.Axis{Label: "p99", Unit: results.Nanoseconds, Scale: results.Log}, Series: []results.Series{{Name: "waiters"}, {Name: "all reads"}},
	}
	timeline := results.Chart{
		ID: "stampede-timeline", Title: "Loads over time", Note: fmt.Sprintf("Queries that began in each %v, counted from when a way was begun.", bucket), Kind: results.Lines,
		X: results.Axis{Label: "time", Unit: results.Seconds, Scale: results.Linear}, Y: results.Axis{Label: "loads", Unit: results.Count, Scale: results.Linear},
	}
	for i := range outcomes {
		o, f := &outcomes[i], figures[i]
		loads.Categories, waits.Categories = append(loads.Categories, o.way.title), append(waits.Categories, o.way.title)
		for j, y := range []float64{f.loads, f.most} {
			loads.Series[j].Y = append(loads.Series[j].Y, y)
		}
		for j, y := range []time.Duration{f.waits, f.reads} {
			waits.Series[j].Y = append(waits.Series[j].Y, float64(y))
		}
		timeline.Series = append(timeline.Series, o.timeline())
	}
	return []results.Chart{loads, waits, timeline}
}

func (o *outcome) timeline() results.Series {
	s := results.Series{Name: o.way.title, Steps: true, X: make(results.Values, o.took/bucket+1), Y: make(results.Values, o.took/bucket+1)}
	for i := range s.X {
		s.X[i] = (time.Duration(i) * bucket).Seconds()
	}
	for _, l := range o.loads {
		if i := time.Duration(l.begin-o.began) / bucket; int(i) < len(s.Y) {
			s.Y[i]++
		}
	}
	return s
}
