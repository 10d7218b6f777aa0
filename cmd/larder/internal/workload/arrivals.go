package workload

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Arrivals says how the times between operations are spread.
type Arrivals string

// The kinds of arrivals.
const (
	Poisson  Arrivals = "poisson"  // as of many callers who know nothing of each other
	Constant Arrivals = "constant" // all the same
)

// ParseArrivals reads the name of a kind of arrivals.
func ParseArrivals(text string) (Arrivals, error) {
	switch a := Arrivals(text); a {
	case Poisson, Constant:
		return a, nil
	}
	return "", fmt.Errorf("%q is not %s or %s", text, Poisson, Constant)
}

// Plan returns when n operations are due, counted from their beginning, at a
// rate of so many a second, which has a profile.
func (a Arrivals) Plan(seed uint64, n int, rate float64, profile Profile) []time.Duration {
	rng := rand.New(rand.NewPCG(seed, streamArrivals))
	plan := make([]time.Duration, n)
	at := 0.0 // in seconds of a run that keeps its rate
	whole := float64(n) / rate
	for i := range plan {
		t := at
		if profile.parts != nil {
			t = profile.when(min(at/whole, 1)) * whole / profile.Mean()
		}
		plan[i] = time.Duration(t * float64(time.Second))
		if a == Poisson {
			at += rng.ExpFloat64() / rate
		} else {
			at = float64(i+1) / rate
		}
	}
	return plan
}
