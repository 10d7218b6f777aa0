package outage

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// seen is what was seen of three phases of a second each, the second of which is
// a fault: 100 reads and as many without Redis in each half of a second.
func seen(took func(at time.Duration) time.Duration) *measurement {
	m := &measurement{hits: newBuckets(4 * time.Second)}
	for at := time.Duration(0); at < 3*time.Second; at += 5 * ms {
		faulty := at >= time.Second && at < 2*time.Second
		s := sample{at: at, took: took(at), hit: !faulty, failed: faulty}
		m.samples = append(m.samples, s)
		m.controls = append(m.controls, sample{at: at, took: 10 * ms})
		m.hits.add(at, s.hit)
		m.calls = append(m.calls, call{at, 6 * ms, ms, true})
		if faulty {
			m.calls = append(m.calls, call{at, 5 * ms, 4 * ms, false})
		}
	}
	f := &fault{name: "dark"}
	m.phases = []phase{{nil, 0, time.Second, 0}, {f, time.Second, 2 * time.Second, 1}, {nil, 2 * time.Second, 3 * time.Second, 0}}
	return m
}

// withBreaker is how long reads take if a breaker opens in time.
func withBreaker(at time.Duration) time.Duration {
	switch {
	case at < time.Second || at >= 2*time.Second:
		return ms
	case at < 1500*ms:
		return 110 * ms
	}
	return 11 * ms
}

func TestWhatWasSeenIsPutIntoItsPart(t *testing.T) {
	r := seen(withBreaker).result("l2")
	if len(r.Phases) != 3 {
		t.Fatalf("%+v", r)
	}
	p := r.Phases[1]
	if p.Fault != "dark" || p.All.Reads.Count != 200 || p.All.Loads != 200 || p.All.Hits != 0 || p.All.Unasked != 200 || p.All.Origin.Count != 400 {
		t.Errorf("all: %+v", p.All)
	}
	if want := (Times{100, 110 * ms, 110 * ms, 110 * ms}); p.Before.Reads != want {
		t.Errorf("before: %+v", p.Before.Reads)
	}
	if want := (Times{100, 11 * ms, 11 * ms, 11 * ms}); p.After.Reads != want || p.After.Control.P99 != 10*ms || p.After.Origin.P99 != 6*ms {
		t.Errorf("after: %+v", p.After)
	}
	if p.Former != 1 || !p.Recovered || p.Recovery != recent {
		t.Errorf("recovery: %+v", p)
	}
	if want := (Times{800, ms, 4 * ms, 4 * ms}); r.Lateness != want {
		t.Errorf("lateness: %+v", r.Lateness)
	}
	if h := r.Phases[2]; h.Fault != "" || h.Before != nil || h.All.Hits != 200 || h.All.HitRatio() != 1 || h.All.Availability() != 1 {
		t.Errorf("healthy: %+v", h)
	}
}

func TestEachLimitCanBreak(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*measurement)
		broken []string
	}{
		"nothing": {func(*measurement) {}, nil},
		"a read that fails": {func(m *measurement) { m.samples[0].lost = true },
			[]string{"l2, healthy at 0.0 s: 1 of 200 reads gave an error"}},
		"an old value": {func(m *measurement) { m.samples[300].stale = true },
			[]string{"l2, dark at 1.0 s: 1 of 200 reads were older"}},
		"slow at first": {func(m *measurement) { m.samples[201].took, m.samples[202].took = 111*ms, 111*ms },
			[]string{"the p99 of the first 500ms is 111 ms; it may be 110 ms, without Redis it is 10 ms"}},
		"slow for one in a hundred": {func(m *measurement) { m.samples[201].took = 111 * ms }, nil},
		"slow afterwards": {func(m *measurement) { m.samples[301].took, m.samples[302].took = 12*ms, 12*ms },
			[]string{"the p99 after the first 500ms is 12 ms; it may be 11 ms"}},
		"slow, as the origin is": {func(m *measurement) {
			for i := range m.samples {
				m.samples[i].took += 50 * ms
				m.controls[i].took += 50 * ms
			}
		}, nil},
		"no recovery": {func(m *measurement) {
			m.hits = newBuckets(4 * time.Second)
			for _, s := range m.samples {
				m.hits.add(s.at, s.at < time.Second)
			}
		}, []string{"did not come back to 95 % of the former 100.0 %"}},
		"nothing was read": {func(m *measurement) { m.samples = m.samples[:400] },
			[]string{"healthy at 2.0 s: nothing was read"}},
	} {
		t.Run(what, func(t *testing.T) {
			m := seen(withBreaker)
			c.change(m)
			r := newReport(Default())
			r.Results = []Result{m.result("l2")}
			r.Check(true)
			if len(r.Broken) != len(c.broken) {
				t.Fatalf("broken: %q", r.Broken)
			}
			for i, part := range c.broken {
				if !strings.Contains(r.Broken[i], part) {
					t.Errorf("%q does not say %q", r.Broken[i], part)
				}
			}
		})
	}
}

func TestALateRecoveryBreaksTheLimit(t *testing.T) {
	p := Phase{Fault: "dark", All: Part{Reads: Times{Count: 1}}, Former: 0.9, Recovered: true, Recovery: Patience}
	if b := p.broken(false, Patience); b != nil {
		t.Errorf("in time: %q", b)
	}
	p.Recovery += ms
	if b := p.broken(false, Patience); len(b) != 1 || !strings.Contains(b[0], "took 5 s to come back") {
		t.Errorf("late: %q", b)
	}
}

func TestLatenciesAreCheckedOnlyIfWanted(t *testing.T) {
	r := newReport(Default())
	r.Results = []Result{seen(func(time.Duration) time.Duration { return time.Second }).result("l2")}
	for latencies, n := range map[bool]int{false: 0, true: 2} {
		if r.Check(latencies); len(r.Broken) != n {
			t.Errorf("%v: %q", latencies, r.Broken)
		}
	}
}

func TestTheSectionShowsTheReport(t *testing.T) {
	r := newReport(Default())
	r.Results = []Result{seen(withBreaker).result("l2")}
	r.Check(true)
	var out bytes.Buffer
	r.Section().Text(&out)
	for _, part := range []string{"seed 0", "All limits held.", "no Redis p99", "100%", "110 ms", "300 ms", "dark", "1 ms late at p50 and 4 ms at p99", "BUSY"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("there is no %q in\n%s", part, out.String())
		}
	}
	d := results.Document{Schema: results.Schema, Sections: []*results.Section{r.Section()}}
	if err := d.Check(); err != nil || len(d.Failures()) != 0 {
		t.Errorf("%v, %q", err, d.Failures())
	}
	for name, want := range map[string]float64{
		"outage.l2.availability": 1, "outage.l2.stale": 0, "outage.l2.hit_ratio": 1, "outage.l2.p99_first": 110e6, "outage.l2.p99_after": 11e6,
		"outage.l2.recovery": 300e6, "outage.l2.loads_peak": 200, "outage.l2.dark.availability": 1, "outage.l2.dark.p99_first": 110e6,
	} {
		if m, ok := d.Metric(name); !ok || m.Value() != want {
			t.Errorf("%s is %v, not %v", name, m.Value(), want)
		}
	}
	charts := d.Sections[0].Charts
	if len(charts) != 3 || len(charts[0].Bands) != 1 || charts[0].Bands[0] != (results.Band{From: 1, To: 2, Label: "dark"}) {
		t.Fatalf("the charts are %+v", charts)
	}
	for i, want := range []float64{1e6, 1, 0} { // before the fault, of latency, hits and loads
		if y := charts[i].Series[0].Y; len(y) != 12 || y[0] != want || y[4] == want {
			t.Errorf("the chart %s shows %v", charts[i].ID, y)
		}
	}
	r.Broken = []string{"a limit"}
	d.Sections[0] = r.Section()
	out.Reset()
	if d.Sections[0].Text(&out); !strings.Contains(out.String(), "LIMIT BROKEN: a limit\n") || strings.Contains(out.String(), "held") || len(d.Failures()) != 1 {
		t.Errorf("%s", out.String())
	}
}

func TestThatSomethingWasLostIsNeverRoundedAway(t *testing.T) {
	if got := percent(1, 1_000_000); got != "99.999%" {
		t.Errorf("1 in a million is %s", got)
	}
	if got := percent(0, 5); got != "100%" {
		t.Errorf("nothing is %s", got)
	}
}
