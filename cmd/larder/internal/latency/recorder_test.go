package latency

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if math.Abs(float64(got-want)) > 0.011*float64(want) {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}

func TestSummaryOfMergedRecorders(t *testing.T) {
	a, b := NewRecorder(), NewRecorder()
	for i := range 1000 {
		r := a
		if i%2 == 0 {
			r = b
		}
		r.Record(time.Duration(i+1) * time.Millisecond)
	}
	a.Merge(b)
	s := a.Summary()
	if s.Count != 1000 {
		t.Errorf("%d were counted", s.Count)
	}
	near(t, "the mean", s.Mean, 500*time.Millisecond)
	near(t, "the least", s.Min, time.Millisecond)
	near(t, "p50", s.P50, 500*time.Millisecond)
	near(t, "p90", s.P90, 900*time.Millisecond)
	near(t, "p99", s.P99, 990*time.Millisecond)
	near(t, "p99.9", s.P999, 999*time.Millisecond)
	near(t, "the most", s.Max, time.Second)
}

func TestRecorderTakesAnyDuration(t *testing.T) {
	r := NewRecorder()
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, math.MaxInt64} {
		r.Record(d)
	}
	s := r.Summary()
	if s.Count != 5 {
		t.Errorf("%d of 5 were counted", s.Count)
	}
	near(t, "the most", s.Max, 10*time.Minute)
	r.Reset()
	if got := r.Summary(); got != (Summary{}) {
		t.Errorf("after Reset: %+v", got)
	}
}

func TestSummaryIsNanosecondsInJSON(t *testing.T) {
	b, err := json.Marshal(Summary{Count: 1, P999: 2 * time.Millisecond})
	if err != nil || !strings.Contains(string(b), `"p99_9_ns":2000000`) {
		t.Errorf("%s, %v", b, err)
	}
}
