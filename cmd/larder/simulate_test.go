package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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

func TestReplayTable(t *testing.T) {
	path := writeLoop(t, 1000, 10)
	stdout, stderr, code := larder(t, "replay", path)
	want := path + `: compact, 10000 requests, 1000 unique keys
  capacity  lru %  memstore %  2q %  adaptive %  optimum %  lru gap  memstore gap  2q gap  adaptive gap
       100   0.00        0.00  0.00           -       9.00     9.00          9.00    9.00             -
       250   0.00        0.00  0.00           -      22.50    22.50         22.50   22.50             -
`
	stdout = adaptiveCells.ReplaceAllString(stdout, "$1           -$2             -")
	if stdout != want || stderr != "" || code != exitOK {
		t.Errorf("exit code %d, errors %q, output\n%s\nwant\n%s", code, stderr, stdout, want)
	}
}

// What adaptive has depends a little on how keys are hashed, which is another way
// in each process.
var (
	adaptiveCells = regexp.MustCompile(`(?m)^( +\d+(?: +0\.00){3}) {7,8}[1-9]\d?\.\d\d(.*) {10}\d\.\d\d$`)
	adaptiveJSON  = regexp.MustCompile(`(?s){[^{]*"adaptive".*?}`)
)

func TestReplayCapacities(t *testing.T) {
	path := writeLoop(t, 1000, 10)
	stdout, _, code := larder(t, "replay", "--capacity", "1000,50%,999,500,5", path)
	var got []string
	for _, line := range strings.Split(stdout, "\n")[2:] {
		if fields := strings.Fields(line); len(fields) > 0 {
			got = append(got, fields[0]+" "+fields[1])
		}
	}
	if want := "5 0.00, 500 0.00, 999 0.00, 1000 90.00"; strings.Join(got, ", ") != want || code != exitOK {
		t.Errorf("exit code %d, capacities with lru %q, want %q", code, got, want)
	}
}

func TestReplayKeepsGoingInOrder(t *testing.T) {
	big, small := writeLoop(t, 3000, 20), writeLoop(t, 10, 2)
	bad := writeFile(t, "bad.trc", []byte("\x05\x00\x00"))
	stdout, stderr, code := larder(t, "replay", big, bad, small)
	if code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	checkLine(t, stderr, bad, "truncated", "; ")
	first, second := strings.Index(stdout, big), strings.Index(stdout, "\n\n"+small)
	if first != 0 || second < first {
		t.Errorf("tables out of order:\n%s", stdout)
	}
}

func TestReplayForcedFormat(t *testing.T) {
	path := writeFile(t, "words", []byte("\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02"))
	for format, part := range map[string]string{
		"cache2k": "cache2k, 4 requests, 2 unique keys",
		"corda":   "corda, 2 requests, 1 unique keys",
	} {
		if stdout, stderr, _ := larder(t, "replay", "--format", format, path); !strings.Contains(stdout, part) {
			t.Errorf("%s: output %q, errors %q", format, stdout, stderr)
		}
	}
}

func TestReplayBounds(t *testing.T) {
	path := writeLoop(t, 100, 3)
	for _, flag := range []string{"--max-requests=299", "--max-bytes=300"} {
		_, stderr, code := larder(t, "replay", flag, path)
		checkLine(t, stderr, path, flag[:6])
		if code != exitUsage {
			t.Errorf("%s: exit code %d", flag, code)
		}
	}
}

func TestReplayHostileName(t *testing.T) {
	_, stderr, code := larder(t, "replay", "no\nsuch\x1b[31mfile")
	checkLine(t, stderr, `no\nsuch\x1b[31mfile`, "no such file")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
}

func TestReplayJSON(t *testing.T) {
	good, bad := writeLoop(t, 1000, 10), writeFile(t, "bad", nil)
	file := filepath.Join(t.TempDir(), "report.json")
	table, _, code := larder(t, "replay", "--json", file, good, bad)
	if code != exitUsage || !strings.Contains(table, "capacity") {
		t.Errorf("exit code %d, output %q", code, table)
	}
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, _ := larder(t, "replay", "--json", "-", good, bad)
	checkLine(t, stderr, bad, "is empty")
	if adaptiveJSON.ReplaceAllString(stdout, "") != adaptiveJSON.ReplaceAllString(string(saved), "") {
		t.Errorf("standard output differs from the file:\n%s\n%s", stdout, saved)
	}
	var report struct {
		Schema string
		Files  []struct {
			File, Format, Error string
			Requests            int
			UniqueKeys          int `json:"unique_keys"`
			Results             []struct {
				Capacity int
				Policies []struct {
					Policy   string
					Hits     int
					HitRatio float64 `json:"hit_ratio"`
					Gap      float64
				}
			}
		}
	}
	if err := json.Unmarshal(saved, &report); err != nil {
		t.Fatal(err)
	}
	if report.Schema != "larder.replay/1" || len(report.Files) != 2 {
		t.Fatalf("report is %+v", report)
	}
	if f := report.Files[1]; f.File != bad || !strings.Contains(f.Error, "is empty") || f.Results != nil {
		t.Errorf("bad file is %+v", f)
	}
	f := report.Files[0]
	if f.File != good || f.Format != "compact" || f.Requests != 10_000 || f.UniqueKeys != 1000 || len(f.Results) != 2 {
		t.Fatalf("good file is %+v", f)
	}
	lru, best := f.Results[1].Policies[0], f.Results[1].Policies[4]
	if f.Results[1].Capacity != 250 || lru.Policy != "lru" || lru.Hits != 0 || lru.Gap != 0.225 ||
		best.Policy != "optimum" || best.Hits != 2250 || best.HitRatio != 0.225 || best.Gap != 0 {
		t.Errorf("results are %+v", f.Results[1])
	}
}

func TestReplayOutputFailure(t *testing.T) {
	path := writeLoop(t, 10, 2)
	_, stderr, code := larder(t, "replay", "--json", filepath.Join(t.TempDir(), "no", "report.json"), path)
	checkLine(t, stderr, "report.json")
	if code != exitRun {
		t.Errorf("exit code %d, want %d", code, exitRun)
	}
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"replay", path}, fullDisk{}, &errs); code != exitRun {
		t.Errorf("exit code %d, want %d", code, exitRun)
	}
	checkLine(t, errs.String(), "disk is full")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func TestReplayInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, stderr, code := larderUnder(ctx, "replay", writeLoop(t, 1000, 10))
	checkLine(t, stderr, "interrupted")
	if code != exitInterrupt {
		t.Errorf("exit code %d, want %d", code, exitInterrupt)
	}
}

// TestReplayManyFiles works through more files than processors.
func TestReplayManyFiles(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var args, want []string
	for range 30 {
		keys := 1 + r.IntN(500)
		path := writeLoop(t, keys, 3)
		args = append(args, path)
		want = append(want, fmt.Sprintf("%s: compact, %d requests, %d unique keys", path, 3*keys, keys))
	}
	stdout, stderr, code := larder(t, append([]string{"replay"}, args...)...)
	var got []string
	for line := range strings.Lines(stdout) {
		if strings.Contains(line, "unique keys") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if code != exitOK || stderr != "" || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("exit code %d, errors %q, files\n%s", code, stderr, strings.Join(got, "\n"))
	}
}

func TestReplayProgress(t *testing.T) {
	var b bytes.Buffer
	t.Setenv("NO_COLOR", "1")
	p := newReplayProgress(&b, 3)
	p.runDone()
	p.hide()
	if b.Len() != 0 {
		t.Errorf("%q was written to what is no terminal", b.String())
	}
	p.w = &b
	p.fileDone()
	p.stop()
	p.runDone()
	line := "1 of 3 files, 1 replays done"
	if want := "\r" + line + "\r" + strings.Repeat(" ", len(line)) + "\r"; b.String() != want {
		t.Errorf("progress is %q, want %q", b.String(), want)
	}
	t.Setenv("NO_COLOR", "")
	if p := newReplayProgress(&b, 1); p.dim == "" {
		t.Error("no colour without NO_COLOR")
	}
}
