package workload

import (
	"math"
	"strings"
	"testing"
	"time"
)

// rates returns how many operations of a plan are due in each tenth of d.
func rates(plan []time.Duration, d time.Duration) (n [10]int) {
	for _, at := range plan {
		n[min(int(10*at/d), 9)]++
	}
	return n
}

func TestRateFollowsItsProfile(t *testing.T) {
	for text, want := range map[string][10]float64{
		"flat":           {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		"ramp:0:2":       {0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 1.9},
		"ramp:1.9:0.1":   {1.81, 1.63, 1.45, 1.27, 1.09, 0.91, 0.73, 0.55, 0.37, 0.19},
		"step:0.5,1.5":   {0.5, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5, 1.5, 1.5, 1.5},
		"step:1,0,2,0,2": {1, 1, 0, 0, 2, 2, 0, 0, 2, 2},
	} {
		s, err := ParseProfile(text)
		if err != nil || s.String() != text {
			t.Fatalf("%s is %v, %v", text, s, err)
		}
		const n, rate = 40_000, 10_000.0
		for _, a := range []Arrivals{Constant, Poisson} {
			plan := a.Plan(1, n, rate, s)
			took := time.Duration(n / rate / s.Mean() * float64(time.Second))
			got := rates(plan, took)
			for i := range got {
				// In a tenth of the run, which is longer if there is less to do.
				expected := want[i] * rate * took.Seconds() / 10
				if math.Abs(float64(got[i])-expected) > 6*math.Sqrt(expected)+60 {
					t.Errorf("%s, %s: %d operations in tenth %d, not %.0f", text, a, got[i], i, expected)
				}
			}
			for i := range plan[1:] {
				if plan[i+1] < plan[i] {
					t.Fatalf("%s: operation %d is due before the one before", text, i+1)
				}
			}
		}
	}
}

func TestProfilesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, text := range []string{"", "flat:1", "ramp", "ramp:1", "ramp:1:2:3", "ramp:-1:1", "ramp:0:0", "step:", "step:x", "step:NaN", "step:1e9", "wave:1"} {
		if s, err := ParseProfile(text); err == nil || !strings.Contains(err.Error(), profileForms) {
			t.Errorf("%q is %v, %v", text, s, err)
		}
	}
}

func FuzzParseProfile(f *testing.F) {
	for _, text := range []string{"flat", "ramp:0:2", "step:1,0,2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseProfile(text)
		if err != nil {
			return
		}
		if a, b := s.when(0.2), s.when(0.7); !(a >= 0 && b >= a && b <= 1) {
			t.Errorf("%q: a fifth is due after %v, seven tenths after %v", text, a, b)
		}
	})
}
