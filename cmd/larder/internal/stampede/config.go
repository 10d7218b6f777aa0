package stampede

import (
	"fmt"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
)

// Config says what to measure.
type Config struct {
	Time        time.Duration // of all ways together
	TTL         time.Duration // how long a value is fresh
	Load        time.Duration // how long a query takes
	Goroutines  int           // that read, in each process
	Processes   int
	Rate        float64 // planned reads a second, of all goroutines together
	Keys        int     // that are read, all as often
	Connections int     // queries that the database runs at once
	Seed        uint64
}

// Default returns what the default suite measures.
func Default() Config {
	return Config{
		Time: 8 * time.Second, TTL: 400 * time.Millisecond, Load: 20 * time.Millisecond, Goroutines: 32, Processes: 4,
		Rate: 3000, Keys: 1, Connections: 16, Seed: 1,
	}
}

// Quick makes the run short: it shows that all is there.
func (c Config) Quick() Config {
	c.Time, c.TTL, c.Load, c.Processes = 2500*time.Millisecond, 200*time.Millisecond, 10*time.Millisecond, 2
	return c
}

// leastRatio is how many times longer than a load a value must live. Early refresh
// begins up to about 15 loads before the end, and what comes after must be told from
// that.
const leastRatio = 20

// Check returns an error that names the first flag that makes no sense, or nil.
func (c Config) Check() error {
	for _, l := range []struct {
		flag             string
		got, least, most int
	}{
		{"goroutines", c.Goroutines, 1, 10_000},
		{"processes", c.Processes, 1, 64},
		{"keys", c.Keys, 1, 1000},
		{"db-conns", c.Connections, 1, 10_000},
	} {
		if l.got < l.least || l.got > l.most {
			return fmt.Errorf("--%s is %d: it must be from %d to %d", l.flag, l.got, l.least, l.most)
		}
	}
	switch {
	case c.Load < time.Millisecond || c.Load > time.Second:
		return fmt.Errorf("--db-latency is %v: it must be from 1ms to 1s", c.Load)
	case c.TTL < leastRatio*c.Load || c.TTL > time.Minute:
		return fmt.Errorf("--ttl is %v: it must be from %d times --db-latency, %v, to 1m", c.TTL, leastRatio, leastRatio*c.Load)
	case c.Time > 10*time.Minute || c.each() < 2*c.TTL:
		return fmt.Errorf("--time is %v: it must be at least two --ttl for each of %d ways, %v, and at most 10m", c.Time, len(ways), 2*c.TTL*time.Duration(len(ways)))
	case !(c.Rate >= 1 && c.Rate <= 100_000):
		return fmt.Errorf("--rate is %v: it must be from 1 to 100000", c.Rate)
	case c.Rate*c.Time.Seconds() > mostReads:
		return fmt.Errorf("--rate is %v for %v: that is more than %d reads", c.Rate, c.Time, mostReads)
	}
	return nil
}

// mostReads bounds the memory of a run, which keeps every read.
const mostReads = 2_000_000

// each returns for how long one way is measured.
func (c Config) each() time.Duration { return c.Time / time.Duration(len(ways)) }

// warmUp is the time in which connections are made, after which hits count.
func (c Config) warmUp() time.Duration { return c.TTL / 4 }

// Steps returns what Run does, and how long it takes.
func (c Config) Steps() (steps []progress.Step) {
	for _, w := range ways {
		steps = append(steps, progress.Step{Name: "stampede, " + w.title, Expected: c.each()})
	}
	return steps
}
