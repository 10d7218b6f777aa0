package otelcache_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/otelcache"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

const (
	page       = "../docs/observability.md"
	begin, end = "<!-- metrics of otelcache: go test ./otelcache -update -->\n", "<!-- end -->\n"
)

var update = flag.Bool("update", false, "write the table of metrics into docs/observability.md")

// everything returns all metrics, each with something in it.
func everything(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	meter, collect := metered(t)
	var sources []cache.Source
	for _, level := range []cache.Level{cache.Origin, cache.Memory, cache.Shared} {
		s := &source{Level: level}
		for _, k := range cache.Kinds() {
			s.Counts[k] = 1
		}
		for _, c := range cache.ErrorClasses() {
			s.Errors[c] = 1
		}
		sources = append(sources, s)
	}
	if _, err := otelcache.Register(meter, "users", sources...); err != nil {
		t.Fatal(err)
	}
	o, err := otelcache.Observer(meter)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range cache.Kinds() {
		o.Observe(cache.Event{Kind: k, Cache: "users", N: 1, Took: time.Second})
	}
	return collect()
}

// shape returns the type of a metric, in words and as Prometheus calls it, and the
// values of each attribute.
func shape(t *testing.T, m metricdata.Metrics) (kind, prometheus string, values map[string][]string) {
	t.Helper()
	values = map[string][]string{}
	add := func(s attribute.Set) {
		for _, a := range s.ToSlice() {
			if v := a.Value.AsString(); !slices.Contains(values[string(a.Key)], v) {
				values[string(a.Key)] = append(values[string(a.Key)], v)
			}
		}
	}
	switch d := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes)
		}
		if kind, prometheus = "up-down counter", "gauge"; d.IsMonotonic {
			kind, prometheus = "counter", "counter"
		}
	case metricdata.Histogram[int64]:
		for _, p := range d.DataPoints {
			add(p.Attributes)
		}
		kind, prometheus = "histogram", "histogram"
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			add(p.Attributes)
		}
		kind, prometheus = "histogram", "histogram"
	default:
		t.Errorf("%s is a %T", m.Name, d)
	}
	for _, v := range values {
		slices.Sort(v)
	}
	return kind, prometheus, values
}

// translated returns the name that exporters to Prometheus make: dots become
// underscores, units of time a suffix, units in braces nothing, and a counter ends in
// total.
func translated(m metricdata.Metrics, prometheus string) string {
	name := strings.ReplaceAll(m.Name, ".", "_")
	if m.Unit == "s" {
		name += "_seconds"
	}
	if prometheus == "counter" {
		name += "_total"
	}
	return name
}

func TestTheTableOfMetricsIsComplete(t *testing.T) {
	all := everything(t)
	var b strings.Builder
	b.WriteString("| metric | instrument | unit | in Prometheus |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		kind, prometheus, _ := shape(t, all[name])
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` |\n", name, kind, all[name].Unit, translated(all[name], prometheus))
	}
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	switch {
	case got == b.String():
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table in %s is not that of the metrics: run go test ./otelcache -update.\n%s", page, b.String())
	}
}

// The dashboard and the alerts are made for promcache, whose test holds its table in
// the documentation.
func TestTheMetricsAreThoseOfPromcache(t *testing.T) {
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "<!-- metrics of promcache")
	rest, _, _ = strings.Cut(rest, end)
	want := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| (`larder_.*\\|)$").FindAllStringSubmatch(rest, -1) {
		cells := strings.Split(m[1], " | ")
		want[strings.Trim(cells[0], "`")] = strings.Join([]string{cells[1], cells[3], strings.TrimSuffix(cells[4], " |")}, "; ")
	}
	got := map[string]string{}
	for _, m := range everything(t) {
		_, prometheus, values := shape(t, m)
		label := ""
		for _, l := range slices.Sorted(maps.Keys(values)) {
			if l != "cache" && l != "level" {
				label += fmt.Sprintf("`%s`: %s", l, strings.Join(values[l], ", "))
			}
		}
		if len(values["cache"]) == 0 || len(values["level"]) == 0 {
			t.Errorf("%s has no cache or level: %v", m.Name, values)
		}
		got[translated(m, prometheus)] = strings.Join([]string{prometheus, label, m.Description}, "; ")
	}
	if len(want) < 15 || !maps.Equal(got, want) {
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s is %q here, %q there", name, got[name], want[name])
			}
		}
		t.Errorf("here are %d metrics, there %d", len(got), len(want))
	}
}
