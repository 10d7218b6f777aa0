package cache_test

import (
	"math"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestAQuantileIsTheLeastBucketWithEnough(t *testing.T) {
	h := cache.Histogram{Count: 10, Sum: 1000, Buckets: []cache.Bucket{{UpTo: 10, Count: 5}, {UpTo: 20, Count: 4}, {UpTo: math.MaxInt64, Count: 1}}}
	for q, want := range map[float64]int64{0: 10, 0.01: 10, 0.5: 10, 0.501: 20, 0.9: 20, 0.91: math.MaxInt64, 1: math.MaxInt64, 2: math.MaxInt64} {
		if got := h.Quantile(q); got != want {
			t.Errorf("the quantile %v is %d, not %d", q, got, want)
		}
	}
	if got := h.Mean(); got != 100 {
		t.Errorf("the mean is %v", got)
	}
	if got := (cache.Histogram{}); got.Quantile(0.5) != 0 || got.Mean() != 0 {
		t.Errorf("of nothing: %v, %v", got.Quantile(0.5), got.Mean())
	}
}

func TestCountsAreByKindAndClass(t *testing.T) {
	var s cache.Stats
	for i, k := range cache.Kinds() {
		s.Counts[k] = int64(i + 1)
	}
	for i, c := range cache.ErrorClasses() {
		s.Errors[c] = int64(i + 1)
	}
	misses := int64(0)
	for i, k := range cache.Kinds() {
		if s.Counts.Of(k) != int64(i+1) {
			t.Errorf("%v: %d", k, s.Counts.Of(k))
		}
		if k >= cache.Miss && k <= cache.MissApart {
			misses += int64(i + 1)
		}
	}
	all := int64(0)
	for i, c := range cache.ErrorClasses() {
		if all += int64(i + 1); s.Errors.Of(c) != int64(i+1) {
			t.Errorf("%v: %d", c, s.Errors.Of(c))
		}
	}
	if s.Counts.Of(255) != 0 || s.Errors.Of(255) != 0 || s.Errors.All() != all || s.Counts.Misses() != misses {
		t.Errorf("others %d and %d, errors %d, misses %d", s.Counts.Of(255), s.Errors.Of(255), s.Errors.All(), s.Counts.Misses())
	}
	if got, want := s.Counts.HitRatio(), 1/float64(1+misses); got != want {
		t.Errorf("the hit ratio is %v, not %v", got, want)
	}
	if got := (cache.Counts{}).HitRatio(); got != 0 {
		t.Errorf("without reads it is %v", got)
	}
}
