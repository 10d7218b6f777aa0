package outage

import (
	"math"
	"time"
)

// step is the width of what a timeline counts together.
const step = 250 * time.Millisecond

// Timeline is what was seen in each step of a run, from its begin on. What was not seen
// is NaN.
type Timeline struct {
	P99, Control []float64 // of reads, and of those that have no Redis, in nanoseconds
	HitRatio     []float64
	Loads        []float64 // of the reads, in a second
}

func (m *measurement) timeline() (t Timeline) {
	if len(m.phases) == 0 {
		return t
	}
	n := int(m.phases[len(m.phases)-1].end / step) // the last step that is not whole is left out
	reads, controls := make([][]time.Duration, n), make([][]time.Duration, n)
	hits := make([]int, n)
	t.Loads = make([]float64, n)
	for _, s := range m.samples {
		if i := int(s.at / step); i < n {
			reads[i] = append(reads[i], s.took)
			hits[i] += number(s.hit)
		}
	}
	for _, s := range m.controls {
		if i := int(s.at / step); i < n {
			controls[i] = append(controls[i], s.took)
		}
	}
	for _, c := range m.calls {
		if i := int(c.at / step); i < n && !c.control {
			t.Loads[i] += float64(time.Second / step)
		}
	}
	for i := range n {
		ratio := math.NaN()
		if len(reads[i]) > 0 {
			ratio = part(hits[i], len(reads[i]))
		}
		t.HitRatio = append(t.HitRatio, ratio)
		t.P99, t.Control = append(t.P99, p99(reads[i])), append(t.Control, p99(controls[i]))
	}
	return t
}

func p99(all []time.Duration) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	return float64(sorted(all).at(0.99))
}
