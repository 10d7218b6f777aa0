package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestANameIsTakenApart(t *testing.T) {
	for line, want := range map[string]key{
		"BenchmarkHit/lib=otter-coarse  10  3 ns/op":                 {row: "Hit", lib: "otter-coarse", procs: 1},
		"BenchmarkHit/lib=otter-coarse-2  10  3 ns/op":               {row: "Hit", lib: "otter-coarse", procs: 2},
		"BenchmarkTags/tags=3/lib=larder-16  10  3 ns/op":            {row: "Tags/tags=3", lib: "larder", procs: 16},
		"BenchmarkInvalidateTag/lib=a/members=1000-2  10  3 ns/op":   {row: "InvalidateTag/members=1000", lib: "a", procs: 2},
		"BenchmarkCommands/call=Get/tags=3/lib=b  10  3 commands/op": {row: "Commands/call=Get/tags=3", lib: "b", procs: 1},
	} {
		if k, _, err := parseResult(line); k != want || err != nil {
			t.Errorf("%s: %+v, %v", line, k, err)
		}
	}
}

func TestAllUnitsOfALineAreRead(t *testing.T) {
	_, v, err := parseResult("BenchmarkX/lib=a-2  \t 1000\t  12.50 ns/op\t 0 allocs/op\t 1.5e+06 p99-ns")
	if want := (values{"ns/op": 12.5, "allocs/op": 0, "p99-ns": 1.5e6}); !reflect.DeepEqual(v, want) || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestLinesThatAreNoResultsAreErrors(t *testing.T) {
	for _, line := range []string{"BenchmarkX", "BenchmarkX 10 3", "BenchmarkX 10 three ns/op", "BenchmarkX 10 3 ns/op 4"} {
		if _, v, err := parseResult(line); err == nil {
			t.Errorf("%q is %v", line, v)
		}
	}
	for _, text := range []string{
		"pkg: p\nBenchmarkX/lib=a 10 3 ns/op\n",                                         // before the first round
		"# round 1\npkg: p\nBenchmarkX/lib=a 10 3 ns/op\nBenchmarkX/lib=a 10 3 ns/op\n", // twice
		"# round 1\npkg: p\nBenchmarkX/lib=a\n",
	} {
		if _, err := parse(strings.NewReader(text)); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

func TestResultsAreSortedByRoundAndSuite(t *testing.T) {
	all, err := parse(strings.NewReader("date: today\n\n# round 1\npkg: x/a\nBenchmarkX/lib=l 1 3 ns/op\npkg: x/b\nBenchmarkX/lib=l 1 5 ns/op\n" +
		"\n# round 2\ndate: other\npkg: x/b\nBenchmarkX/lib=l 1 7 ns/op\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := key{suite: "a", row: "X", lib: "l", procs: 1}, key{suite: "b", row: "X", lib: "l", procs: 1}
	want := []map[key]values{{a: {"ns/op": 3}, b: {"ns/op": 5}}, {b: {"ns/op": 7}}}
	if !reflect.DeepEqual(all.rounds, want) || !reflect.DeepEqual(all.order, []key{a, b}) {
		t.Errorf("%v, %v", all.rounds, all.order)
	}
	if all.config["date"] != "today" {
		t.Errorf("the date is %q", all.config["date"])
	}
}

func TestOnlyWhatBenchstatReadsIsKeptOfAnOutput(t *testing.T) {
	got := benchmarkLines("goos: linux\npkg: x/y\ncpu: Example 3000  \nwarning: else\nBenchmarkX\nBenchmarkX/lib=a-2   \t 10\t 3 ns/op\n" +
		"--- FAIL: BenchmarkX/lib=b\n    x_test.go:1: bad\nBenchmarkX/lib=b --- FAIL: x\nPASS\n")
	if want := "goos: linux\npkg: x/y\ncpu: Example 3000\nBenchmarkX/lib=a-2   \t 10\t 3 ns/op\n"; got != want {
		t.Errorf("%q", got)
	}
}
