package bench

import (
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// Result is what one strategy gave.
type Result struct {
	Strategy string // in tables
	Flag     string // in names of metrics
	Complete bool   // false if the run was interrupted
	Latency  LatencyPass
	// Throughput is the closed loop: every worker does one operation after the other.
	Throughput struct {
		Done      int64
		PerSecond float64
	}
	// StaleReads are the reads, in all passes and the warm-up, of a version
	// that was older than one acknowledged before the read began.
	StaleReads   int64
	ReadsChecked int64
	Failed       int64
	FirstError   string
	WarmedUp     int // operations
}

// LatencyPass is the pass in which operations are timed: begun when they are due or, in
// a closed loop, when the one before has ended.
type LatencyPass struct {
	timed
	Planned   int
	Done      int64
	PerSecond float64
	moments   []moment

	// Hits are the rows that were asked for and not read from the database.
	Hits     int64
	HitRatio float64
	Database simdb.Stats
	// Avoided are the queries that the database was spared: without a cache,
	// each operation is one.
	Avoided      int64
	AvoidedRatio float64
	PerOp        float64 // queries of the database for each operation
}

// overload is by how much the last operation of a pass may begin late.
const overload = 50 * time.Millisecond

// Overloaded reports whether the strategy could not keep up with the rate.
func (p *LatencyPass) Overloaded() bool { return p.late > overload }

// sluggish is the lag from which the generator is no good.
const sluggish = 5 * time.Millisecond

// GeneratorSaturated reports whether the operations of idle workers were begun
// so late that the latencies say more about the generator than the strategy.
func (p *LatencyPass) GeneratorSaturated() bool { return p.lag.Summary().P99 > sluggish }

func (p *LatencyPass) fill(t *tallies, db simdb.Stats) {
	p.Database = db
	p.Done = t.all()
	p.PerSecond = perSecond(p.Done, p.took)
	if rows := t.rows(); rows > 0 {
		p.Hits = max(rows-db.RowsRead, 0)
		p.HitRatio = float64(p.Hits) / float64(rows)
	}
	if without := t.queries(); without > 0 {
		p.Avoided = without - db.Queries()
		p.AvoidedRatio = float64(p.Avoided) / float64(without)
		p.PerOp = float64(db.Queries()) / float64(p.Done)
	}
}

func perSecond(n int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(n) / took.Seconds()
}
