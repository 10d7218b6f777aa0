// Package throughput measures how many operations a second the fastest parts do: hits in
// memory, and the load generator itself. No clock is read for single operations, and the
// keys are drawn beforehand.
package throughput

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Config is what a run does.
type Config struct {
	Seed       uint64
	Keys       int
	Popularity workload.Popularity
	Workers    int           // goroutines
	Time       time.Duration // of each part
}

// Default returns the configuration of a run without flags.
func Default() Config {
	return Config{Seed: 1, Keys: 10_000, Popularity: workload.Popularity{Shape: workload.Zipfian, Skew: 0.99},
		Workers: runtime.GOMAXPROCS(0), Time: 700 * time.Millisecond}
}

// Quick returns a configuration for a first look.
func Quick() Config {
	c := Default()
	c.Time = 100 * time.Millisecond
	return c
}

// Check returns an error that names the first field that makes no sense.
func (c Config) Check() error {
	switch {
	case c.Keys < 1 || c.Keys > 10_000_000:
		return fmt.Errorf("keys is %d: it must be from 1 to 10000000", c.Keys)
	case c.Workers < 1 || c.Workers > 10_000:
		return fmt.Errorf("workers is %d: it must be from 1 to 10000", c.Workers)
	case c.Time < time.Millisecond || c.Time > time.Hour:
		return fmt.Errorf("time is %v: it must be from 1ms to 1h", c.Time)
	}
	return nil
}

// Steps returns what a run consists of.
func Steps(c Config) (steps []progress.Step) {
	for _, s := range subjects {
		steps = append(steps, progress.Step{Name: s.title, Expected: c.Time})
	}
	return steps
}

const (
	// drawn is how many keys are drawn beforehand: 4 MB, more than a processor's nearest
	// caches hold, as the keys of an application do not lie there either.
	drawn = 1 << 20
	// batch is how many operations a worker does between two looks at the flag that ends
	// the part.
	batch = 256
)

// figures are what one part gave.
type figures struct {
	ops       int64
	took      time.Duration
	allocs    float64 // for each operation
	bytes     float64
	missed    int64
	worker    float64 // nanoseconds of one worker for each operation
	perSecond float64
}

// Run measures all parts in turn. After an error, which is that of ctx, the section has
// what was measured until then.
func Run(ctx context.Context, c Config, meter *progress.Meter) (*results.Section, error) {
	keys := make([]uint32, drawn)
	source := c.Popularity.Open(rand.New(rand.NewPCG(c.Seed, uint64(c.Keys))), c.Keys)
	for i := range keys {
		keys[i] = source.Next() % uint32(c.Keys)
	}
	var all []figures
	for _, s := range subjects {
		meter.Next(nil)
		f := measure(ctx, s, c, keys)
		if ctx.Err() != nil {
			break
		}
		all = append(all, f)
	}
	return section(c, all), ctx.Err()
}

func measure(ctx context.Context, s subject, c Config, keys []uint32) figures {
	open, closeAll := s.open(c)
	defer closeAll()
	var stop atomic.Bool
	var ops, missing atomic.Int64
	var workers sync.WaitGroup
	halt := func() { stop.Store(true) }
	defer context.AfterFunc(ctx, halt)()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	defer time.AfterFunc(c.Time, halt).Stop()
	for w := range c.Workers {
		do := open()
		at := w * len(keys) / c.Workers
		workers.Go(func() {
			var done, bad int64
			for !stop.Load() {
				for _, key := range keys[at : at+batch] {
					if do(key) == missed {
						bad++
					}
				}
				done += batch
				if at += batch; at+batch > len(keys) {
					at = 0
				}
			}
			ops.Add(done)
			missing.Add(bad)
		})
	}
	workers.Wait()
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	n := float64(max(ops.Load(), 1))
	return figures{
		ops: ops.Load(), took: took, missed: missing.Load(),
		allocs: float64(after.Mallocs-before.Mallocs) / n, bytes: float64(after.TotalAlloc-before.TotalAlloc) / n,
		worker:    float64(took) * float64(min(c.Workers, runtime.GOMAXPROCS(0))) / n,
		perSecond: n / took.Seconds(),
	}
}
