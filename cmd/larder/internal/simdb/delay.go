package simdb

import (
	"math"
	"math/rand/v2"
	"time"
)

// Delay is a lognormal distribution of times with a lower bound.
type Delay struct {
	Median time.Duration
	Floor  time.Duration
	Sigma  float64 // the standard deviation of the logarithm
}

func (d Delay) draw(rng *rand.Rand) time.Duration {
	return max(time.Duration(float64(d.Median)*math.Exp(d.Sigma*rng.NormFloat64())), d.Floor)
}
