package outage

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Text writes the report for people.
func (r *Report) Text(w io.Writer) {
	c := r.Config
	fmt.Fprintf(w, "server       Redis %s, started for this run, behind a proxy that is cut off at will\n", r.Redis)
	fmt.Fprintf(w, "reads        %d goroutines through the cache and %d without, each %.0f reads/s, of %d keys (zipf %v); seed %d\n",
		c.Readers, c.Readers, c.Rate, c.Keys, c.Zipf, c.Seed)
	fmt.Fprintf(w, "origin       simulated: %v to %v, whatever the load\n", c.Latency-c.Spread, c.Latency+c.Spread)
	for i := range r.Results {
		r.Results[i].text(w)
	}
	fmt.Fprintln(w)
	for _, b := range r.Broken {
		fmt.Fprintln(w, "LIMIT BROKEN:", b)
	}
	if len(r.Broken) == 0 {
		fmt.Fprintln(w, "All limits held.")
	}
}

func (r *Result) text(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %d invalidations were acknowledged, %d gave an error\n", r.Strategy, r.Acknowledged, r.NotAcknowledged)
	fmt.Fprintf(w, "timers fired %s late at p50 and %s at p99\n", brief(r.Lateness.P50), brief(r.Lateness.P99))
	if r.Lateness.P99 > busy {
		fmt.Fprintln(w, "THE MACHINE WAS BUSY: what took how long says more about that than about the cache.")
	}
	if r.FirstError != "" {
		fmt.Fprintln(w, "the first error of a read:", r.FirstError)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tfor\treads\tavailable\tstale\thits\tunasked\tloads/s\tp50\tp99\tmax\torigin p99\tno Redis p99\trecovery\t")
	for i := range r.Phases {
		p := &r.Phases[i]
		a := &p.All
		fmt.Fprintf(t, "%-10s\t%.1f s\t%d\t%s\t%d\t%.1f%%\t%.1f%%\t%.0f\t%s\t%s\t%s\t%s\t%s\t%s\t\n", p.name(), (p.End - p.Begin).Seconds(),
			a.Reads.Count, percent(a.Lost, a.Reads.Count), a.Stale, 100*a.HitRatio(), 100*part(a.Unasked, a.Reads.Count),
			float64(a.Loads)/(p.End-p.Begin).Seconds(),
			brief(a.Reads.P50), brief(a.Reads.P99), brief(a.Reads.Max), brief(a.Origin.P99), brief(a.Control.P99), p.recovery())
	}
	t.Flush()
	fmt.Fprintf(w, "\np99 of reads in the first %v of a fault, and after them\n", opening)
	fmt.Fprintln(t, "\treads\tbefore\tno Redis\tlimit\treads\tafter\tno Redis\tlimit\t")
	for i := range r.Phases {
		p := &r.Phases[i]
		if p.Fault == "" {
			continue
		}
		fmt.Fprintf(t, "%-10s\t%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t\n", p.name(),
			p.Before.Reads.Count, brief(p.Before.Reads.P99), brief(p.Before.Control.P99), brief(p.Before.Control.P99+Before),
			p.After.Reads.Count, brief(p.After.Reads.P99), brief(p.After.Control.P99), brief(p.After.Control.P99+After))
	}
	t.Flush()
}

// busy is how late timers are, at p99, on a machine that has too much to do for a
// p99 to be of the cache.
const busy = 3 * time.Millisecond

func (p *Phase) name() string {
	if p.Fault == "" {
		return "healthy"
	}
	return p.Fault
}

func (p *Phase) recovery() string {
	switch {
	case p.Fault == "":
		return ""
	case !p.Recovered:
		return "never"
	}
	return brief(p.Recovery)
}

// percent writes the availability so that 100 % means that nothing was lost.
func percent(lost, of int) string {
	if lost == 0 {
		return "100%"
	}
	return fmt.Sprintf("%.3f%%", min(100*(1-part(lost, of)), 99.999))
}

// brief returns d with three digits.
func brief(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}
