package outage

import "time"

// Report is what a run has measured.
type Report struct {
	Config  Config
	Redis   string
	Results []Result
	// Broken are the limits that did not hold.
	Broken []string
}

func newReport(c Config) *Report { return &Report{Config: c} }

// Result is that of a strategy.
type Result struct {
	Strategy string
	Phases   []Phase
	// Acknowledged is how many invalidations have returned nil, NotAcknowledged how
	// many an error.
	Acknowledged    int64
	NotAcknowledged int64
	// Lateness is by how much calls of the origin took longer than they were to:
	// what the machine, and who else is on it, adds to whatever waits.
	Lateness Times
	// Timeline is how all of it went.
	Timeline Timeline
	// FirstError is of a read.
	FirstError string
}

// Phase is what was measured while a fault was there, or none.
type Phase struct {
	Fault string // "" is a healthy phase
	Begin time.Duration
	End   time.Duration
	All   Part
	// Before is the first half of a second of a fault, in which a breaker may open,
	// After the rest. A healthy phase has neither.
	Before *Part
	After  *Part
	// Recovery is how long after the end of a fault the hit ratio was back at 95 %
	// of Former, which it had before the fault. Recovered is whether it was, within
	// Patience or the healthy phase, whichever is longer.
	Former    float64
	Recovery  time.Duration
	Recovered bool
}

// Part is what was measured of the reads that began in a time.
type Part struct {
	Reads Times
	Lost  int // gave an error
	Stale int // gave what they must not
	// Hits is how many were answered from the cache, Unasked how many could not ask
	// it.
	Hits    int
	Unasked int
	// Control is of the reads beside them that have no Redis at all.
	Control Times
	// Origin is of the calls of the origin, from both.
	Origin Times
	// Loads is how many of them were for the reads.
	Loads int
}

// Times is a distribution.
type Times struct {
	Count int
	P50   time.Duration
	P99   time.Duration
	Max   time.Duration
}

func timesOf(all []time.Duration) Times {
	t := sorted(all)
	return Times{len(t), t.at(0.5), t.at(0.99), t.at(1)}
}

// Availability returns the part of the reads that gave no error.
func (p *Part) Availability() float64 { return 1 - part(p.Lost, p.Reads.Count) }

// HitRatio returns the part of the reads that the cache has answered.
func (p *Part) HitRatio() float64 { return part(p.Hits, p.Reads.Count) }

func part(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// measurement is what has been seen of a strategy.
type measurement struct {
	phases            []phase
	samples, controls []sample
	calls             []call
	hits              *buckets
}

func (m *measurement) result(strategy string) Result {
	r := Result{Strategy: strategy, Timeline: m.timeline()}
	late := make([]time.Duration, len(m.calls))
	for i, c := range m.calls {
		late[i] = c.late
	}
	r.Lateness = timesOf(late)
	for i, p := range m.phases {
		out := Phase{Begin: p.begin, End: p.end, All: m.part(p.begin, p.end)}
		if p.fault != nil {
			out.Fault = p.fault.name
			opened := min(p.begin+opening, p.end)
			before, after := m.part(p.begin, opened), m.part(opened, p.end)
			out.Before, out.After = &before, &after
		}
		// The schedule begins with a healthy phase, and ends with one.
		if p.fault != nil && i+1 < len(m.phases) {
			out.Former = p.former
			out.Recovery, out.Recovered = m.hits.recovered(p.end, m.phases[i+1].end, recovery*out.Former)
		}
		r.Phases = append(r.Phases, out)
	}
	return r
}

// part returns what began from one time until before another.
func (m *measurement) part(from, to time.Duration) (p Part) {
	within := func(at time.Duration) bool { return from <= at && at < to }
	var reads, control, origin []time.Duration
	for _, s := range m.samples {
		if !within(s.at) {
			continue
		}
		reads = append(reads, s.took)
		p.Lost += number(s.lost)
		p.Stale += number(s.stale)
		p.Hits += number(s.hit)
		p.Unasked += number(s.failed)
	}
	for _, s := range m.controls {
		if within(s.at) {
			control = append(control, s.took)
		}
	}
	for _, c := range m.calls {
		if within(c.at) {
			origin = append(origin, c.took)
			p.Loads += number(!c.control)
		}
	}
	p.Reads, p.Control, p.Origin = timesOf(reads), timesOf(control), timesOf(origin)
	return p
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
