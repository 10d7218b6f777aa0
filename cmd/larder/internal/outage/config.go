package outage

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Config says what to measure.
type Config struct {
	// Time is that of the schedule. Healthy phases take longer than planned if the
	// hit ratio is not back by their end, so a run may too.
	Time time.Duration
	// Strategies are those of Strategies, each of which has a schedule of its own.
	Strategies []string
	// Faults are those of Faults.
	Faults []string
	// Seed is that of the order of faults, and of what is read and written.
	Seed uint64
	// Readers is how many goroutines read through the cache, and how many do so
	// beside them without one.
	Readers int
	// Rate is how many reads those of one kind plan in a second, together.
	Rate float64
	// Keys is how many there are, Zipf how skewed their popularity is.
	Keys int
	Zipf float64
	// Writes is how many keys are invalidated in a second, with the tag of their
	// group every fifth time.
	Writes float64
	// Latency is how long the origin takes, Spread by how much at most it takes
	// more or less: all times between are as likely.
	Latency time.Duration
	Spread  time.Duration
	// Capacity is how many entries memory has, in strategies with memory.
	Capacity int

	// timeout is for how long a read waits for Redis, and patience for how long the
	// hit ratio is waited for. The limits are made for the defaults; only tests,
	// which run beside others, have more of both.
	timeout, patience time.Duration
}

// Default returns what the promise is measured with.
func Default() Config {
	return Config{
		Time: time.Minute, Strategies: []string{"l2"}, Faults: Faults(), Readers: 64, Rate: 1600, Keys: 1000, Zipf: 0.99,
		Writes: 20, Latency: 5 * time.Millisecond, Spread: time.Millisecond, Capacity: 200, patience: Patience,
	}
}

const (
	// opening is how long a breaker may take to open.
	opening = 500 * time.Millisecond
	// leastFault leaves something of a fault after opening.
	leastFault = 700 * time.Millisecond
)

// plan is a schedule: a healthy phase, and then each fault with a healthy phase
// after it.
type plan struct {
	warmUp, fault, healthy time.Duration
	faults                 []*fault
}

// plan returns the schedule, which the seed and the Config decide.
func (c Config) plan() (plan, error) {
	p := plan{warmUp: c.Time / 10}
	for _, name := range c.Faults {
		f := faultOf(name)
		if f == nil {
			return p, fmt.Errorf("there is no fault %q", name)
		}
		p.faults = append(p.faults, f)
	}
	if len(p.faults) == 0 {
		return p, fmt.Errorf("there are no faults")
	}
	each := (c.Time - p.warmUp) / time.Duration(len(p.faults))
	p.fault = each * 55 / 100
	p.healthy = each - p.fault
	rand.New(rand.NewPCG(c.Seed, 0)).Shuffle(len(p.faults), func(i, j int) { p.faults[i], p.faults[j] = p.faults[j], p.faults[i] })
	return p, nil
}

// Check returns an error that says why there is no schedule for c, or none that
// leaves something to measure, or nil.
func (c Config) Check() error {
	p, err := c.plan()
	if err == nil && p.fault < leastFault {
		err = fmt.Errorf("%v leave %v for each of %d faults: it must be at least %v", c.Time, p.fault.Round(time.Millisecond), len(p.faults), leastFault)
	}
	return err
}
