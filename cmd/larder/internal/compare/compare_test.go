package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
)

func document(metrics ...results.Metric) *results.Document {
	return &results.Document{Schema: results.Schema, Sections: []*results.Section{{Name: "s", Metrics: metrics}}}
}

func metric(name string, unit results.Unit, better results.Direction, samples ...float64) results.Metric {
	return results.Metric{Name: name, Unit: unit, Better: better, Samples: samples}
}

// around returns eight samples near x.
func around(x float64) (samples []float64) {
	for i := range 8 {
		samples = append(samples, x*(1+0.001*float64(i-4)))
	}
	return samples
}

func repeated(x float64, n int) (samples []float64) {
	for range n {
		samples = append(samples, x)
	}
	return samples
}

func TestVerdicts(t *testing.T) {
	ns, lower, higher := results.Nanoseconds, results.Lower, results.Higher
	for _, c := range []struct {
		name     string
		old, new results.Metric
		want     Verdict
		words    string // in the row
	}{
		{"slower", metric("m", ns, lower, around(1e6)...), metric("m", ns, lower, around(1.2e6)...), Regression, "+20.0%"},
		{"faster", metric("m", ns, lower, around(1e6)...), metric("m", ns, lower, around(0.8e6)...), Improvement, "-20.0%"},
		{"fewer", metric("m", results.PerSecond, higher, around(1000)...), metric("m", results.PerSecond, higher, around(900)...), Regression, "-10.0%"},
		{"more", metric("m", results.PerSecond, higher, around(1000)...), metric("m", results.PerSecond, higher, around(1100)...), Improvement, "+10.0%"},
		{"neither", metric("m", results.Count, "", around(10)...), metric("m", results.Count, "", around(20)...), Differs, "+100.0%"},
		{"within the threshold", metric("m", ns, lower, around(1e6)...), metric("m", ns, lower, around(1.04e6)...), Slight, "+4.0%"},
		{"the same", metric("m", ns, lower, around(1e6)...), metric("m", ns, lower, around(1e6)...), Same, "0%"},
		{"constant", metric("m", ns, lower, repeated(5, 6)...), metric("m", ns, lower, repeated(5, 7)...), Same, "  1  same"},
		{"always zero", metric("m", ns, lower, repeated(0, 6)...), metric("m", ns, lower, repeated(0, 6)...), Same, "0 ns"},
		{"from zero", metric("m", results.Count, lower, repeated(0, 6)...), metric("m", results.Count, lower, repeated(3, 6)...), Regression, "from 0"},
		{"to zero", metric("m", results.Count, lower, repeated(3, 6)...), metric("m", results.Count, lower, repeated(0, 6)...), Improvement, "-100.0%"},
		{"negative", metric("m", ns, lower, around(-100)...), metric("m", ns, lower, around(-50)...), Regression, "+50.0%"},
		{"constant each", metric("m", results.Ratio, higher, repeated(0.9, 6)...), metric("m", results.Ratio, higher, repeated(0.5, 6)...), Regression, "90.0%"},
		{"too few", metric("m", ns, lower, around(1e6)[:5]...), metric("m", ns, lower, around(2e6)...), TooFew, "+100.3%"},
		{"units", metric("m", ns, lower, around(1)...), metric("m", results.Seconds, lower, around(2)...), Unlike, "the old unit is ns, the new s"},
		{"directions", metric("m", ns, lower, around(1)...), metric("m", ns, "", around(2)...), Unlike, "better was lower, and is neither"},
		{"gone", metric("m", ns, lower, around(1)...), metric("n", ns, lower, around(2)...), OnlyOld, "only new"},
	} {
		r := Documents(document(c.old), document(c.new), Options{Alpha: 0.05, Threshold: 0.05})
		if got := r.Rows[0].Verdict; got != c.want || r.Counts[c.want] != 1 {
			t.Errorf("%s: the verdict is %q, not %q: %+v", c.name, got, c.want, r)
		}
		var all, changed bytes.Buffer
		r.Text(&all, true)
		r.Text(&changed, false)
		if !strings.Contains(all.String(), c.words) {
			t.Errorf("%s: the table has no %q:\n%s", c.name, c.words, all.String())
		}
		if strings.Contains(changed.String(), "verdict") != c.want.Changed() {
			t.Errorf("%s: without all:\n%s", c.name, changed.String())
		}
		if data, err := json.Marshal(r); err != nil || !bytes.Contains(data, []byte(`"verdict":"`+string(c.want)+`"`)) {
			t.Errorf("%s: JSON %s, %v", c.name, data, err)
		}
	}
}

func TestManyMetricsAreHeldAgainstHigherBars(t *testing.T) {
	// One of 60 changes, and six samples cannot show that; eight can.
	build := func(n int, factor float64) *results.Document {
		d := document(metric("m", results.Count, results.Lower, around(100 * factor)[:n]...))
		for i := range 59 {
			name := "other." + strings.Repeat("x", i+1)
			d.Sections[0].Metrics = append(d.Sections[0].Metrics, metric(name, results.Count, results.Lower, around(100)[:n]...))
		}
		return d
	}
	o := Options{Alpha: 0.05, Threshold: 0.05}
	r := Documents(build(6, 1), build(6, 2), o)
	if r.Counts[Regression] != 0 || len(r.Advice) != 1 || !strings.Contains(r.Advice[0], "at least 3 of the 60 metrics must change at once") || !strings.Contains(r.Advice[0], "--repeat 7 shows a single one") {
		t.Errorf("with six samples: %v, %q", r.Counts, r.Advice)
	}
	if r := Documents(build(7, 1), build(7, 2), o); r.Counts[Regression] != 1 || len(r.Advice) != 0 {
		t.Errorf("with seven samples: %v, %q", r.Counts, r.Advice)
	}
	if r := Documents(build(6, 1), build(6, 2), Options{Alpha: 0.001}); len(r.Advice) != 1 || !strings.Contains(r.Advice[0], "nothing can be significant: measure with --repeat 7") {
		t.Errorf("at a low alpha: %q", r.Advice)
	}
	if r := Documents(build(3, 1), build(3, 2), o); len(r.Advice) != 1 || !strings.Contains(r.Advice[0], "60 metrics have fewer than 6 samples on a side") || !strings.Contains(r.Advice[0], "--repeat 6") {
		t.Errorf("with three samples: %q", r.Advice)
	}
}

func TestWhatDiffersBetweenRunsIsSaid(t *testing.T) {
	base := func() *results.Document {
		d := document()
		d.Version, d.Seed = "v1", 1
		d.Environment = results.Environment{Go: "go1", OS: "linux", Arch: "amd64", CPU: "X", CPUs: 2, GOMAXPROCS: 2}
		d.Server = server.Info{Kind: "remote", Address: "a:1", Version: "7"}
		d.Config = json.RawMessage(`{"keys": 10, "zipf": 0.9, "out": "a", "seed": 1}`)
		return d
	}
	for words, c := range map[string]struct {
		change func(d *results.Document)
		grave  bool
	}{
		"version of larder: v1, then v2":         {func(d *results.Document) { d.Version = "v2" }, false},
		"version of Go: go1, then go2":           {func(d *results.Document) { d.Environment.Go = "go2" }, false},
		"CPU: X, then unknown":                   {func(d *results.Document) { d.Environment.CPU = "" }, true},
		"GOMAXPROCS: 2, then 4":                  {func(d *results.Document) { d.Environment.GOMAXPROCS = 4 }, true},
		"kind of server: remote, then spawned":   {func(d *results.Document) { d.Server = server.Info{Kind: "spawned", Version: "7"} }, true},
		"version of the server: 7, then 8":       {func(d *results.Document) { d.Server.Version = "8" }, true},
		"address of the server: a:1, then b:1":   {func(d *results.Document) { d.Server.Address = "b:1" }, true},
		"seed: 1, then 2":                        {func(d *results.Document) { d.Seed = 2 }, true},
		"--keys: 10, then 20":                    {func(d *results.Document) { d.Config = json.RawMessage(`{"keys":20,"zipf":0.9}`) }, true},
		"--new: not there, then true":            {func(d *results.Document) { d.Config = json.RawMessage(`{"keys":10,"zipf":0.9,"new":true}`) }, false},
		"config: cannot be read, then cannot be": {func(d *results.Document) { d.Config = json.RawMessage(`[]`) }, false},
	} {
		d := base()
		c.change(d)
		all := Between(base(), d)
		if len(all) == 0 || !strings.HasPrefix(all[len(all)-1].String(), words) && !strings.HasPrefix(all[0].String(), words) || (len(Grave(all)) > 0) != c.grave {
			t.Errorf("%s: %v", words, all)
		}
	}
	d := base()
	d.Config = json.RawMessage(`{"zipf":0.9,"keys":10,"out":"b","seed":1,"assert":["x<1"],"repeat":6}`)
	if all := Between(base(), d); len(all) != 0 {
		t.Errorf("what does not matter is said: %v", all)
	}
}

func TestAnInterruptedRunIsSaid(t *testing.T) {
	d := document(metric("m", results.Count, "", around(1)...))
	e := document(metric("m", results.Count, "", around(1)...))
	e.Interrupted = true
	if r := Documents(d, e, Options{Alpha: 0.05}); len(r.Advice) != 1 || !strings.HasPrefix(r.Advice[0], "the new run was interrupted") {
		t.Errorf("advice %q", r.Advice)
	}
}

func TestRunsInTurnsAreOne(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"1", "2", "3"} {
		if _, err := document(metric("m", results.Count, "", float64(i))).Write(dir + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m, _ := d.Metric("m"); len(m.Samples) != 3 || m.Value() != 1 {
		t.Errorf("samples %v", m.Samples)
	}
	if d, err := Load(dir + "/2"); err != nil || d.Sections[0].Metrics[0].Value() != 1 {
		t.Errorf("one of them: %v", err)
	}
	if _, err := document(metric("n", results.Count, "", 1)).Write(dir + "/4"); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "has no metric m in 1") {
		t.Errorf("error %v", err)
	}
	other := document(metric("m", results.Count, "", 1))
	other.Seed = 5
	if _, err := other.Write(dir + "/4"); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "seed: 0, then 5") {
		t.Errorf("error %v", err)
	}
	if _, err := Load(dir + "/nowhere"); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("error %v", err)
	}
}

func TestTheApproximationNeverLosesANumber(t *testing.T) {
	r := Documents(document(metric("m", results.Count, results.Lower, repeated(1, 100)...)), document(metric("m", results.Count, results.Lower, repeated(2, 100)...)), Options{Alpha: 0.01})
	if p := r.Rows[0].P; r.Rows[0].Verdict != Regression || math.IsNaN(*p) || *p > 1e-20 {
		t.Errorf("row %+v, p %v", r.Rows[0], *p)
	}
}
