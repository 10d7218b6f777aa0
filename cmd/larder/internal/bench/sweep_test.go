package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

func TestParseSweep(t *testing.T) {
	c := Default()
	c.Keys = 5000
	for text, want := range map[string]struct {
		values  []string
		last    func(Config) bool
		numbers []float64
	}{
		"workers=1, 2,4":     {[]string{"1", "2", "4"}, func(c Config) bool { return c.Workers == 4 }, []float64{1, 2, 4}},
		"capacity=auto":      {[]string{"5", "15", "50", "150", "500", "1500", "5000"}, func(c Config) bool { return c.Capacity == 5000 }, nil},
		"value-size=100,10k": {[]string{"100", "10k"}, func(c Config) bool { return c.ValueSize.At(0.2) == 10_000 }, []float64{100, 10_000}},
		"ttl=1s,1m":          {[]string{"1s", "1m"}, func(c Config) bool { return c.TTL.At(0.9) == float64(time.Minute) }, nil},
		"rate=10,2e3":        {[]string{"10", "2e3"}, func(c Config) bool { return c.PlannedRate(true) == 2000 }, nil},
		"skew=0.5,1.2":       {[]string{"0.5", "1.2"}, func(c Config) bool { return c.Popularity.String() == "zipf:1.2" }, nil},
	} {
		s, err := ParseSweep(text, c)
		if err != nil || !slices.Equal(s.Values, want.values) || want.numbers != nil && !slices.Equal(s.numbers, want.numbers) {
			t.Errorf("%s is %+v, %v", text, s, err)
			continue
		}
		if got := s.At(c, len(s.Values)-1); !want.last(got) {
			t.Errorf("%s ends with %+v", text, got)
		}
	}
	for text, part := range map[string]string{
		"":                                 "one of workers",
		"size=1":                           "one of workers",
		"workers":                          `"" is no whole number`,
		"workers=0":                        `"0" is no whole number`,
		"workers=2,1":                      "1 does not follow 2",
		"workers=auto":                     `"auto"`,
		"rate=NaN":                         `"NaN"`,
		"value-size=1,x":                   `"x"`,
		"keys=" + strings.Repeat("1,", 60): "50 are enough",
	} {
		if s, err := ParseSweep(text, c); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is %+v, %v", text, s, err)
		}
	}
}

func TestSweepShowsEachValue(t *testing.T) {
	c := small()
	c.Mix = workload.Mix{workload.Get: 1}
	s, err := ParseSweep("workers=1,40", c)
	if err != nil {
		t.Fatal(err)
	}
	var runs []*Outcome
	for i := range s.Values {
		o, err := measured(t.Context(), s.At(c, i), noCache())
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, o)
	}
	section := s.Section(runs)
	d := results.Document{Schema: results.Schema, Sections: []*results.Section{section}}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	one, _ := d.Metric("no-cache.throughput@workers=1")
	many, _ := d.Metric("no-cache.throughput@workers=40")
	if many.Value() < 4*one.Value() || one.Value() == 0 {
		t.Errorf("one worker does %v operations a second, 40 do %v", one.Value(), many.Value())
	}
	if y := section.Charts[1].Series[0].Y; len(y) != 2 || y[0] != one.Value() || y[1] != many.Value() || section.Charts[1].X.Scale != results.Log {
		t.Errorf("the chart is %+v", section.Charts[1])
	}
	if rows := section.Tables[0].Rows; len(rows) != 2 || rows[1][0] != "40 no cache" {
		t.Errorf("the rows are %q", rows)
	}
}
