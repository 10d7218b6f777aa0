package promcache_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/promcache"
	dto "github.com/prometheus/client_model/go"
)

// exported is all that a Collector exports, and what Prometheus makes of it.
type exported struct {
	families map[string]*dto.MetricFamily
	recorded map[string][]string // rules, with the labels they have
}

func everything(t testing.TB) exported {
	return exported{gather(t, promcache.New("users", busy()...)), map[string][]string{}}
}

// values returns the labels of a metric, and the values that each can have.
func (x exported) values(name string) map[string][]string {
	out := map[string][]string{}
	for _, m := range x.families[name].GetMetric() {
		for label, value := range labels(m) {
			if !slices.Contains(out[label], value) {
				out[label] = append(out[label], value)
			}
		}
	}
	for _, v := range out {
		slices.Sort(v)
	}
	return out
}

// family returns the metric that a series is of: of a histogram, it has a suffix.
func (x exported) family(series string) (name string, bucket, ok bool) {
	if f := x.families[series]; f != nil {
		return series, false, f.GetType() != dto.MetricType_HISTOGRAM
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, cut := strings.CutSuffix(series, suffix); cut && x.families[base].GetType() == dto.MetricType_HISTOGRAM {
			return base, suffix == "_bucket", x.families[base] != nil
		}
	}
	return "", false, false
}

// fromTargets are the labels that scrapes add.
var fromTargets = []string{"instance", "job"}

// problems returns what is wrong with an expression and with the labels that a text
// beside it uses.
func (x exported) problems(expr string, used ...string) (out []string) {
	q, err := readPromQL(expr)
	if err != nil {
		return []string{err.Error()}
	}
	if len(q.selectors) == 0 {
		return []string{"there is no metric"}
	}
	known := slices.Clone(fromTargets) // labels that something in the expression has
	for _, s := range q.selectors {
		if have, ok := x.recorded[s.name]; ok {
			known = append(known, have...)
			for _, m := range s.matchers {
				if !slices.Contains(have, m.label) {
					out = append(out, fmt.Sprintf("%s has no label %s", s.name, m.label))
				}
			}
			continue
		}
		name, bucket, ok := x.family(s.name)
		if !ok {
			out = append(out, fmt.Sprintf("nothing exports %s", s.name))
			continue
		}
		have := x.values(name)
		if bucket {
			have["le"] = nil
		}
		known = slices.AppendSeq(known, maps.Keys(have))
		for _, m := range s.matchers {
			values, ok := have[m.label]
			switch {
			case slices.Contains(fromTargets, m.label), m.label == "cache" && ok, m.label == "le" && ok:
			case !ok:
				out = append(out, fmt.Sprintf("%s has no label %s", s.name, m.label))
			default:
				for _, v := range strings.Split(m.value, "|") {
					if !slices.Contains(values, v) {
						out = append(out, fmt.Sprintf("the label %s of %s is never %q, only one of %q", m.label, s.name, v, values))
					}
				}
			}
		}
	}
	for _, label := range q.grouping {
		if !slices.Contains(known, label) {
			out = append(out, fmt.Sprintf("nothing in it has a label %s", label))
		}
	}
	if slices.Contains(q.functions, "histogram_quantile") && !slices.Contains(q.grouping, "le") {
		out = append(out, "histogram_quantile without le")
	}
	for _, label := range used {
		if !slices.Contains(q.grouping, label) {
			out = append(out, fmt.Sprintf("the result has no label %s", label))
		}
	}
	return out
}

var inTemplate = regexp.MustCompile(`\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}`)

// labelsIn returns the labels that a legend or an annotation shows.
func labelsIn(text string) (all []string) {
	for _, m := range inTemplate.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestWhatIsNotExportedIsFound(t *testing.T) {
	x := everything(t)
	x.recorded["a:b:c"] = []string{"cache"}
	for _, good := range []string{
		`sum by (cache, level) (rate(larder_hits_total{cache=~"$cache",job="shop"}[5m]))`,
		`histogram_quantile(0.5, sum by (le) (rate(larder_load_seconds_bucket{le="1"}[5m])))`,
		`rate(larder_trip_keys_sum[5m]) / rate(larder_trip_keys_count[5m])`,
		`sum by (instance) (larder_events_total{kind=~"skipped|trip_wire"}) or a:b:c`,
	} {
		got := x.problems(good)
		if strings.Contains(good, "trip_wire") {
			if len(got) != 1 || !strings.Contains(got[0], "trip_wire") {
				t.Errorf("%s: %q", good, got)
			}
		} else if len(got) > 0 {
			t.Errorf("%s: %q", good, got)
		}
	}
	for bad, want := range map[string]string{
		`larder_hit_total`:                                              "nothing exports larder_hit_total",
		`larder_load_seconds`:                                           "nothing exports larder_load_seconds",
		`larder_load_seconds_total`:                                     "nothing exports",
		`larder_hits_total_count`:                                       "nothing exports",
		`larder_hits_total{key="1"}`:                                    "no label key",
		`larder_hits_total{le="1"}`:                                     "no label le",
		`larder_misses_total{reason="gone"}`:                            "never \"gone\"",
		`larder_misses_total{reason=~"tag|gone"}`:                       "never \"gone\"",
		`sum by (key) (larder_entries)`:                                 "nothing in it has a label key",
		`sum by (le) (larder_load_seconds_sum)`:                         "nothing in it has a label le",
		`histogram_quantile(0.5, rate(larder_load_seconds_bucket[5m]))`: "without le",
		`a:b:c{level="memory"}`:                                         "no label level",
		`d:e:f`:                                                         "nothing exports",
		`1 + 1`:                                                         "no metric",
		`sum(`:                                                          "too many",
	} {
		if got := x.problems(bad); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %q, want one: %s", bad, got, want)
		}
	}
	if got := x.problems(`sum by (cache) (larder_entries)`, labelsIn("{{cache}} {{ $labels.level }} {{ $value }}")...); len(got) != 1 || !strings.Contains(got[0], "no label level") {
		t.Errorf("a label that is gone: %q", got)
	}
}
