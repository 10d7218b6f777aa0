package promcache_test

import (
	"math"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/promcache"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a store or Loader that has counted this.
type source cache.Stats

func (s *source) Stats() cache.Stats { return cache.Stats(*s) }

// idle returns sources of all levels that have counted nothing.
func idle() []cache.Source {
	return []cache.Source{&source{Level: cache.Origin}, &source{Level: cache.Memory}, &source{Level: cache.Shared}}
}

// busy returns sources of all levels in which every number is set, and none that
// another has.
func busy() []cache.Source {
	var sources []cache.Source
	n := int64(1000)
	next := func() int64 { n++; return n }
	histogram := func() cache.Histogram {
		a, b := next(), next()
		return cache.Histogram{Count: a + b, Sum: next(), Buckets: []cache.Bucket{{UpTo: 3_000, Count: a}, {UpTo: math.MaxInt64, Count: b}}}
	}
	for _, level := range []cache.Level{cache.Origin, cache.Memory, cache.Shared} {
		s := &source{Level: level, Entries: next(), Breaker: cache.BreakerIsOpen, Evicted: map[string]int64{"full": next()}}
		for _, k := range cache.Kinds() {
			s.Counts[k] = next()
		}
		for _, c := range cache.ErrorClasses() {
			s.Errors[c] = next()
		}
		s.Loads, s.Trips, s.Lag, s.Batch = histogram(), histogram(), histogram(), histogram()
		sources = append(sources, s)
	}
	return sources
}

// gather returns the metrics of collectors on one pedantic registry, by name.
func gather(t testing.TB, collectors ...prometheus.Collector) map[string]*dto.MetricFamily {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	for _, c := range collectors {
		if err := r.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*dto.MetricFamily{}
	for _, f := range families {
		all[f.GetName()] = f
	}
	return all
}

// find returns the metric of a family whose labels are those of want, given as
// names and values, besides the cache; nil if there is none.
func find(all map[string]*dto.MetricFamily, name string, want ...string) *dto.Metric {
	for _, m := range all[name].GetMetric() {
		have := labels(m)
		same := len(have) == len(want)/2+1
		for i := 0; i < len(want); i += 2 {
			same = same && have[want[i]] == want[i+1]
		}
		if same {
			return m
		}
	}
	return nil
}

func labels(m *dto.Metric) map[string]string {
	out := map[string]string{}
	for _, l := range m.GetLabel() {
		out[l.GetName()] = l.GetValue()
	}
	return out
}

// number returns the value of a counter or gauge; NaN if there is no such metric.
func number(all map[string]*dto.MetricFamily, name string, want ...string) float64 {
	m := find(all, name, want...)
	switch {
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	}
	return math.NaN()
}

var _ prometheus.Collector = (*promcache.Collector)(nil)
