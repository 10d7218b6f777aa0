package outage

import (
	"math"
	"slices"
	"time"
)

// times are durations in ascending order.
type times []time.Duration

func sorted(all []time.Duration) times {
	slices.Sort(all)
	return all
}

// at returns the least of the times that the part q of all are not above (the
// nearest rank), 0 if there are none.
func (t times) at(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(t))))
	return t[min(max(rank, 1), len(t))-1]
}
