package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// header writes what is known before the strategies are measured.
func (r *Report) header(w io.Writer) {
	fmt.Fprintf(w, "environment  %s\n", r.Environment)
	fmt.Fprintf(w, "server       %s\n", r.Server)
	c := r.Config
	fmt.Fprintf(w, "workload     %s keys, zipf %v, %s, %d-byte values, groups of %d, seed %d, %d operations recorded (sha256 %.12s)\n",
		results.Amount(float64(c.Keys)), c.Zipf, c.Mix, c.ValueSize, c.GroupSize, c.Seed, r.Sequence.Ops, r.Sequence.SHA256)
	k := r.Calibration
	fmt.Fprintf(w, "database     simulated: %d connections, %v at the median; sleeping %v takes %s here (p99 %s), so it gives %s reads/s\n",
		c.Connections, c.Latency, k.Asked, results.Brief(k.Sleep.P50), results.Brief(k.Sleep.P99), results.Amount(k.Capacity))
	fmt.Fprintf(w, "load         %s ops/s (%s arrivals) on %d workers for the latencies, closed loop for the throughput\n\n",
		results.Amount(r.Rate), c.Arrivals, c.Workers)
}

// Text writes the results for people.
func (r *Report) Text(w io.Writer) {
	r.table(w)
	r.bars(w)
	r.details(w)
	r.verdicts(w)
}

// titles returns the title of the column of names and the names in it, all of
// one width.
func (r *Report) titles() []string {
	titles, width := []string{"strategy"}, 0
	for _, s := range r.Strategies {
		name := s.Strategy
		if !s.Complete {
			name += " (interrupted)"
		}
		titles = append(titles, name)
	}
	for _, t := range titles {
		width = max(width, len(t))
	}
	for i, t := range titles {
		titles[i] = fmt.Sprintf("%-*s", width, t)
	}
	return titles
}

// table writes the comparison.
func (r *Report) table(w io.Writer) {
	t, titles := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight), r.titles()
	fmt.Fprintln(t, titles[0]+"\tthroughput\tp50\tp99\tp99.9\thit ratio\tdb queries avoided\tstale reads\t")
	for i, s := range r.Strategies {
		p := &s.Latency
		fmt.Fprintf(t, "%s\t%s/s\t%s\t%s\t%s\t%.1f%%\t%s (%.1f%%)\t%d\t\n", titles[i+1], results.Amount(s.Throughput.PerSecond),
			results.Brief(p.Get.Planned.P50), results.Brief(p.Get.Planned.P99), results.Brief(p.Get.Planned.P999),
			100*p.HitRatio, results.Amount(float64(p.Avoided)), 100*p.AvoidedRatio, s.StaleReads)
	}
	t.Flush()
	fmt.Fprintln(w, "\nLatencies are those of gets from their planned start, so that waiting for a slow strategy counts.")
}

// details writes how long calls take without any wait before them, and how the
// database fared.
func (r *Report) details(w io.Writer) {
	fmt.Fprintln(w)
	t, titles := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight), r.titles()
	fmt.Fprintln(t, titles[0]+"\tget takes (p50)\twrite takes (p50)\tp99\ttag update takes (p50)\tdb queries\tqueue wait p99\tpeak conns\t")
	for i, s := range r.Strategies {
		p := &s.Latency
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t\n", titles[i+1],
			results.Brief(p.Get.Service.P50), results.Brief(p.Write.Service.P50), results.Brief(p.Write.Service.P99), results.Brief(p.InvTag.Service.P50),
			results.Amount(float64(p.Database.Queries())), results.Brief(p.Database.QueueWait.P99), p.Database.PeakInUse)
	}
	t.Flush()
}

// bars draws the p99 of gets.
func (r *Report) bars(w io.Writer) {
	const width = 50
	var most time.Duration
	for _, s := range r.Strategies {
		most = max(most, s.Latency.Get.Planned.P99)
	}
	if most == 0 {
		return
	}
	fmt.Fprintln(w, "\np99 of gets")
	titles := r.titles()
	for i, s := range r.Strategies {
		p99 := s.Latency.Get.Planned.P99
		fmt.Fprintf(w, "%s  %s %s\n", titles[i+1], strings.Repeat("#", max(1, int(width*p99/most))), results.Brief(p99))
	}
}

// verdicts writes what a reader of the table must know.
func (r *Report) verdicts(w io.Writer) {
	fmt.Fprintln(w)
	var checked int64
	for _, s := range r.Strategies {
		checked += s.ReadsChecked
		p := &s.Latency
		if p.Overloaded() {
			fmt.Fprintf(w, "%s could not keep up with %s ops/s: its last operation began %s late. Lower --rate.\n",
				s.Strategy, results.Amount(r.Rate), results.Brief(p.Late))
		}
		if p.GeneratorSaturated() {
			fmt.Fprintf(w, "%s: the load generator itself was saturated (it woke %s late at p99), so the latencies are too long.\n",
				s.Strategy, results.Brief(p.Lag.P99))
		}
		if s.Failed > 0 {
			fmt.Fprintf(w, "%s: %d operations failed; the first: %s\n", s.Strategy, s.Failed, s.FirstError)
		}
	}
	if n := r.StaleReads(); n > 0 {
		fmt.Fprintf(w, "STALE READS: %d of %d reads gave a version older than one acknowledged before.\n", n, checked)
	} else {
		fmt.Fprintf(w, "%s reads were checked: none was older than what had been acknowledged when it began.\n", results.Amount(float64(checked)))
	}
}
