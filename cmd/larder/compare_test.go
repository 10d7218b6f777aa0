package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// written returns the directory of a run whose one metric has n samples from x on.
func written(t *testing.T, x float64, n int, change func(d *results.Document)) string {
	t.Helper()
	m := results.Metric{Name: "aside.p99", Unit: results.Nanoseconds, Better: results.Lower}
	for i := range n {
		m.Samples = append(m.Samples, x+float64(i))
	}
	d := &results.Document{Schema: results.Schema, Seed: 1, Sections: []*results.Section{{Name: "strategies", Metrics: []results.Metric{m}}}}
	if change != nil {
		change(d)
	}
	dir := t.TempDir()
	if _, err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCompareFindsARegression(t *testing.T) {
	old, new := written(t, 1e6, 6, nil), written(t, 2e6, 6, nil)
	stdout, stderr, code := larder(t, "compare", old, new)
	if code != exitBroken || !strings.Contains(stdout, "+100.0%") || !strings.Contains(stdout, "1 regression (") {
		t.Errorf("exit code %d, output\n%s", code, stdout)
	}
	checkLine(t, stderr, "1 REGRESSION: aside.p99 was 1.00 ms and is 2.00 ms")
	if stdout, stderr, code := larder(t, "compare", new, filepath.Join(old, "results.json")); code != exitOK || stderr != "" || !strings.Contains(stdout, "1 improvement") {
		t.Errorf("the other way: exit code %d, output\n%s%s", code, stdout, stderr)
	}
	if stdout, _, code := larder(t, "compare", "--threshold", "150%", old, new); code != exitOK || !strings.Contains(stdout, "No significant change; 1 that differs, but by no more than 150%") {
		t.Errorf("below the threshold: exit code %d, output\n%s", code, stdout)
	}
	if stdout, _, code := larder(t, "compare", "--alpha", "0.001", old, new); code != exitOK || !strings.Contains(stdout, "--repeat 7") {
		t.Errorf("at a low alpha: exit code %d, output\n%s", code, stdout)
	}
	stdout, _, code = larder(t, "compare", "--json", old, new)
	var r struct{ Schema string }
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || r.Schema != "larder.compare/1" || code != exitBroken {
		t.Errorf("exit code %d, JSON %s: %v", code, stdout, err)
	}
}

func TestCompareRefusesWhatIsNotComparable(t *testing.T) {
	base := written(t, 1e6, 6, nil)
	empty := t.TempDir()
	broken := filepath.Join(empty, "broken.json")
	if err := os.WriteFile(broken, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	seed := written(t, 1e6, 6, func(d *results.Document) { d.Seed, d.Environment.CPU = 2, "Y" })
	other := written(t, 1e6, 6, func(d *results.Document) { d.Sections[0].Metrics[0].Name = "other" })
	for args, part := range map[string]string{
		base:                                   "needs two runs",
		base + " " + empty:                     "is not there",
		base + " " + broken:                    "no document of results",
		base + " " + seed:                      "(CPU: unknown, then Y; seed: 1, then 2): measure again, or compare them with --anyway",
		base + " " + other:                     "have no metric in common",
		base + " " + base + " --alpha 1":       "--alpha is 1",
		base + " " + base + " --alpha NaN":     "--alpha is NaN",
		base + " " + base + " --threshold x":   `--threshold is "x"`,
		base + " " + base + " --threshold -1%": `--threshold is "-1%"`,
	} {
		stdout, stderr, code := larder(t, append([]string{"compare"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
	if stdout, _, code := larder(t, "compare", "--anyway", base, seed); code != exitOK || !strings.Contains(stdout, "Note: seed: 1, then 2.") {
		t.Errorf("exit code %d, output\n%s", code, stdout)
	}
}
