package promcache_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/promcache"
)

// buckets returns those of one of the histograms by their bounds.
func buckets(t *testing.T, s *source, name string) (count uint64, byBound map[float64]uint64) {
	t.Helper()
	h := find(gather(t, promcache.New("users", s)), name, "level", s.Level.String()).GetHistogram()
	byBound = map[float64]uint64{}
	for _, b := range h.GetBucket() {
		byBound[b.GetUpperBound()] = b.GetCumulativeCount()
	}
	return h.GetSampleCount(), byBound
}

func TestAHistogramHasItsBucketsUnderFixedBounds(t *testing.T) {
	s := &source{Level: cache.Origin, Loads: cache.Histogram{Count: 15, Sum: int64(time.Minute), Buckets: []cache.Bucket{
		{UpTo: int64(400 * time.Microsecond), Count: 1},
		{UpTo: int64(time.Millisecond), Count: 2},     // on a bound
		{UpTo: int64(time.Millisecond) + 1, Count: 4}, // a bound divides it
		{UpTo: math.MaxInt64, Count: 8},               // above all
	}}}
	count, got := buckets(t, s, "larder_load_seconds")
	for bound, want := range map[float64]uint64{.0005: 1, .001: 3, .0025: 7, 1: 7, 30: 7} {
		if got[bound] != want {
			t.Errorf("%d loads took at most %v s, want %d", got[bound], bound, want)
		}
	}
	if count != 15 {
		t.Errorf("there were %d loads, want 15", count)
	}
	_, empty := buckets(t, &source{Level: cache.Origin}, "larder_load_seconds")
	if len(empty) != len(got) || len(empty) == 0 {
		t.Errorf("an empty histogram has %d bounds, a full one %d", len(empty), len(got))
	}
}

// Every bound must take a bucket that ends on it, whatever its seconds are in
// floating point.
func TestABucketThatEndsOnABoundIsBelowIt(t *testing.T) {
	for name, set := range map[string]struct {
		unit float64
		with func(cache.Histogram) *source
	}{
		"larder_load_seconds":             {1e9, func(h cache.Histogram) *source { return &source{Level: cache.Origin, Loads: h} }},
		"larder_trip_seconds":             {1e9, func(h cache.Histogram) *source { return &source{Level: cache.Shared, Trips: h} }},
		"larder_trip_keys":                {1, func(h cache.Histogram) *source { return &source{Level: cache.Shared, Batch: h} }},
		"larder_invalidation_lag_seconds": {1e9, func(h cache.Histogram) *source { return &source{Level: cache.Shared, Lag: h} }},
	} {
		_, bounds := buckets(t, set.with(cache.Histogram{}), name)
		for bound := range bounds {
			on := int64(math.Round(bound * set.unit))
			_, got := buckets(t, set.with(cache.Histogram{Count: 3, Buckets: []cache.Bucket{{UpTo: on, Count: 1}, {UpTo: on + 1, Count: 2}}}), name)
			if got[bound] != 1 {
				t.Errorf("%s: %d numbers are at most %v, want 1", name, got[bound], bound)
			}
		}
	}
}

// What Prometheus takes for a counter must never fall, and buckets must never be
// above the count, also while the histogram changes under the scrape.
func TestBucketsOnlyGrow(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	counts := map[int64]int64{}
	var before map[float64]uint64
	for range 200 {
		counts[int64(1)<<r.IntN(40)+int64(r.IntN(1000))]++
		var h cache.Histogram
		for upTo := range counts {
			h.Buckets = append(h.Buckets, cache.Bucket{UpTo: upTo, Count: counts[upTo]})
		}
		h.Count = int64(len(counts)) / 2 // it lags behind
		count, got := buckets(t, &source{Level: cache.Shared, Trips: h}, "larder_trip_seconds")
		for bound, n := range got {
			if n < before[bound] || n > count {
				t.Fatal(fmt.Sprintf("at most %v: %d, after %d, of %d", bound, n, before[bound], count))
			}
		}
		before = got
	}
}
