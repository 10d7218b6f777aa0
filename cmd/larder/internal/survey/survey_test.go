package survey

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestSurveyCounts(t *testing.T) {
	tr := &trace.Trace{
		IDs: []uint32{0, 1, 0, 2, 0, 1}, Unique: 3,
		Times: []uint32{0, 0, 4, 5, 5, 60},
		Sizes: []uint32{100, 0, 150, 7, 150, 0},
		TTLs:  []uint32{0, 0, 60, 10, 30, 0},
		Ops:   []trace.Op{trace.Read, trace.Read, trace.Write, trace.Write, trace.Read, trace.Delete},
	}
	s, err := Of(t.Context(), tr)
	if err != nil {
		t.Fatal(err)
	}
	if s.Requests != 6 || s.UniqueKeys != 3 || s.Reads != 3 || s.Writes != 2 || s.Deletes != 1 || *s.SpanSeconds != 60 {
		t.Errorf("counts are %+v", s)
	}
	if s.OneHitWonders != 1.0/3 || s.TopKey != 0.5 || s.Popularity != nil {
		t.Errorf("popularity is %+v", s)
	}
	if want := (Sizes{Known: 4, Requested: 407, WorkingSet: 157, Median: 150, P99: 150, Max: 150}); *s.Sizes != want {
		t.Errorf("sizes are %+v, want %+v", *s.Sizes, want)
	}
	if want := (TTLs{Requests: 3, Min: 10, Median: 30, Max: 60}); *s.TTLs != want {
		t.Errorf("TTLs are %+v, want %+v", *s.TTLs, want)
	}
	if want := (Reuse{Mean: 4.0 / 3, Median: 1, Sampled: 1}); *s.Reuse != want {
		t.Errorf("reuse is %+v, want %+v", *s.Reuse, want)
	}
	s, err = Of(t.Context(), &trace.Trace{IDs: []uint32{0, 1, 2}, Unique: 3})
	if err != nil || s.SpanSeconds != nil || s.Sizes != nil || s.TTLs != nil || s.Reuse != nil || s.Reads != 3 || s.OneHitWonders != 1 {
		t.Errorf("keys alone are %+v, %v", s, err)
	}
}

func TestExponentOfZipfIsFound(t *testing.T) {
	for _, s := range []float64{0.3, 0.6, 0.8, 0.99, 1.2} {
		rng := newRand(t)
		keys := workload.Popularity{Shape: workload.Zipfian, Skew: s}.Open(rng, 20_000)
		counts := make([]uint32, 20_000)
		for range 1_000_000 {
			counts[keys.Next()]++
		}
		slices.Sort(counts)
		slices.Reverse(counts)
		p := fit(counts)
		if p == nil || math.Abs(p.Exponent-s) > 0.06 || p.Fit < 0.97 {
			t.Errorf("zipf %v is fitted as %+v", s, p)
		}
	}
}

func TestUniformKeysHaveNoExponent(t *testing.T) {
	counts := slices.Repeat([]uint32{50}, 1000)
	if p := fit(counts); p == nil || p.Exponent != 0 || p.Fit != 1 || p.Ranks < 500 {
		t.Errorf("uniform is fitted as %+v", p)
	}
	for _, few := range [][]uint32{nil, {9}, {1000}, {50, 40, 30, 20}, slices.Repeat([]uint32{9}, 1000)} {
		if p := fit(few); p != nil {
			t.Errorf("%d counts are fitted as %+v", len(few), p)
		}
	}
}

// slowReuse counts the keys between two requests one by one.
func slowReuse(ids []uint32) (distances []uint32) {
	for i, id := range ids {
		between := map[uint32]bool{}
		for j := i - 1; j >= 0; j-- {
			if ids[j] == id {
				distances = append(distances, uint32(len(between)))
				break
			}
			between[ids[j]] = true
		}
	}
	return distances
}

func TestReuseIsExact(t *testing.T) {
	r := newRand(t)
	for range 20 {
		ids := make([]uint32, 1+r.IntN(500))
		unique := 1 + r.IntN(60)
		for i := range ids {
			ids[i] = uint32(min(r.IntN(unique), r.IntN(unique)))
		}
		got, err := reuseOf(t.Context(), ids, unique, mostReused)
		want := slowReuse(ids)
		if err != nil || (got == nil) != (len(want) == 0) {
			t.Fatalf("%v, %v for %d reuses", got, err, len(want))
		}
		if got == nil {
			continue
		}
		total := 0.0
		for _, d := range want {
			total += float64(d)
		}
		slices.Sort(want)
		if got.Median != int(want[len(want)/2]) || math.Abs(got.Mean-total/float64(len(want))) > 1e-9 || got.Sampled != 1 {
			t.Errorf("%+v, want a median of %d and a mean of %v", got, want[len(want)/2], total/float64(len(want)))
		}
	}
}

func TestSampledReuseIsClose(t *testing.T) {
	rng := newRand(t)
	keys := workload.Popularity{Shape: workload.Zipfian, Skew: 0.2}.Open(rng, 20_000)
	ids := make([]uint32, 300_000)
	for i := range ids {
		ids[i] = keys.Next()
	}
	all, err := reuseOf(t.Context(), ids, 20_000, len(ids))
	if err != nil {
		t.Fatal(err)
	}
	part, err := reuseOf(t.Context(), ids, 20_000, len(ids)/8)
	if err != nil {
		t.Fatal(err)
	}
	if part.Sampled != 0.125 || all.Sampled != 1 || math.Abs(part.Mean/all.Mean-1) > 0.15 || math.Abs(float64(part.Median)/float64(all.Median)-1) > 0.15 {
		t.Errorf("a part has %+v, all have %+v", part, all)
	}
}

func TestSurveyEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Of(ctx, &trace.Trace{IDs: []uint32{0, 0}, Unique: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
