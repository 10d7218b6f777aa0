package bench

import (
	"fmt"
	"math"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Config is what a run does.
type Config struct {
	Seed       uint64
	Keys       int
	GroupSize  int // rows that share a tag
	Popularity workload.Popularity
	Mix        workload.Mix
	Batch      int // rows that a GetMany reads
	// Trace is replayed in its own order, instead of a sequence that is drawn from
	// Popularity and Mix. Its rows are below Keys.
	Trace     workload.Sequence
	TraceName string

	Ops      int           // of each pass; 0: as many as fit in Duration
	Duration time.Duration // of each latency pass
	WarmUp   int           // operations before the passes, or Stable
	Workers  int
	Closed   bool          // the latency pass waits for each operation before the next
	Think    time.Duration // of each worker between two operations of a closed loop
	Rate     float64       // planned operations a second; 0: see PlannedRate
	Arrivals workload.Arrivals
	Profile  workload.Profile

	ValueSize    workload.Dist // bytes of a row's text
	Compressible float64       // part of it, from 0 to 1
	KeySize      int           // least bytes of a key's text in Redis
	Capacity     int           // entries of L1
	TTL          workload.Dist // nanoseconds

	Connections int           // of the database
	Latency     time.Duration // of the database, at the median
}

// Stable as a WarmUp lasts until the hit ratio does not rise any more.
const Stable = -1

// Default returns the configuration of a run without flags. Values live for no longer
// than a pass takes, so that what happens when they expire is seen.
func Default() Config {
	return Config{
		Seed: 1, Keys: 10_000, GroupSize: 10, Popularity: workload.Popularity{Shape: workload.Zipfian, Skew: 0.99},
		Mix: workload.Mix{94, 4, 2}, Batch: 10,
		Duration: 2 * time.Second, WarmUp: 4000, Workers: 64, Arrivals: workload.Poisson,
		ValueSize: workload.Fixed(256, "256"), Compressible: 0.5, Capacity: 10_000, TTL: workload.Fixed(2e9, "2s"),
		Connections: 16, Latency: 2 * time.Millisecond,
	}
}

// Quick returns a configuration for a first look.
func Quick() Config {
	c := Default()
	c.Duration, c.WarmUp = 250*time.Millisecond, 1500
	return c
}

const (
	// MaxOps bounds the operations of a pass.
	MaxOps = 10_000_000
	// MaxText bounds the bytes of a row's text.
	MaxText = 16 << 20
	// share is the part of the database's nominal capacity that is asked for by
	// default: a database without a cache can sustain that.
	share = 0.5
	// sharedLoad is the same with a server inside the process, which takes the
	// processors from those who ask it.
	sharedLoad = 0.25
	// spread is the standard deviation of the logarithm of the database's latency:
	// its p99 is 2.5 times its median.
	spread = 0.4
	// recording is the least number of operations that are recorded. It does not
	// depend on the machine, so that the digest does not either.
	recording = 100_000
)

// PlannedRate returns the rate, or without one a part of what the database could do if
// the machine's timers were exact. It does not depend on the machine, so that runs can
// be compared.
func (c Config) PlannedRate(embedded bool) float64 {
	if c.Rate > 0 {
		return c.Rate
	}
	part := share
	if embedded {
		part = sharedLoad
	}
	return round(part * float64(c.Connections) / c.Latency.Seconds())
}

// round returns x with two digits, rounded down.
func round(x float64) float64 {
	if x <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Floor(x/unit+1e-9) * unit
}

// Rows returns how many rows the database needs for a sequence of so many operations.
func (c Config) Rows(ops int) int {
	if c.Trace != nil {
		return c.Keys
	}
	return c.Popularity.Span(c.Keys, ops)
}

func (c Config) database(rows int) simdb.Settings {
	longest := int(min(c.ValueSize.Most(), MaxText))
	return simdb.Settings{
		Seed: c.Seed, Rows: rows, GroupSize: c.GroupSize, Connections: c.Connections,
		Body:  simdb.Text(c.Seed, func(id uint32) int { return int(c.ValueSize.Of(id)) }, longest, c.Compressible),
		Delay: simdb.Delay{Median: c.Latency, Floor: c.Latency / 2, Sigma: spread},
	}
}

func (c Config) groups() int { return (c.Keys + c.GroupSize - 1) / c.GroupSize }

// Sequence returns the operations of a run, so many at least.
func (c Config) Sequence(ops int) workload.Sequence {
	if c.Trace != nil {
		return c.Trace
	}
	return workload.Record(workload.Settings{
		Seed: c.Seed, Ops: max(recording, ops), Keys: c.Keys, Groups: c.groups(), Popularity: c.Popularity, Mix: c.Mix, Batch: c.Batch,
	})
}

// workload says what is read and written, for people.
func (c Config) workload(seq workload.Sequence) string {
	what := fmt.Sprintf("%d keys, %s, %s", c.Keys, c.Popularity, c.Mix)
	if c.Trace != nil {
		what = fmt.Sprintf("%s, %d keys", c.TraceName, c.Keys)
	}
	return fmt.Sprintf("%s, groups of %d, values of %s bytes, TTL %s; %d operations recorded (sha256 %.12s)",
		what, c.GroupSize, c.ValueSize, c.TTL, len(seq), seq.Digest())
}
