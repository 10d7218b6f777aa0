package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// noise fills the samples of a repetition of all metrics of a run.
type noise func(rng *rand.Rand, metrics []float64)

// each draws every metric for itself.
func each(draw func(rng *rand.Rand) float64) noise {
	return func(rng *rand.Rand, metrics []float64) {
		for i := range metrics {
			metrics[i] = draw(rng)
		}
	}
}

func normally(rng *rand.Rand) float64 { return 100 * (1 + 0.05*rng.NormFloat64()) }

// pareto has a finite mean but no variance, as the worst latencies of a run may.
func pareto(rng *rand.Rand) float64 { return math.Pow(1-rng.Float64(), -1/1.1) }

// counted has many ties, as the small numbers of loads or of errors have.
func counted(rng *rand.Rand) float64 { return float64(rng.IntN(4)) }

// shared moves all metrics with the speed of the machine in that repetition.
func shared(rng *rand.Rand, metrics []float64) {
	speed := math.Exp(0.1 * rng.NormFloat64())
	for i := range metrics {
		metrics[i] = 100 * speed * (1 + 0.02*rng.NormFloat64())
	}
}

// opposed moves half of them up when the others go down: throughput and latency.
func opposed(rng *rand.Rand, metrics []float64) {
	speed := math.Exp(0.1 * rng.NormFloat64())
	for i := range metrics {
		metrics[i] = 100 * (1 + 0.02*rng.NormFloat64())
		if i%2 == 0 {
			metrics[i] *= speed
		} else {
			metrics[i] /= speed
		}
	}
}

// simulated returns a run of n repetitions.
func simulated(rng *rand.Rand, metrics, n int, draw noise) *results.Document {
	s := &results.Section{Name: "simulated"}
	for i := range metrics {
		s.Metrics = append(s.Metrics, results.Metric{Name: fmt.Sprintf("m%d", i), Unit: results.Nanoseconds, Better: results.Lower})
	}
	values := make([]float64, metrics)
	for range n {
		draw(rng, values)
		for i, v := range values {
			s.Metrics[i].Samples = append(s.Metrics[i].Samples, v)
		}
	}
	return &results.Document{Sections: []*results.Section{s}}
}

// What is promised is that two runs of one build show no significant difference at alpha
// 0.01 in nine of ten tries at least, among all metrics together. It holds by a wide
// margin, even without a threshold.
func TestTwoRunsOfOneBuildDoNotDiffer(t *testing.T) {
	const metrics, seed = 60, 7
	for _, c := range []struct {
		name     string
		draw     noise
		n, tries int
		most     float64 // of tries with a false alarm
	}{
		{"normal, 6 samples", each(normally), 6, 1000, 0.02},
		{"normal, 10 samples", each(normally), 10, 500, 0.02},
		{"heavy tails, 10 samples", each(pareto), 10, 500, 0.02},
		{"ties, 6 samples", each(counted), 6, 100, 0.02},
		{"ties, 9 samples", each(counted), 9, 100, 0.02},
		{"many samples, approximated", each(normally), 30, 500, 0.02},
		{"many samples with ties, approximated", each(counted), 30, 500, 0.02},
		{"all together", shared, 10, 500, 0.02},
		{"half against half", opposed, 10, 500, 0.03},
	} {
		rng := rand.New(rand.NewPCG(seed, 0))
		alarms := 0
		for range c.tries {
			r := Documents(simulated(rng, metrics, c.n, c.draw), simulated(rng, metrics, c.n, c.draw), Options{Alpha: 0.01})
			if r.Counts[Same] != metrics {
				alarms++
			}
		}
		rate := float64(alarms) / float64(c.tries)
		t.Logf("%s: %d false alarms in %d tries", c.name, alarms, c.tries)
		if rate > c.most {
			t.Errorf("%s: a false alarm in %.1f%% of the tries, seed %d", c.name, 100*rate, seed)
		}
	}
}

// Most p values of one metric are small as often as they say, so the test is not just
// deaf.
func TestOneMetricAloneIsCalledDifferentAsOftenAsAlphaSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 0))
	alarms, tries := 0, 3000
	for range tries {
		r := Documents(simulated(rng, 1, 10, each(normally)), simulated(rng, 1, 10, each(normally)), Options{Alpha: 0.05})
		alarms += r.Counts[Slight] + r.Counts[Regression] + r.Counts[Improvement]
	}
	if rate := float64(alarms) / float64(tries); rate < 0.03 || rate > 0.055 {
		t.Errorf("a false alarm in %.2f%% of the tries at alpha 0.05", 100*rate)
	}
}

// slower makes the first few metrics worse by a fifth.
func slower(draw noise, few int) noise {
	return func(rng *rand.Rand, metrics []float64) {
		draw(rng, metrics)
		for i := range few {
			metrics[i] *= 1.2
		}
	}
}

func TestAShiftOfAFifthIsFound(t *testing.T) {
	const metrics, tries, seed = 60, 200, 9
	rough := each(func(rng *rand.Rand) float64 { return 100 * math.Exp(0.06*rng.NormFloat64()) })
	// One repetition in twenty meets a pause of the machine.
	paused := each(func(rng *rand.Rand) float64 {
		x := 100 * math.Exp(0.05*rng.NormFloat64())
		if rng.IntN(20) == 0 {
			x *= 2
		}
		return x
	})
	for _, c := range []struct {
		name   string
		draw   noise
		n, few int     // of the samples; of the metrics that get worse
		least  float64 // share of the shifts that are found
	}{
		{"one in five metrics, 6 samples", rough, 6, 12, 0.85},
		{"one in five metrics, 8 samples", rough, 8, 12, 0.97},
		{"a single metric, 10 samples", rough, 10, 1, 0.90},
		{"one in five metrics, pauses, 8 samples", paused, 8, 12, 0.70},
		{"one in five metrics, pauses, 10 samples", paused, 10, 12, 0.85},
	} {
		rng := rand.New(rand.NewPCG(seed, 0))
		found, false_ := 0, 0
		for range tries {
			r := Documents(simulated(rng, metrics, c.n, c.draw), simulated(rng, metrics, c.n, slower(c.draw, c.few)), Options{Alpha: 0.05, Threshold: 0.05})
			for i, row := range r.Rows {
				switch {
				case row.Verdict == Regression && i < c.few:
					found++
				case row.Verdict.Changed():
					false_++
				}
			}
		}
		share, wrong := float64(found)/float64(tries*c.few), float64(false_)/float64(max(1, found+false_))
		t.Logf("%s: %.1f%% found, %.1f%% of what was called changed was not", c.name, 100*share, 100*wrong)
		if share < c.least || wrong > 0.05 {
			t.Errorf("%s: %.1f%% were found, and %.1f%% of what was called changed was not; seed %d", c.name, 100*share, 100*wrong, seed)
		}
	}
}
