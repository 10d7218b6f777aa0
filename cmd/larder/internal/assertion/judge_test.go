package assertion

import (
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

func sample() *results.Document {
	s := &results.Section{Name: "strategies"}
	s.Metrics = append(s.Metrics, results.Metric{Name: "aside.p99", Unit: results.Nanoseconds, Samples: []float64{1e6, 9e6, 2e6}})
	s.Add("none.p99", results.Nanoseconds, results.Lower, 5e6)
	s.Add("aside.hit_ratio", results.Ratio, results.Higher, 0.95)
	s.Add("aside.throughput", results.PerSecond, results.Higher, 5e6)
	s.Add("aside.stale", results.Count, results.Lower, 0)
	s.Add("memory.entry", results.Bytes, results.Lower, 1024)
	s.Add("recovery", results.Seconds, results.Lower, 1.5)
	s.Add("loads", results.Count, results.Lower, 5000)
	s.Add("idle", results.Nanoseconds, results.Lower, 0)
	return &results.Document{Schema: results.Schema, Sections: []*results.Section{s}}
}

func TestJudge(t *testing.T) {
	for text, c := range map[string]struct {
		holds bool
		words string
	}{
		"aside.p99<2ms":                {false, "aside.p99 < 2ms does not hold: aside.p99 is 2.00 ms (the median of 3)"},
		"aside.p99<=2ms":               {true, "aside.p99 <= 2ms holds: aside.p99 is 2.00 ms"},
		"aside.p99>1999us":             {true, ""},
		"aside.p99 < none.p99*0.5":     {true, "aside.p99 is 2.00 ms (the median of 3), and none.p99 is 5.00 ms"},
		"aside.p99 < none.p99*0.4":     {false, ""},
		"aside.p99 != none.p99":        {true, ""},
		"aside.hit_ratio==95%":         {true, "aside.hit_ratio is 95%"},
		"aside.hit_ratio>=0.95":        {true, ""},
		"aside.hit_ratio>95.01%":       {false, ""},
		"aside.throughput>=5M/s":       {true, "5,000,000/s"},
		"aside.throughput>5000k/s":     {false, ""},
		"aside.stale==0":               {true, ""},
		"aside.stale==0ms":             {false, "it is counted in pieces: compare it with a plain number"},
		"memory.entry<=1KiB":           {true, ""},
		"memory.entry<1.1kB":           {true, "1.02 kB"},
		"recovery<1500ms":              {false, ""},
		"recovery<=1500ms":             {true, "recovery is 1.50 s"},
		"loads==5k":                    {true, ""},
		"idle==0":                      {true, "idle is 0 ns"},
		"aside.p99<2":                  {false, "it is counted in nanoseconds: compare it with a duration such as 2ms"},
		"aside.p99<95%":                {false, "compare it with a duration"},
		"aside.throughput<5M":          {false, "compare it with a rate such as 5M/s"},
		"aside.hit_ratio<5B":           {false, "it is counted in parts of 1: compare it with a share such as 95%"},
		"aside.p99<aside.throughput":   {false, "aside.p99 is counted in nanoseconds, and aside.throughput in operations a second"},
		"asdie.p99<2ms":                {false, "this run has no metric asdie.p99; it has aside.p99"},
		"aside.p99<nnoe.p99":           {false, "this run has no metric nnoe.p99; it has none.p99"},
		"completely.different.thing<1": {false, "nor one of a name like that among its 9 (larder list metrics shows them)"},
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		s := Judge(sample(), []Expression{e})
		if holds := s.Notes[0].Level == results.Info; len(s.Notes) != 1 || holds != c.holds || !strings.Contains(s.Notes[0].Text, c.words) {
			t.Errorf("%s: %+v", text, s.Notes)
		}
		d := sample()
		d.Sections = append(d.Sections, s)
		if err := d.Check(); err != nil || (len(d.Failures()) == 0) != c.holds {
			t.Errorf("%s: the document fails with %q, %v", text, d.Failures(), err)
		}
	}
}

func TestEveryUnitIsNamed(t *testing.T) {
	for name := range units {
		if name != "" && !strings.Contains(name, "µ") && !strings.Contains(name, "μ") && !strings.Contains(unitNames, name) {
			t.Errorf("the unit %s is not in the message", name)
		}
	}
}
