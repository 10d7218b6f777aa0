package results

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCheckFindsWhatIsWrong(t *testing.T) {
	for want, s := range map[string]*Section{
		"null":             nil,
		"no name":          {Metrics: []Metric{{Name: "A b", Samples: []float64{1}}}},
		"two metrics":      {Metrics: []Metric{{Name: "a", Samples: []float64{1}}, {Name: "a", Samples: []float64{1}}}},
		"no samples":       {Metrics: []Metric{{Name: "a"}}},
		"is NaN":           {Metrics: []Metric{{Name: "a", Samples: []float64{math.NaN()}}}},
		"no id":            {Charts: []Chart{{ID: "A/b", Kind: Lines}}},
		"or that":          {Charts: []Chart{{ID: "a", Kind: Lines}, {ID: "a", Kind: Lines}}},
		"no kind":          {Charts: []Chart{{ID: "a", Kind: "pie"}}},
		"no scale":         {Charts: []Chart{{ID: "a", Kind: Lines, X: Axis{Scale: "cubic"}}}},
		"for 1 places":     {Charts: []Chart{{ID: "a", Kind: Lines, Series: []Series{{X: Values{1}}}}}},
		"do not rise":      {Charts: []Chart{{ID: "a", Kind: Lines, Series: []Series{{X: Values{2, 1}, Y: Values{1, 1}}}}}},
		"edges":            {Charts: []Chart{{ID: "a", Kind: HeatMap}}},
		"edges do not":     {Charts: []Chart{{ID: "a", Kind: HeatMap, Heat: &Heat{X: Values{1, 1}, Y: Values{0, 1}, Count: [][]float64{{1}}}}}},
		"the rows":         {Charts: []Chart{{ID: "a", Kind: HeatMap, Heat: &Heat{X: Values{0, 1}, Y: Values{0, 1}, Count: [][]float64{{1, 2}}}}}},
		"no columns":       {Tables: []Table{{}}},
		"1 cells for 2 co": {Tables: []Table{{Columns: []string{"a", "b"}, Rows: [][]string{{"c"}}}}},
	} {
		d := &Document{Schema: Schema, Sections: []*Section{s}}
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if err := (&Document{}).Check(); err == nil {
		t.Error("no schema is good")
	}
	good := &Document{Schema: Schema, Sections: []*Section{{Metrics: []Metric{{Name: "aside.get.p99@workers=4", Samples: []float64{1}}}}}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}

func TestAFileIsReadAsItWasWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	d := &Document{Schema: Schema, Sections: []*Section{{Charts: []Chart{{ID: "a", Kind: Lines, Series: []Series{{X: Values{1, 2}, Y: Values{math.NaN(), math.Inf(1)}}}}}}}}
	path, err := d.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, path} {
		again, err := Read(p)
		if err != nil {
			t.Fatal(err)
		}
		if y := again.Sections[0].Charts[0].Series[0].Y; len(y) != 2 || !math.IsNaN(y[0]) || !math.IsNaN(y[1]) {
			t.Errorf("%v", y)
		}
	}
	for _, bad := range []string{"", "{}", "null", "[", `{"schema":"other/1"}`} {
		os.WriteFile(path, []byte(bad), 0o666)
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := Read(filepath.Join(dir, "absent")); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Error(err)
	}
	if err := WriteFile(filepath.Join(dir, "absent", "x"), nil); err == nil {
		t.Error("a directory that is not there is written into")
	}
}

func TestRepeatAddsSamplesAndWarnings(t *testing.T) {
	a := &Section{Name: "s", Metrics: []Metric{{Name: "a", Samples: []float64{1}}}}
	b := &Section{Metrics: []Metric{{Name: "a", Samples: []float64{4}}}, Notes: []Note{{Info, "i"}, {Warn, "w"}}}
	if err := a.Repeat(b); err != nil || !slices.Equal(a.Metrics[0].Samples, []float64{1, 4}) || a.Metrics[0].Value() != 2.5 || len(a.Notes) != 1 {
		t.Errorf("%v %+v", err, a)
	}
	if a.Repeat(&Section{}) == nil || a.Repeat(&Section{Metrics: []Metric{{Name: "b"}}}) == nil {
		t.Error("other metrics are the same")
	}
}

func TestLargeFiguresAreShort(t *testing.T) {
	for _, u := range []Unit{Nanoseconds, PerSecond, Ratio, Bytes, Count, Seconds} {
		for _, x := range []float64{-math.MaxFloat64, math.MaxFloat64, math.MinInt64, math.Inf(-1)} {
			if s := u.Format(x); len(s) > 30 {
				t.Errorf("%v %s is %s", x, u, s)
			}
		}
	}
}

func TestTextShowsTablesBarsAndNotes(t *testing.T) {
	s := &Section{Title: "T", Facts: []Fact{{"f", "v"}}, Tables: []Table{{Columns: []string{"a", "b"}, Rows: [][]string{{"c", "d"}}}},
		Charts: []Chart{{Title: "bars", Kind: Bars, Categories: []string{"x", "y"}, Series: []Series{{Y: Values{1, 2}}}}}, Notes: []Note{{Fail, "broken"}}}
	var out bytes.Buffer
	s.Text(&out)
	for _, want := range []string{"T\n", "f  v", "bars", "##", "FAILED: broken"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, &out)
		}
	}
	if data, err := json.Marshal(Values{1, math.NaN()}); err != nil || string(data) != "[1,null]" {
		t.Errorf("%s %v", data, err)
	}
}
