package bench

import (
	"fmt"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Section returns the outcome in the form in which it is shown and compared.
func (o *Outcome) Section() *results.Section {
	s := &results.Section{
		Name: "strategies", Title: "Caching strategies",
		Intro: "One recorded sequence of operations is played on each strategy in turn, in front of one simulated database: " +
			"first at a planned rate, where latency counts from the moment at which an operation was due, then as fast as it goes.",
		Facts: o.facts(),
	}
	s.Tables = []results.Table{o.comparison(), o.details()}
	o.charts(s)
	for i := range o.Results {
		o.Results[i].metrics(s)
	}
	o.notes(s)
	return s
}

func (o *Outcome) facts() []results.Fact {
	c, k := o.Config, o.Calibration
	load := fmt.Sprintf("%s ops/s (%s arrivals, %s) on %d workers for the latencies, closed loop for the throughput",
		results.Amount(o.Rate), c.Arrivals, c.Profile, c.Workers)
	if c.Closed {
		load = fmt.Sprintf("closed loop of %d workers, who think %v", c.Workers, c.Think)
	}
	warm := fmt.Sprintf("%s operations", results.Amount(float64(c.WarmUp)))
	if c.WarmUp == Stable {
		warm = "until the hit ratio does not rise any more"
	}
	return []results.Fact{
		{Name: "workload", Value: c.workload(o.seq)},
		{Name: "database", Value: fmt.Sprintf("simulated: %d connections, %v at the median; sleeping %v takes %s here (p99 %s), so it gives %s reads/s",
			c.Connections, c.Latency, k.Asked, results.Brief(k.Sleep.P50), results.Brief(k.Sleep.P99), results.Amount(k.Capacity))},
		{Name: "load", Value: load},
		{Name: "warm-up", Value: warm},
		{Name: "memory", Value: fmt.Sprintf("%s entries", results.Amount(float64(c.Capacity)))},
	}
}

func (r *Result) title() string {
	if !r.Complete {
		return r.Strategy + " (interrupted)"
	}
	return r.Strategy
}

// comparison is what most people want to know.
func (o *Outcome) comparison() results.Table {
	t := results.Table{
		Columns: []string{"strategy", "throughput", "p50", "p99", "p99.9", "hit ratio", "db queries avoided", "stale reads"},
		Note:    "Latencies are those of reads from their planned start, so that waiting for a slow strategy counts.",
	}
	if o.Config.Closed {
		t.Note = "Latencies are those of reads in a closed loop, in which a slow operation keeps others from being begun: they look better than what callers see."
	}
	for i := range o.Results {
		r := &o.Results[i]
		q := r.Latency.reads().planned.Summary()
		t.Rows = append(t.Rows, []string{r.title(), results.PerSecond.Format(r.Throughput.PerSecond),
			results.Brief(q.P50), results.Brief(q.P99), results.Brief(q.P999), results.Ratio.Format(r.Latency.HitRatio),
			fmt.Sprintf("%s (%.1f%%)", results.Amount(float64(r.Latency.Avoided)), 100*r.Latency.AvoidedRatio), fmt.Sprint(r.StaleReads)})
	}
	return t
}

// details says how long calls take without any wait before them, and how the
// database fared.
func (o *Outcome) details() results.Table {
	t := results.Table{Columns: []string{"strategy"}}
	kinds := o.kinds()
	for _, k := range kinds {
		t.Columns = append(t.Columns, k.String()+" p50", "p99")
	}
	t.Columns = append(t.Columns, "db queries", "queue wait p99", "peak conns")
	t.Note = "What operations take once they are begun."
	for i := range o.Results {
		r := &o.Results[i]
		row := []string{r.title()}
		for _, k := range kinds {
			q := r.Latency.of(k).service.Summary()
			row = append(row, results.Brief(q.P50), results.Brief(q.P99))
		}
		db := r.Latency.Database
		t.Rows = append(t.Rows, append(row, results.Amount(float64(db.Queries())), results.Brief(db.QueueWait.P99), fmt.Sprint(db.PeakInUse)))
	}
	return t
}

// kinds returns the kinds of operations that there are.
func (o *Outcome) kinds() (kinds []workload.Kind) {
	var seen [workload.Kinds]bool
	for _, op := range o.seq {
		seen[op.Kind] = true
	}
	for k := range workload.Kinds {
		if seen[k] {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// metrics adds the figures of a strategy.
func (r *Result) metrics(s *results.Section) {
	p := &r.Latency
	reads := p.reads()
	quantiles(s, r.Flag, reads.planned)
	quantiles(s, r.Flag+".service", reads.service)
	s.Histograms = append(s.Histograms, results.Histogram{Name: r.Flag, Encoded: reads.planned.Encode()})
	for k := range workload.Kinds {
		if of := p.of(k); of.planned.Count() > 0 {
			name := r.Flag + "." + k.String()
			quantiles(s, name, of.planned)
			quantiles(s, name+".service", of.service)
		}
	}
	s.Add(r.Flag+".throughput", results.PerSecond, results.Higher, r.Throughput.PerSecond)
	s.Add(r.Flag+".hit_ratio", results.Ratio, results.Higher, p.HitRatio)
	s.Add(r.Flag+".avoided", results.Ratio, results.Higher, p.AvoidedRatio)
	s.Add(r.Flag+".stale", results.Count, results.Lower, float64(r.StaleReads))
	s.Add(r.Flag+".failed", results.Count, results.Lower, float64(r.Failed))
	s.Add(r.Flag+".db.queries_per_op", results.Count, results.Lower, p.PerOp)
	s.Add(r.Flag+".db.queue_wait_p99", results.Nanoseconds, results.Lower, float64(p.Database.QueueWait.P99))
	s.Add(r.Flag+".db.peak", results.Count, results.Lower, float64(p.Database.PeakInUse))
}

// quantiles adds the figures of a distribution.
func quantiles(s *results.Section, name string, r latency.Recorder) {
	q := r.Summary()
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"p50", float64(q.P50)}, {"p90", float64(q.P90)}, {"p99", float64(q.P99)}, {"p999", float64(q.P999)},
		{"max", float64(q.Max)}, {"mean", float64(q.Mean)},
	} {
		s.Add(name+"."+f.name, results.Nanoseconds, results.Lower, f.value)
	}
}

// notes says what a reader of the tables must know.
func (o *Outcome) notes(s *results.Section) {
	note := func(level results.Level, format string, args ...any) {
		s.Notes = append(s.Notes, results.Note{Level: level, Text: fmt.Sprintf(format, args...)})
	}
	var checked, stale int64
	for i := range o.Results {
		r := &o.Results[i]
		checked += r.ReadsChecked
		stale += r.StaleReads
		p := &r.Latency
		if p.Overloaded() {
			note(results.Warn, "%s could not keep up with %s ops/s: its last operation began %s late. Lower --rate.",
				r.Strategy, results.Amount(o.Rate), results.Brief(p.late))
		}
		if p.GeneratorSaturated() {
			note(results.Warn, "%s: the load generator itself was saturated (it woke %s late at p99), so the latencies are too long.",
				r.Strategy, results.Brief(p.lag.Summary().P99))
		}
		if r.Failed > 0 {
			note(results.Warn, "%s: %d operations failed; the first: %s", r.Strategy, r.Failed, r.FirstError)
		}
	}
	if stale > 0 {
		note(results.Fail, "STALE READS: %d of %d reads gave a version older than one acknowledged before.", stale, checked)
	} else {
		note(results.Info, "%s reads were checked: none was older than what had been acknowledged when it began.", results.Amount(float64(checked)))
	}
}
