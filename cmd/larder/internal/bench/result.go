package bench

import (
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Result is what one strategy did. What the run did not come to is zero.
type Result struct {
	Strategy   string      `json:"strategy"`
	Complete   bool        `json:"complete"`
	Latency    LatencyPass `json:"latency"`
	Throughput Throughput  `json:"throughput"`
	// StaleReads are the reads, in all passes and the warm-up, of a version
	// that was older than one acknowledged before the read began.
	StaleReads   int64  `json:"stale_reads"`
	ReadsChecked int64  `json:"reads_checked"`
	Failed       int64  `json:"failed_operations"`
	FirstError   string `json:"first_error,omitempty"`
}

// LatencyPass is the open loop: operations are begun when they are due.
type LatencyPass struct {
	Planned   int           `json:"planned_operations"`
	Done      int64         `json:"operations"`
	Took      time.Duration `json:"took_ns"`
	PerSecond float64       `json:"per_second"`
	// Late is by how much the last operation began after it was due.
	Late time.Duration `json:"last_start_late_ns"`
	// Lag is how late idle workers were woken: the error of the generator.
	Lag    latency.Summary `json:"generator_lag"`
	Get    Times           `json:"get"`
	Write  Times           `json:"write"`
	InvTag Times           `json:"invtag"`

	// Hits are the gets that caused no read of the database.
	Hits     int64       `json:"hits"`
	HitRatio float64     `json:"hit_ratio"`
	Database simdb.Stats `json:"database"`
	// Avoided are the queries that the database was spared: without a cache,
	// each operation is one.
	Avoided      int64   `json:"db_queries_avoided"`
	AvoidedRatio float64 `json:"db_queries_avoided_ratio"`
}

// Times are the latencies of one kind of operation, measured in both ways.
type Times struct {
	Planned latency.Summary `json:"from_planned_start"`
	Service latency.Summary `json:"service"`
}

// Throughput is the closed loop: every worker does one operation after the
// other.
type Throughput struct {
	Done      int64         `json:"operations"`
	Took      time.Duration `json:"took_ns"`
	PerSecond float64       `json:"per_second"`
}

// overload is by how much the last operation of a pass may begin late.
const overload = 50 * time.Millisecond

// Overloaded reports whether the strategy could not keep up with the rate.
func (p *LatencyPass) Overloaded() bool { return p.Late > overload }

// sluggish is the lag from which the generator is no good.
const sluggish = 5 * time.Millisecond

// GeneratorSaturated reports whether the operations of idle workers were begun
// so late that the latencies say more about the generator than the strategy.
func (p *LatencyPass) GeneratorSaturated() bool { return p.Lag.P99 > sluggish }

func (p *LatencyPass) fill(c *clocks, t *tallies, db simdb.Stats) {
	times := func(k workload.Kind) Times { return Times{c.planned[k].Summary(), c.service[k].Summary()} }
	p.Get, p.Write, p.InvTag = times(workload.Get), times(workload.Write), times(workload.InvalidateTag)
	p.Lag = c.lag.Summary()
	p.Database = db
	p.Done = t.all()
	p.PerSecond = rate(p.Done, p.Took)
	if gets := t.done(workload.Get); gets > 0 {
		p.Hits = max(gets-db.Reads, 0)
		p.HitRatio = float64(p.Hits) / float64(gets)
	}
	if p.Done > 0 {
		p.Avoided = p.Done - db.Queries()
		p.AvoidedRatio = float64(p.Avoided) / float64(p.Done)
	}
}

func rate(n int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}
