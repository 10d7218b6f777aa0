package bench

import (
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Config is what a run does. Durations are nanoseconds in JSON.
type Config struct {
	Seed      uint64            `json:"seed"`
	Keys      int               `json:"keys"`
	GroupSize int               `json:"group_size"`
	Zipf      float64           `json:"zipf"`
	Mix       workload.Mix      `json:"mix"`
	Ops       int               `json:"ops"`         // of each pass; 0: as many as fit in Duration
	Duration  time.Duration     `json:"duration_ns"` // of each latency pass
	WarmUp    int               `json:"warm_up_ops"`
	Workers   int               `json:"workers"`
	Rate      float64           `json:"rate"` // 0: chosen after calibration
	Arrivals  workload.Arrivals `json:"arrivals"`
	ValueSize int               `json:"value_size"`
	Capacity  int               `json:"l1_capacity"`
	TTL       time.Duration     `json:"ttl_ns"`

	Connections int           `json:"db_connections"`
	Latency     time.Duration `json:"db_latency_ns"`
}

// Default returns the configuration of a run without flags.
func Default() Config {
	return Config{
		Seed: 1, Keys: 10_000, GroupSize: 10, Zipf: 0.99, Mix: workload.Mix{94, 4, 2},
		Duration: 4 * time.Second, WarmUp: 8000, Workers: 64, Arrivals: workload.Poisson,
		ValueSize: 256, Capacity: 10_000, TTL: 10 * time.Minute,
		Connections: 16, Latency: 2 * time.Millisecond,
	}
}

// spread is the standard deviation of the logarithm of the database's latency:
// its p99 is 2.5 times its median.
const spread = 0.4

func (c Config) database() simdb.Settings {
	return simdb.Settings{
		Seed: c.Seed, Rows: c.Keys, GroupSize: c.GroupSize, BodySize: c.ValueSize, Connections: c.Connections,
		Delay: simdb.Delay{Median: c.Latency, Floor: c.Latency / 2, Sigma: spread},
	}
}

func (c Config) groups() int { return (c.Keys + c.GroupSize - 1) / c.GroupSize }

// recording is the least number of operations that are recorded. It does not
// depend on the machine, so that the digest does not either.
const recording = 100_000

func (c Config) sequence(ops int) workload.Sequence {
	return workload.Record(workload.Settings{
		Seed: c.Seed, Ops: max(recording, ops), Keys: c.Keys, Groups: c.groups(), Skew: c.Zipf, Mix: c.Mix,
	})
}
