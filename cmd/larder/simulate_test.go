package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeLoop writes a compact trace that requests keys in turn, rounds times.
func writeLoop(t *testing.T, keys, rounds int) string {
	t.Helper()
	var ids []uint32
	for range rounds {
		for id := range keys {
			ids = append(ids, uint32(id))
		}
	}
	var b bytes.Buffer
	if err := trace.WriteCompact(&b, ids); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, fmt.Sprintf("loop%d.trc", keys), b.Bytes())
}

// simulate runs the command with results in a directory of its own, and returns what it
// printed, its complaints without the lines of the meter, and the document, if any.
func simulated(t *testing.T, args ...string) (stdout, complaints string, d *results.Document, code int) {
	t.Helper()
	dir := t.TempDir()
	stdout, stderr, code := larder(t, append([]string{"simulate", "--out", dir}, args...)...)
	if d, err := results.Read(dir); err == nil {
		return stdout, complaintsOf(stderr), d, code
	}
	return stdout, complaintsOf(stderr), nil, code
}

func complaintsOf(stderr string) (complaints string) {
	for line := range strings.Lines(stderr) {
		if !strings.Contains(line, "%  simulate: ") {
			complaints += line
		}
	}
	return complaints
}

func value(t *testing.T, d *results.Document, metric string) float64 {
	t.Helper()
	m, ok := d.Metric(metric)
	if !ok {
		t.Fatalf("no metric %s", metric)
	}
	return m.Value()
}

func TestSimulateTable(t *testing.T) {
	path := writeLoop(t, 1000, 10)
	stdout, complaints, d, code := simulated(t, "--capacity", "100,25%", path)
	want := "Hit ratios of " + path + `

trace     ` + path + `
format    compact
requests  10000, 1000 unique keys

Hit ratio in per cent, and points that are missing to the optimum
  capacity   lru  memstore    2q  adaptive  optimum  lru gap  memstore gap  2q gap  adaptive gap
  100       0.00      0.00  0.00         -     9.00     9.00          9.00    9.00             -
  250       0.00      0.00  0.00         -    22.50    22.50         22.50   22.50             -

The optimum knows the future: no policy has more hits.
`
	stdout = adaptiveCells.ReplaceAllString(stdout, "$1         -$2             -")
	if !strings.Contains(stdout, want) || complaints != "" || code != exitOK {
		t.Errorf("exit code %d, errors %q, output\n%s\nwant\n%s", code, complaints, stdout, want)
	}
	if strings.Contains(stdout, "server") {
		t.Errorf("there was no server:\n%s", stdout)
	}
	s := d.Sections[0]
	if got := value(t, d, "simulate.loop1000.optimum.hit_ratio@capacity=250"); got != 0.225 {
		t.Errorf("the optimum has %v", got)
	}
	if got := value(t, d, "simulate.loop1000.lru.hit_ratio@capacity=100"); got != 0 {
		t.Errorf("the LRU has %v", got)
	}
	chart := s.Charts[0]
	if len(s.Charts) != 1 || chart.ID != "hits-loop1000" || len(chart.Series) != 5 || chart.X.Scale != results.Log {
		t.Fatalf("the charts are %+v", s.Charts)
	}
	if best := chart.Series[4]; best.Name != "optimum" || !best.Dashed || !slices.Equal(best.X, results.Values{100, 250}) || !slices.Equal(best.Y, results.Values{0.09, 0.225}) {
		t.Errorf("the line of the optimum is %+v", best)
	}
}

// What adaptive has depends a little on how keys are hashed, which is another way
// in each process.
var adaptiveCells = regexp.MustCompile(`(?m)^( +\d+(?: +0\.00){3}) {5,6}[1-9]?\d\.\d\d(.*) {10}\d\.\d\d$`)

func TestSimulateCapacities(t *testing.T) {
	_, _, d, code := simulated(t, "--capacity", "1000,50%,999,500,5", writeLoop(t, 1000, 10))
	lru := d.Sections[0].Charts[0].Series[0]
	if code != exitOK || !slices.Equal(lru.X, results.Values{5, 500, 999, 1000}) || !slices.Equal(lru.Y, results.Values{0, 0, 0, 0.9}) {
		t.Errorf("exit code %d, the LRU has %+v", code, lru)
	}
}

func TestSimulateShowsAPartOfTheCurve(t *testing.T) {
	_, _, d, _ := simulated(t, writeLoop(t, 5000, 1))
	s := d.Sections[0]
	if rows, points := len(s.Tables[0].Rows), len(s.Charts[0].Series[0].X); rows != 5 || points != 15 {
		t.Errorf("%d rows and %d points", rows, points)
	}
}

func TestSimulateKeepsGoingInOrder(t *testing.T) {
	big, small := writeLoop(t, 3000, 20), writeLoop(t, 10, 2)
	bad := writeFile(t, "bad.trc", []byte("\x05\x00\x00"))
	stdout, complaints, d, code := simulated(t, "--capacity", "100", big, bad, small)
	if code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	checkLine(t, complaints, bad, "truncated", "; ")
	first, second := strings.Index(stdout, "ratios of "+big), strings.Index(stdout, "ratios of "+small)
	if first < 0 || second < first {
		t.Errorf("tables out of order:\n%s", stdout)
	}
	if notes := d.Sections[1].Notes; len(d.Sections) != 2 || !strings.Contains(notes[len(notes)-1].Text, "1 of 3 traces could not be used: "+bad) {
		t.Errorf("the notes are %+v", notes)
	}
}

func TestSimulateOfNothingGood(t *testing.T) {
	stdout, complaints, d, code := simulated(t, writeFile(t, "bad", nil))
	checkLine(t, complaints, "is empty")
	if stdout != "" || d != nil || code != exitUsage {
		t.Errorf("exit code %d, output %q, document %v", code, stdout, d)
	}
}

func TestSimulateForcedFormat(t *testing.T) {
	path := writeFile(t, "words", []byte("\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02"))
	for format, part := range map[string]string{
		"cache2k": "format    cache2k\nrequests  4, 2 unique keys",
		"corda":   "format    corda\nrequests  2, 1 unique keys",
	} {
		if stdout, complaints, _, _ := simulated(t, "--format", format, path); !strings.Contains(stdout, part) {
			t.Errorf("%s: output %q, errors %q", format, stdout, complaints)
		}
	}
}

func TestSimulateBounds(t *testing.T) {
	path := writeLoop(t, 100, 3)
	for _, flag := range []string{"--max-requests=299", "--max-bytes=300"} {
		_, complaints, _, code := simulated(t, flag, path)
		checkLine(t, complaints, path, flag[:6])
		if code != exitUsage {
			t.Errorf("%s: exit code %d", flag, code)
		}
	}
}

func TestSimulateHostileNames(t *testing.T) {
	_, complaints, _, code := simulated(t, "no\nsuch\x1b[31mfile")
	checkLine(t, complaints, `no\nsuch\x1b[31mfile`, "no such file")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	stdout, _, d, code := simulated(t, writeFile(t, "\x1b[2J\u202e ü.x", []byte("a\nb\na\n")), writeFile(t, "\n", []byte("a\nb\na\n")))
	if strings.ContainsAny(stdout, "\x1b\u202e") || code != exitOK {
		t.Errorf("exit code %d, output %q", code, stdout)
	}
	if d.Sections[0].Name != "simulate-2j" || d.Sections[1].Name != "simulate-trace" {
		t.Errorf("the sections are %s and %s", d.Sections[0].Name, d.Sections[1].Name)
	}
}

func TestSimulateTellsFilesOfOneNameApart(t *testing.T) {
	_, _, d, code := simulated(t, writeLoop(t, 100, 3), writeLoop(t, 100, 4))
	if code != exitOK || value(t, d, "simulate.loop100.lru.hit_ratio@capacity=10") != 0 || value(t, d, "simulate.loop100-2.lru.hit_ratio@capacity=10") != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestSimulateWithoutSizes(t *testing.T) {
	_, complaints, _, code := simulated(t, "--bytes", writeLoop(t, 10, 2))
	checkLine(t, complaints, "loop10.trc: has no sizes of objects; leave out --bytes")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
}

func TestSimulateWorkloads(t *testing.T) {
	args := []string{"--workload", "loop,uniform+onehit:0.5", "--workload", "zipf:1.2", "--keys", "500", "--requests", "20000", "--capacity", "100", "--seed", "7"}
	stdout, complaints, d, code := simulated(t, args...)
	if code != exitOK || complaints != "" || d.Seed != 7 || !strings.Contains(stdout, "workload  loop\nkeys      500\nrequests  20000, 500 unique keys\n") {
		t.Fatalf("exit code %d, errors %q, output\n%s", code, complaints, stdout)
	}
	if got := value(t, d, "simulate.loop.lru.hit_ratio@capacity=100"); got != 0 {
		t.Errorf("the LRU hits %v of a loop", got)
	}
	// Half of the requests are of one of 500 keys, of which a fifth is cached less what
	// the others push out.
	if got := value(t, d, "simulate.uniform-onehit-0-5.optimum.hit_ratio@capacity=100"); got < 0.15 || got > 0.35 {
		t.Errorf("the optimum has %v", got)
	}
	_, _, again, _ := simulated(t, args...)
	for _, name := range []string{"simulate.zipf-1-2.lru.hit_ratio@capacity=100", "simulate.zipf-1-2.optimum.hit_ratio@capacity=100"} {
		if value(t, d, name) != value(t, again, name) || value(t, d, name) == 0 {
			t.Errorf("%s is %v and %v with the same seed", name, value(t, d, name), value(t, again, name))
		}
	}
	_, _, other, _ := simulated(t, append(args, "--seed", "8")...)
	if name := "simulate.zipf-1-2.lru.hit_ratio@capacity=100"; value(t, d, name) == value(t, other, name) {
		t.Error("another seed has the same hits")
	}
}

func TestSimulateOutputFailure(t *testing.T) {
	path, file := writeLoop(t, 10, 2), writeFile(t, "file", nil)
	_, stderr, code := larder(t, "simulate", "--out", filepath.Join(file, "no"), path)
	checkLine(t, complaintsOf(stderr), file)
	if code != exitRun {
		t.Errorf("exit code %d, want %d", code, exitRun)
	}
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"simulate", "--out", t.TempDir(), path}, fullDisk{}, &errs); code != exitRun {
		t.Errorf("exit code %d, want %d", code, exitRun)
	}
	checkLine(t, complaintsOf(errs.String()), "disk is full")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func TestSimulateInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, stderr, code := larderUnder(ctx, "simulate", "--out", t.TempDir(), writeLoop(t, 1000, 10))
	checkLine(t, complaintsOf(stderr), "interrupted")
	if code != exitInterrupt {
		t.Errorf("exit code %d, want %d", code, exitInterrupt)
	}
}

// TestSimulateManyFiles works through more files than processors.
func TestSimulateManyFiles(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	args, want := []string{"--capacity", "10,50%"}, []string(nil)
	for range 30 {
		keys := 1 + r.IntN(500)
		args = append(args, writeLoop(t, keys, 3))
		want = append(want, fmt.Sprintf("requests  %d, %d unique keys", 3*keys, keys))
	}
	stdout, complaints, _, code := simulated(t, args...)
	var got []string
	for line := range strings.Lines(stdout) {
		if strings.Contains(line, "unique keys") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if code != exitOK || complaints != "" || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("exit code %d, errors %q, files\n%s", code, complaints, strings.Join(got, "\n"))
	}
}
