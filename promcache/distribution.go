package promcache

import (
	"time"

	"github.com/larder-cache/larder/cache"
)

// distribution is a metric that is a histogram. The bounds are the same in all
// processes and for all time, so that they can be added up.
type distribution struct {
	name, help string
	unit       float64 // how many of what the Stats have are 1 of the metric
	bounds     []int64 // as the Stats have it
	at         levels
	of         func(*cache.Stats) cache.Histogram
}

const (
	us = int64(time.Microsecond)
	ms = int64(time.Millisecond)
	s  = int64(time.Second)
)

var distributions = [...]distribution{
	{"load_seconds", "How long the origin took.", float64(s),
		[]int64{500 * us, ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms, s, 2500 * ms, 5 * s, 10 * s, 30 * s},
		origin, func(s *cache.Stats) cache.Histogram { return s.Loads }},
	{"trip_seconds", "How long round trips to the servers took.", float64(s),
		[]int64{100 * us, 250 * us, 500 * us, ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms, s},
		shared, func(s *cache.Stats) cache.Histogram { return s.Trips }},
	{"trip_keys", "How many keys went in a round trip.", 1,
		[]int64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024},
		shared, func(s *cache.Stats) cache.Histogram { return s.Batch }},
	{"invalidation_lag_seconds", "How long invalidations of this process took to come back over the bus.", float64(s),
		[]int64{500 * us, ms, 2500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms, s, 2500 * ms, 5 * s, 10 * s, 30 * s, 60 * s},
		shared, func(s *cache.Stats) cache.Histogram { return s.Lag }},
}

// spread is the sum of some histograms, by the bounds of a distribution.
type spread struct {
	count, sum int64
	in         []int64 // one for each bound; what is above all of them is only in count
}

// add adds h. A bucket that a bound divides is counted above it, so that nothing is
// said to be faster or smaller than it was. Where in the bucket the numbers are
// cannot be told, and a guess that is made anew at each scrape would let counters
// fall.
func (s *spread) add(h cache.Histogram, d *distribution) {
	if s.in == nil {
		s.in = make([]int64, len(d.bounds))
	}
	s.sum += h.Sum
	counted := int64(0)
	for _, b := range h.Buckets {
		counted += b.Count
		for i, bound := range d.bounds {
			if b.UpTo <= bound {
				s.in[i] += b.Count
				break
			}
		}
	}
	s.count += max(h.Count, counted) // a bucket is never above the count, also if h was changing
}

// cumulative returns how many numbers are at most each bound of d, in its unit.
func (s *spread) cumulative(d *distribution) map[float64]uint64 {
	out, n := make(map[float64]uint64, len(d.bounds)), uint64(0)
	for i, bound := range d.bounds {
		n += uint64(s.in[i])
		out[float64(bound)/d.unit] = n
	}
	return out
}
