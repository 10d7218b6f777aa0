package meter

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func TestBucketsAreNextToEachOther(t *testing.T) {
	last := int64(-1)
	for i := range bucketCount {
		if bucketOf(last+1) != i || bucketOf(upTo(i)) != i || upTo(i) <= last {
			t.Fatalf("bucket %d is up to %d, the one before to %d: they are in %d and %d", i, upTo(i), last, bucketOf(last+1), bucketOf(upTo(i)))
		}
		if width := upTo(i) - last; i >= exact && i < bucketCount-1 && width*eighths > last+1 {
			t.Errorf("bucket %d has %d numbers from %d on", i, width, last+1)
		}
		last = upTo(i)
	}
	if last != math.MaxInt64 || upTo(bucketCount-2) != 1<<42-1 {
		t.Errorf("the last two buckets are up to %d and %d", upTo(bucketCount-2), last)
	}
}

func TestAQuantileIsAtMostAnEighthMoreThanItWas(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for name, draw := range map[string]func() int64{
		"small":  func() int64 { return r.Int64N(40) },
		"narrow": func() int64 { return 1_000_000 + r.Int64N(1000) },
		"wide":   func() int64 { return int64(math.Exp(r.Float64() * math.Log(1<<42-1))) },
	} {
		var h Histogram
		all, sum := make([]int64, 5000), int64(0)
		for i := range all {
			all[i] = draw()
			sum += all[i]
			h.Record(all[i])
		}
		slices.Sort(all)
		got := h.Snapshot()
		if got.Count != int64(len(all)) || got.Sum != sum {
			t.Errorf("%s: %d numbers are %d together, not %d", name, got.Count, got.Sum, sum)
		}
		for _, q := range []float64{0.0001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
			want := all[int(math.Ceil(q*float64(len(all))))-1]
			if have := got.Quantile(q); have < want || float64(have) > float64(want)*1.125 {
				t.Errorf("%s: the quantile %v is %d, not %d", name, q, have, want)
			}
		}
		if len(got.Buckets) > 320 || slices.ContainsFunc(got.Buckets, func(b bucket) bool { return b.Count == 0 }) {
			t.Errorf("%s: there are %d buckets, or empty ones", name, len(got.Buckets))
		}
	}
}

func TestNumbersThatMakeNoSenseAreCounted(t *testing.T) {
	var h Histogram
	h.Record(-5)
	h.Record(math.MaxInt64)
	if got := h.Snapshot(); got.Count != 2 || got.Quantile(0) != 0 || got.Quantile(1) != math.MaxInt64 {
		t.Errorf("it is %+v", got)
	}
}

func TestRecordingAtOnceLosesNothing(t *testing.T) {
	var h lazy
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range int64(1000) {
				h.record(i)
			}
		})
	}
	wg.Wait()
	if got := h.snapshot(); got.Count != 8000 || got.Sum != 8*999*500 {
		t.Errorf("%d numbers are %d together", got.Count, got.Sum)
	}
}

func FuzzBucket(f *testing.F) {
	for _, n := range []int64{-1, 0, 15, 16, 17, 31, 32, 1<<42 - 1, 1 << 42, math.MaxInt64} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		var h Histogram
		h.Record(n)
		n = max(n, 0)
		if got := h.Snapshot().Quantile(1); got < n || got != math.MaxInt64 && float64(got) > float64(n)*1.125 || got == math.MaxInt64 && n < 1<<42 {
			t.Errorf("%d is %d", n, got)
		}
	})
}
