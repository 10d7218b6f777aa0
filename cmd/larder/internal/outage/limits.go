package outage

import (
	"fmt"
	"time"
)

// The limits that make up the promise.
const (
	// Before is by how much a read may take longer than one without Redis before a
	// breaker has opened: the time that a redisstore waits for Redis, by default.
	Before = budget
	// After is by how much it may take longer afterwards.
	After = time.Millisecond
	// Patience is after how long the hit ratio must be back at 95 % of what it was.
	Patience = 5 * time.Second
	recovery = 0.95
)

// Check puts the limits that did not hold into the report: those of latencies only
// if wanted, as tests run beside others.
func (r *Report) Check(latencies bool) {
	r.Broken = []string{}
	for i := range r.Results {
		for j := range r.Results[i].Phases {
			for _, b := range r.Results[i].Phases[j].broken(latencies, r.Config.patience) {
				r.Broken = append(r.Broken, r.Results[i].Strategy+", "+b)
			}
		}
	}
}

// broken returns what a phase has not kept.
func (p *Phase) broken(latencies bool, patience time.Duration) (broken []string) {
	name := p.Fault
	if name == "" {
		name = "healthy"
	}
	say := func(format string, args ...any) {
		broken = append(broken, fmt.Sprintf("%s at %.1f s: ", name, p.Begin.Seconds())+fmt.Sprintf(format, args...))
	}
	if p.All.Reads.Count == 0 {
		say("nothing was read")
		return broken
	}
	if p.All.Lost > 0 {
		say("%d of %d reads gave an error; all must succeed", p.All.Lost, p.All.Reads.Count)
	}
	if p.All.Stale > 0 {
		say("%d of %d reads were older than an acknowledged invalidation", p.All.Stale, p.All.Reads.Count)
	}
	if p.Fault == "" {
		return broken
	}
	if latencies {
		if limit := p.Before.Control.P99 + Before; p.Before.Reads.P99 > limit {
			say("the p99 of the first %v is %s; it may be %s, without Redis it is %s", opening, brief(p.Before.Reads.P99), brief(limit), brief(p.Before.Control.P99))
		}
		if limit := p.After.Control.P99 + After; p.After.Reads.P99 > limit {
			say("the p99 after the first %v is %s; it may be %s, without Redis it is %s", opening, brief(p.After.Reads.P99), brief(limit), brief(p.After.Control.P99))
		}
	}
	switch {
	case !p.Recovered:
		say("the hit ratio did not come back to %.0f %% of the former %.1f %%", 100*recovery, 100*p.Former)
	case p.Recovery > patience:
		say("the hit ratio took %s to come back to %.0f %% of the former %.1f %%; it may take %v", brief(p.Recovery), 100*recovery, 100*p.Former, patience)
	}
	return broken
}
