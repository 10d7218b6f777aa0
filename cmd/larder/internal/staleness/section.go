package staleness

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// section makes what was measured into what is shown.
func section(c Config, outcomes []outcome) *results.Section {
	from, to := c.cut()
	s := &results.Section{
		Name: "staleness", Title: "Staleness: how old what is read may be",
		Intro: "Processes with memory in front of Redis read rows that another writes and invalidates. For a while one of them does not hear from Redis, and nobody tells it.",
		Facts: []results.Fact{
			{Name: "processes", Value: fmt.Sprintf("%d that read %d rows every %v, and one that writes %s", c.Processes, c.Keys, pause, results.PerSecond.Format(c.Writes))},
			{Name: "memory", Value: fmt.Sprintf("the library's has a lease of %v, that of the others a TTL of %v", c.Lease, c.TTL)},
			{Name: "fault", Value: fmt.Sprintf("what the last process hears is swallowed for %v", to-from)},
			{Name: "database", Value: fmt.Sprintf("%v a query", c.Load)},
		},
	}
	t := results.Table{
		Columns: []string{"", "writes", "reads", "old after ack", "longest after ack", "replaced at p99", "seen after p50", "p99", "at most", "ack after p50", "p99", "old at the end"},
		Note: "Old after ack: reads that began after an invalidation had returned, and gave what was before it. Replaced: of reads that gave an old row, for how long it had been replaced in the database. " +
			"Seen: from the commit until a process first reads the new row; ack: until the invalidation returns. Old at the end: rows, by process, that were not the newest when nothing had been written for a while.",
	}
	for i := range outcomes {
		o := &outcomes[i]
		f := o.figures()
		t.Rows = append(t.Rows, []string{
			o.way.title, results.Amount(float64(o.writes)), results.Amount(float64(o.Reads)), results.Amount(float64(len(o.Late))), results.Brief(f.late.at(1)),
			results.Brief(f.ages.at(0.99)), results.Brief(f.delays.at(0.5)), results.Brief(f.delays.at(0.99)), results.Brief(f.delays.at(1)),
			results.Brief(f.acks.at(0.5)), results.Brief(f.acks.at(0.99)), results.Amount(float64(o.Old)),
		})
		o.metrics(s, c, f)
		s.Notes = append(s.Notes, o.judge(c)...)
	}
	s.Tables = []results.Table{t}
	s.Charts = charts(outcomes)
	s.Notes = append(s.Notes, results.Note{Level: results.Info, Text: fmt.Sprintf(
		"All times are from one clock of this host. A process looks about every %v, which is part of how late it sees. What was not seen until the end counts with the time until then. "+
			"With WaitCoherent an acknowledgement means that no process reads the old row any more; as it comes, the library means that for the process that invalidates and for Redis, and for all others a lease (%v) later. "+
			"DEL and PUBLISH loses what is published while nobody hears it, and its TTL in memory (%v) is all that helps then. It has only its subscription cut; the library has all of its connections cut.", pause, c.Lease, c.TTL)})
	return s
}

// figures are distributions of one way.
type figures struct{ ages, late, delays, acks quantiles }

func (o *outcome) figures() figures {
	over := make([]int64, len(o.Late))
	for i, l := range o.Late {
		over[i] = l.Over
	}
	return figures{sorted(o.Ages), sorted(over), sorted(o.Delays), sorted(o.acks)}
}

// metrics adds the figures of a way.
func (o *outcome) metrics(s *results.Section, c Config, f figures) {
	name := "staleness." + o.way.name + "."
	count := func(n string, x int) { s.Add(name+n, results.Count, results.Lower, float64(x)) }
	took := func(n string, d time.Duration) { s.Add(name+n, results.Nanoseconds, results.Lower, float64(d)) }
	count("after_ack", len(o.Late))
	count("after_lease", o.beyond(int64(c.Lease)))
	took("after_ack_max", f.late.at(1))
	ratio := 0.0
	if o.Reads > 0 {
		ratio = float64(len(o.Ages)) / float64(o.Reads)
	}
	s.Add(name+"stale", results.Ratio, results.Lower, ratio)
	took("stale_p99", f.ages.at(0.99))
	took("stale_max", f.ages.at(1))
	took("propagation_p50", f.delays.at(0.5))
	took("propagation_p99", f.delays.at(0.99))
	took("propagation_max", f.delays.at(1))
	took("invalidate_p50", f.acks.at(0.5))
	took("invalidate_p99", f.acks.at(0.99))
	count("old_at_end", int(o.Old))
	if o.way.coherent {
		// What is asserted of the library.
		s.Add("staleness.after_ack", results.Count, results.Lower, float64(len(o.Late)))
	}
}

// judge returns what a way has promised and not kept.
func (o *outcome) judge(c Config) (notes []results.Note) {
	say := func(level results.Level, format string, args ...any) {
		notes = append(notes, results.Note{Level: level, Text: o.way.title + ": " + fmt.Sprintf(format, args...)})
	}
	if o.failed > 0 {
		say(results.Warn, "%d of %d writes or invalidations gave an error, the first: %s", o.failed, o.writes, o.first)
	}
	if !o.way.library {
		return notes
	}
	if n := len(o.Late); o.way.coherent && n > 0 {
		say(results.Fail, "%d of %d reads gave what was before an acknowledged invalidation", n, o.Reads)
	}
	if n := o.beyond(int64(c.Lease)); n > 0 {
		worst := slices.MaxFunc(o.Late, func(a, b late) int { return cmp.Compare(a.Over, b.Over) })
		say(results.Fail, "%d of %d reads gave what was invalidated, and acknowledged, more than a lease (%v) before; one began %s after that, %.3f s after the begin (the cut was from %.3f s to %.3f s)",
			n, o.Reads, c.Lease, results.Brief(time.Duration(worst.Over)), time.Duration(worst.At-o.began).Seconds(), o.cut[0].Seconds(), o.cut[1].Seconds())
	}
	if o.own > 0 {
		say(results.Fail, "%d times the process that had invalidated a row read the old one", o.own)
	}
	if o.Old > 0 && !o.interrupted {
		say(results.Fail, "%d rows were not the newest in a process when nothing had been written for %v", o.Old, c.drain())
	}
	return notes
}

// quantiles are durations in ascending order.
type quantiles []int64

func sorted(all []int64) quantiles {
	q := slices.Clone(all)
	slices.Sort(q)
	return q
}

// at returns the least of the durations that the part q of all are not above, 0 if there
// are none.
func (q quantiles) at(part float64) time.Duration {
	if len(q) == 0 {
		return 0
	}
	return time.Duration(q[min(max(int(math.Ceil(part*float64(len(q)))), 1), len(q))-1])
}
