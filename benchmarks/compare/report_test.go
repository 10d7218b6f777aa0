package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what came: go test -update writes it\n%s", path, got)
	}
}

func sample(t *testing.T) *results {
	t.Helper()
	f, err := os.Open("testdata/raw.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestThePageIsMadeOfTheLines(t *testing.T) { golden(t, "compare.golden", report(sample(t))) }
func TestTheTablesOfTheReadmeAreMadeOfTheLines(t *testing.T) {
	golden(t, "readme.golden", compact(sample(t)))
}

// A partial run must not claim anything.
func TestNothingMeasuredIsNoGoalMet(t *testing.T) {
	page := report(&results{config: map[string]string{}})
	if n := strings.Count(page, "| not measured |"); n != len(goals) {
		t.Errorf("%d of %d goals are not measured", n, len(goals))
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
		t.Error(page)
	}
	if text := compact(&results{config: map[string]string{}}); strings.Contains(text, "NaN") || strings.Contains(text, "**") {
		t.Error(text)
	}
}

// A goal of a benchmark that no suite runs would never be measured.
func TestEveryGoalIsMeasuredBySomeSuite(t *testing.T) {
	for _, g := range goals {
		for _, k := range []key{g.of, g.per} {
			if k.lib == "" {
				continue
			}
			name, _, _ := strings.Cut(k.row, "/")
			if !slices.ContainsFunc(suites, func(s suite) bool {
				procs := string(rune('0' + k.procs))
				return s.pkg == k.suite && (s.lib == "" || s.lib == k.lib) && regexp.MustCompile(s.bench).MatchString("Benchmark"+name) && strings.Contains(s.cpu, procs)
			}) {
				t.Errorf("%+v", k)
			}
		}
	}
}

func TestOnlyWhatIsBetweenTheMarksIsReplaced(t *testing.T) {
	page := "before\n" + begin + "\nold\nlines\n" + end + "\nafter\n"
	got, err := between(page, "new\n")
	if want := "before\n" + begin + "\nnew\n" + end + "\nafter\n"; got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if again, err := between(got, "new\n"); again != got || err != nil {
		t.Errorf("a second time: %q, %v", again, err)
	}
	for _, bad := range []string{"", begin + "\n", end + "\n" + begin + "\n"} {
		if got, err := between(bad, "new\n"); err == nil {
			t.Errorf("%q becomes %q", bad, got)
		}
	}
}

func TestFlagsThatMakeNoSenseAreErrors(t *testing.T) {
	for _, args := range [][]string{{"--rounds", "0"}, {"--only", "("}, {"memory"}} {
		if o, err := parseFlags(args); err == nil {
			t.Errorf("%q: %+v", args, o)
		}
	}
	o, err := parseFlags([]string{"--only", "^heap$", "--out", ""})
	if err != nil || o.rounds != 6 || !o.only.MatchString("heap") || o.only.MatchString("memory-hits") || o.out != "" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 1: "1", 0.054: "0.05", 0.654: "0.65", 9.999: "10.00", 12.34: "12.3", 123.4: "123", 1001: "1001", 1.5e6: "1500000"} {
		if got := digits(x); got != want {
			t.Errorf("%v: %s", x, got)
		}
	}
}

func TestTheProcessorHasAName(t *testing.T) {
	if name := cpuModel("processor\t: 0\nmodel name\t: Example 3000\nmodel name\t: Other\n"); name != "Example 3000" {
		t.Error(name)
	}
	if text := describe(cpuModel(""), 2, "linux", "arm64", "go1.30"); text != "unknown processor, 2 cores, linux/arm64, go1.30" {
		t.Error(text)
	}
}

func TestTheVersionsAreThoseOfTheTests(t *testing.T) {
	all, err := modules(t.Context(), []string{packages + "memory"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(m string) bool { return strings.HasPrefix(m, "github.com/maypok86/otter/v2 v2.") }) {
		t.Errorf("otter is not in %q", all)
	}
	if slices.ContainsFunc(all, func(m string) bool { return strings.Contains(m, "larder") }) {
		t.Errorf("the checkout is in %q", all)
	}
}
