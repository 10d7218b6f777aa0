package bench

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Sweep changes one setting from run to run.
type Sweep struct {
	Setting string
	Values  []string
	numbers []float64 // of the values, for the X axis
}

// mostPoints bounds the runs of a sweep.
const mostPoints = 50

// setting is a setting that can be swept: how a value is read, and set.
type setting struct {
	name string
	unit results.Unit
	set  func(c *Config, text string) (x float64, err error)
}

func whole(least, most int, field func(*Config) *int) func(*Config, string) (float64, error) {
	return func(c *Config, text string) (float64, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%q is no whole number from %d to %d", text, least, most)
		}
		*field(c) = n
		return float64(n), nil
	}
}

func dist(parse func(string) (workload.Dist, error), field func(*Config) *workload.Dist) func(*Config, string) (float64, error) {
	return func(c *Config, text string) (float64, error) {
		d, err := parse(text)
		if err != nil {
			return 0, err
		}
		*field(c) = d
		return d.At(0.5), nil
	}
}

func number(least, most float64, field func(*Config) *float64) func(*Config, string) (float64, error) {
	return func(c *Config, text string) (float64, error) {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= least && x <= most) {
			return 0, fmt.Errorf("%q is no number from %v to %v", text, least, most)
		}
		*field(c) = x
		return x, nil
	}
}

var settings = []setting{
	{"workers", results.Count, whole(1, 10_000, func(c *Config) *int { return &c.Workers })},
	{"rate", results.PerSecond, number(0.1, 10_000_000, func(c *Config) *float64 { return &c.Rate })},
	{"capacity", results.Count, whole(1, math.MaxInt32, func(c *Config) *int { return &c.Capacity })},
	{"keys", results.Count, whole(1, 10_000_000, func(c *Config) *int { return &c.Keys })},
	{"batch", results.Count, whole(1, workload.MaxBatch, func(c *Config) *int { return &c.Batch })},
	{"db-conns", results.Count, whole(1, 10_000, func(c *Config) *int { return &c.Connections })},
	{"value-size", results.Bytes, dist(workload.ParseSizes, func(c *Config) *workload.Dist { return &c.ValueSize })},
	{"ttl", results.Nanoseconds, dist(workload.ParseTimes, func(c *Config) *workload.Dist { return &c.TTL })},
	{"skew", results.Count, func(c *Config, text string) (float64, error) {
		c.Popularity.Shape = workload.Zipfian
		return number(0.01, 10, func(c *Config) *float64 { return &c.Popularity.Skew })(c, text)
	}},
}

// Settings returns the names of what can be swept.
func Settings() (names []string) {
	for _, s := range settings {
		names = append(names, s.name)
	}
	return names
}

// auto are the capacities that stand for "auto", in parts of the keys.
var auto = []float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1}

// ParseSweep reads a sweep such as "workers=1,2,4,8" or "capacity=auto" of a configuration
// whose keys are known.
func ParseSweep(text string, c Config) (s Sweep, err error) {
	name, values, _ := strings.Cut(text, "=")
	i := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
	if i < 0 {
		return s, fmt.Errorf("%q is not NAME=VALUE,VALUE..., where NAME is one of %s", text, strings.Join(Settings(), ", "))
	}
	s.Setting = name
	if name == "capacity" && values == "auto" {
		for _, part := range auto {
			s.Values = append(s.Values, strconv.Itoa(max(1, int(part*float64(c.Keys)))))
		}
		s.Values = slices.Compact(s.Values)
	} else {
		for v := range strings.SplitSeq(values, ",") {
			s.Values = append(s.Values, strings.TrimSpace(v))
		}
	}
	if len(s.Values) > mostPoints {
		return s, fmt.Errorf("%s has %d values: %d are enough", name, len(s.Values), mostPoints)
	}
	for _, v := range s.Values {
		x, err := settings[i].set(&c, v)
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
		if n := len(s.numbers); n > 0 && x <= s.numbers[n-1] {
			return s, fmt.Errorf("%s: %s does not follow %s: let the values rise", name, v, s.Values[n-1])
		}
		s.numbers = append(s.numbers, x)
	}
	return s, nil
}

// At returns the configuration of the i-th run.
func (s Sweep) At(c Config, i int) Config {
	s.setting().set(&c, s.Values[i]) // no error: it was parsed before
	return c
}

func (s Sweep) setting() setting {
	return settings[slices.IndexFunc(settings, func(k setting) bool { return k.name == s.Setting })]
}

// Section returns what the runs that were made found out, the first first.
func (s Sweep) Section(runs []*Outcome) *results.Section {
	all := &results.Section{
		Name: "strategies", Title: "Caching strategies by " + s.Setting,
		Intro: "The same sequence of operations was played on each strategy, once for each value of one setting.",
		Facts: runs[0].facts(),
		Tables: []results.Table{{
			Columns: []string{s.Setting + ", strategy", "throughput", "p50", "p99", "p99.9", "hit ratio", "db queries avoided", "stale reads"},
		}},
	}
	for i, o := range runs {
		one := o.Section()
		comparison := one.Tables[0]
		for _, row := range comparison.Rows {
			row[0] = s.Values[i] + " " + row[0]
			all.Tables[0].Rows = append(all.Tables[0].Rows, row)
		}
		all.Tables[0].Note = comparison.Note
		for _, m := range one.Metrics {
			m.Name += "@" + s.Setting + "=" + s.Values[i]
			all.Metrics = append(all.Metrics, m)
		}
		for _, n := range one.Notes {
			if n.Level != results.Info {
				n.Text = fmt.Sprintf("%s %s: %s", s.Setting, s.Values[i], n.Text)
			}
			if !slices.Contains(all.Notes, n) {
				all.Notes = append(all.Notes, n)
			}
		}
	}
	for _, c := range []struct {
		title, label string
		unit         results.Unit
		scale        results.Scale
		y            func(*Result) float64
	}{
		{"p99 of reads", "p99", results.Nanoseconds, results.Log, func(r *Result) float64 {
			return float64(r.Latency.reads().planned.Summary().P99)
		}},
		{"Most operations a second", "throughput", results.PerSecond, results.Linear, func(r *Result) float64 { return r.Throughput.PerSecond }},
		{"Hit ratio", "hits", results.Ratio, results.Linear, func(r *Result) float64 { return r.Latency.HitRatio }},
	} {
		all.Charts = append(all.Charts, s.chart(runs, "sweep-"+c.label, c.title, results.Axis{Label: c.label, Unit: c.unit, Scale: c.scale}, c.y))
	}
	return all
}

func (s Sweep) chart(runs []*Outcome, id, title string, y results.Axis, of func(*Result) float64) results.Chart {
	c := results.Chart{ID: id, Title: title + " by " + s.Setting, Kind: results.Lines, Y: y,
		X: results.Axis{Label: s.Setting, Unit: s.setting().unit, Scale: results.Linear}}
	if first := s.numbers[0]; first > 0 && s.numbers[len(s.numbers)-1] > 20*first {
		c.X.Scale = results.Log
	}
	for k := range runs[0].Results {
		line := results.Series{Name: runs[0].Results[k].Strategy}
		for i, o := range runs {
			if k < len(o.Results) {
				line.X, line.Y = append(line.X, s.numbers[i]), append(line.Y, of(&o.Results[k]))
			}
		}
		c.Series = append(c.Series, line)
	}
	return c
}
