package staleness

import (
	"fmt"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
)

// Config says what to measure.
type Config struct {
	Time      time.Duration // of all ways together
	Processes int           // that read
	Keys      int
	Writes    float64       // in a second
	Lease     time.Duration // of the library's memory
	TTL       time.Duration // of the ways that people build themselves
	Load      time.Duration // how long a query takes
	Seed      uint64
}

// Default returns what the default suite measures.
func Default() Config {
	return Config{
		Time: 8 * time.Second, Processes: 3, Keys: 16, Writes: 40, Lease: 250 * time.Millisecond, TTL: time.Second,
		Load: 2 * time.Millisecond, Seed: 1,
	}
}

// Quick makes the run short: it shows that all is there.
func (c Config) Quick() Config {
	c.Time, c.Processes, c.Lease = 4*time.Second, 2, 150*time.Millisecond
	return c
}

// Check returns an error that names the first flag that makes no sense, or nil.
func (c Config) Check() error {
	switch {
	case c.Processes < 1 || c.Processes > 64:
		return fmt.Errorf("--processes is %d: it must be from 1 to 64", c.Processes)
	case c.Keys < writers || c.Keys > 1000:
		return fmt.Errorf("--keys is %d: it must be from %d to 1000", c.Keys, writers)
	case !(c.Writes >= 1 && c.Writes <= 1000):
		return fmt.Errorf("--writes is %v: it must be from 1 to 1000", c.Writes)
	case c.Lease < 20*time.Millisecond || c.Lease > time.Minute:
		return fmt.Errorf("--lease is %v: it must be from 20ms to 1m", c.Lease)
	case c.TTL < 10*time.Millisecond || c.TTL > time.Minute:
		return fmt.Errorf("--ttl is %v: it must be from 10ms to 1m", c.TTL)
	case c.Load < time.Millisecond || c.Load > time.Second:
		return fmt.Errorf("--db-latency is %v: it must be from 1ms to 1s", c.Load)
	case c.Time > 2*time.Minute || c.writing() < 2*c.Lease:
		return fmt.Errorf("--time is %v: it must be at least %v, for %d ways with three times --lease each, and at most 2m",
			c.Time, time.Duration(len(ways))*(2*c.Lease+c.drain()), len(ways))
	}
	return nil
}

// each returns for how long one way is measured.
func (c Config) each() time.Duration { return c.Time / time.Duration(len(ways)) }

// drain returns the end of that, in which nothing is written and all processes must
// get to know the newest versions.
func (c Config) drain() time.Duration { return c.Lease + 100*time.Millisecond }

func (c Config) writing() time.Duration { return c.each() - c.drain() }

// cut returns between which times one process cannot hear: in the middle of the
// writing.
func (c Config) cut() (from, to time.Duration) { return c.writing() * 3 / 10, c.writing() * 6 / 10 }

// Steps returns what Run does, and how long it takes.
func (c Config) Steps() (steps []progress.Step) {
	for _, w := range ways {
		steps = append(steps, progress.Step{Name: "staleness, " + w.title, Expected: c.each()})
	}
	return steps
}
