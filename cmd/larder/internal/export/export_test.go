package export

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/report"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/sample"
)

func TestAllFormsAreWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := All(dir, report.Source{Label: "run", Document: sample.Document(1)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"report.html", "summary.md", "metrics.csv", "bench.txt", "charts/strategies.svg", "charts/strategies.png", "charts/outage-heat.csv", "histograms/aside.get.hgrm"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnErrorNamesThePath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, chartsName), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := All(dir, report.Source{Document: sample.Document(1)}); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, chartsName)) {
		t.Errorf("the error is %v", err)
	}
}

// TestBenchIsInTheFormatOfGo checks each line against the grammar of the format.
func TestBenchIsInTheFormatOfGo(t *testing.T) {
	line := regexp.MustCompile(`^(Benchmark[A-Z0-9][^ ]*( \d+)( -?[0-9.e+-]+ [^ ]+)+|[a-z][^ A-Z:]*: .*|Unit [^ ]+( [^ =]+=[^ ]+)+|)$`)
	text := string(Bench(sample.Document(1)))
	for l := range strings.Lines(text) {
		if !line.MatchString(strings.TrimSuffix(l, "\n")) {
			t.Errorf("%q", l)
		}
	}
	if n := strings.Count(text, "BenchmarkAside/op=get/of=p99 1 "); n != 6 {
		t.Errorf("there are %d results of six repetitions:\n%s", n, text)
	}
	for metric, want := range map[string]string{"a": "BenchmarkA", "aside.hit_ratio@workers=4": "BenchmarkAside/of=hit_ratio/workers=4", "stampede.lock.l2.loads": "BenchmarkStampede/op=lock/l2/of=loads"} {
		if got := benchName(metric); got != want {
			t.Errorf("%s is %s, not %s", metric, got, want)
		}
	}
}

func TestCSVHoldsEveryValue(t *testing.T) {
	d := sample.Document(1)
	rows, err := csv.NewReader(bytes.NewReader(Metrics(report.Source{Document: d}))).ReadAll()
	if err != nil || len(rows) != 1+3*6 || rows[1][0] != "aside.get.p99" || rows[1][4] != "82000" {
		t.Errorf("%v %q", err, rows)
	}
	for _, s := range d.Sections {
		for _, c := range s.Charts {
			rows, err := csv.NewReader(bytes.NewReader(Chart(&c))).ReadAll()
			if err != nil || (len(rows) == 1) != (c.ID == "nothing") {
				t.Errorf("%s: %v %d rows", c.ID, err, len(rows))
			}
		}
	}
}

func TestSpectrum(t *testing.T) {
	h := sample.Document(1).Sections[0].Histograms[0]
	if text, err := Spectrum(h); err != nil || !strings.Contains(string(text), "#[Mean") {
		t.Errorf("%v %s", err, text)
	}
	for _, blob := range []string{"", "x", h.Encoded[:20], strings.Repeat("A", 100)} {
		if _, err := Spectrum(results.Histogram{Name: "bad", Encoded: blob}); err == nil || !strings.Contains(err.Error(), "bad") {
			t.Errorf("%q: %v", blob, err)
		}
	}
}

func TestSummaryIsTextOnly(t *testing.T) {
	text := string(Summary(sample.Document(1)))
	if !strings.Contains(text, "**Failed:** 3 reads were stale") || !strings.Contains(text, "| L1 + L2 | 1,204,000 |") || strings.ContainsAny(strings.ReplaceAll(text, `\>`, ""), "<>") {
		t.Error(text)
	}
}

func TestFileNamesAreOnesEverywhere(t *testing.T) {
	for name, want := range map[string]string{"aside.get": "aside.get", "../x": "-.-x-7", "": "-7", `a\b:c`: "a-b-c-7"} {
		if got := fileName(name, 7); got != want {
			t.Errorf("%q is %q, not %q", name, got, want)
		}
	}
}
