package results

import (
	"fmt"
	"regexp"
	"slices"
)

// Metric is a figure with a name. A name has parts between dots, from the general to
// the particular: what was measured, of which operation, which figure of it, such as
// "aside.get.p99" or "stampede.lock.loads_per_expiry". A point of a sweep stands behind
// an "@": "aside.get.p99@workers=4". No two metrics of a document have the same name.
type Metric struct {
	Name   string    `json:"name"`
	Unit   Unit      `json:"unit"`
	Better Direction `json:"better,omitempty"`
	// Samples are the figure in each repetition, in order; one without repetitions.
	Samples []float64 `json:"samples"`
}

// Value returns the median of the samples, 0 if there are none.
func (m Metric) Value() float64 {
	if len(m.Samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(m.Samples))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// Direction says which of two figures is better. Without one, neither is.
type Direction string

// The directions.
const (
	Lower  Direction = "lower"
	Higher Direction = "higher"
)

var metricName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*(@[a-z0-9_-]+=[A-Za-z0-9_.%-]+)?$`)

// Add adds a metric of one sample.
func (s *Section) Add(name string, unit Unit, better Direction, value float64) {
	s.Metrics = append(s.Metrics, Metric{name, unit, better, []float64{value}})
}

// Metric returns the metric of that name.
func (d *Document) Metric(name string) (Metric, bool) {
	for _, s := range d.Sections {
		if i := slices.IndexFunc(s.Metrics, func(m Metric) bool { return m.Name == name }); i >= 0 {
			return s.Metrics[i], true
		}
	}
	return Metric{}, false
}

// Failures returns the notes which say that a promise was broken.
func (d *Document) Failures() (notes []string) {
	for _, s := range d.Sections {
		for _, n := range s.Notes {
			if n.Level == Fail {
				notes = append(notes, n.Text)
			}
		}
	}
	return notes
}

// Repeat adds the samples of another repetition of the same section; all else stays as
// it is. What only one of the two has is an error.
func (s *Section) Repeat(again *Section) error {
	if len(s.Metrics) != len(again.Metrics) {
		return fmt.Errorf("%s has %d metrics in one repetition and %d in another", s.Name, len(s.Metrics), len(again.Metrics))
	}
	for i := range s.Metrics {
		if s.Metrics[i].Name != again.Metrics[i].Name {
			return fmt.Errorf("%s has %s in one repetition and %s in another", s.Name, s.Metrics[i].Name, again.Metrics[i].Name)
		}
		s.Metrics[i].Samples = append(s.Metrics[i].Samples, again.Metrics[i].Samples...)
	}
	s.Notes = append(s.Notes, slices.DeleteFunc(slices.Clone(again.Notes), func(n Note) bool { return n.Level == Info || slices.Contains(s.Notes, n) })...)
	return nil
}
