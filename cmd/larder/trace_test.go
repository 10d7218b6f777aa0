package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

const monitorSample = `OK
1700000000.1 [0 127.0.0.1:5000] "GET" "a"
1700000000.2 [0 127.0.0.1:5000] "SETEX" "a" "60" "1234567890"
1700000030.0 [0 127.0.0.1:5000] "GET" "a"
1700000060.0 [0 127.0.0.1:5000] "DEL" "b"
1700000060.0 [0 127.0.0.1:5000] "PING"
`

func TestTraceInfo(t *testing.T) {
	path := writeFile(t, "redis.log", []byte(monitorSample))
	stdout, stderr, code := larder(t, "trace", "info", path)
	want := path + `

format           monitor, recognised by content
requests         4
unique keys      2
span of time     1m0s, 0.07/s
operations       50.0% reads, 25.0% writes, 25.0% deletes
one-hit wonders  50.0% of the keys are requested once
top key          3 requests, 75.0%
zipf exponent    too few keys have ten requests
reuse distance   median 0 other keys, mean 0
sizes            median 11 B, p99 11 B, max 11 B; known in 75.0% of the requests
working set      11 B in 2 keys; 33 B requested
TTLs             1m0s to 1m0s, median 1m0s; in 25.0% of the requests

Note: 1 of its commands are no requests of keys and left out: PING 1

`
	if stdout != want || stderr != "" || code != exitOK {
		t.Errorf("exit code %d, errors %q, output\n%s\nwant\n%s", code, stderr, stdout, want)
	}
}

func TestTraceInfoAsJSON(t *testing.T) {
	good, bad := writeLoop(t, 100, 20), writeFile(t, "bad.trc", []byte("\x05\x00\x00"))
	out := filepath.Join(t.TempDir(), "info.json")
	stdout, stderr, code := larder(t, "trace", "info", "--json", out, bad, good)
	checkLine(t, stderr, bad, "truncated")
	if code != exitUsage || !strings.Contains(stdout, "2,000") {
		t.Errorf("exit code %d, output %q", code, stdout)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	checkInfo(t, data)
	stdout, _, _ = larder(t, "trace", "info", "--json", "-", bad, good)
	checkInfo(t, []byte(stdout))
}

func checkInfo(t *testing.T, data []byte) {
	t.Helper()
	var report traceReport
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if report.Schema != traceSchema || len(report.Files) != 2 || report.Files[0].Error == "" {
		t.Fatalf("the report is %s", data)
	}
	f := report.Files[1]
	if f.Survey == nil || f.Requests != 2000 || f.UniqueKeys != 100 || f.Format != "compact" || f.Recognised != byContent || f.Reuse.Median != 99 {
		t.Errorf("the report is %s", data)
	}
}

func TestTraceInfoSaysHowSureItIs(t *testing.T) {
	var words []byte
	for i := range 4000 {
		words = append(words, 0, 0, byte(i%70), byte(i*7))
	}
	path := writeFile(t, "words", words)
	for args, want := range map[string]string{"": "cache2k, a guess", "--format=cache2k": "cache2k, as --format says"} {
		stdout, _, code := larder(t, slices.DeleteFunc([]string{"trace", "info", args, path}, func(s string) bool { return s == "" })...)
		if code != exitOK || !strings.Contains(stdout, want) || strings.Contains(stdout, "Note:") != (args == "") {
			t.Errorf("exit code %d, output\n%s\nwant %q", code, stdout, want)
		}
	}
}

func TestTraceGenAndConvertKeepEverything(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	gen := []string{"trace", "gen", "--workload", "zipf:0.9+onehit:0.1", "--keys", "500", "--requests", "5000",
		"--write-share", "0.2", "--delete-share", "0.05", "--value-size", "10-90", "--ttl", "1m-2m"}
	stdout, stderr, code := larder(t, append(gen, in("a.trc"))...)
	if code != exitOK || stderr != "" || !strings.HasPrefix(stdout, in("a.trc")+": larder, 5000 requests, ") {
		t.Fatalf("exit code %d, output %q, errors %q", code, stdout, stderr)
	}
	larder(t, append(gen, in("again.trc"))...)
	if !bytes.Equal(fileBytes(t, in("a.trc")), fileBytes(t, in("again.trc"))) {
		t.Error("the same flags give two traces")
	}
	for _, step := range []struct{ from, to, flags, says string }{
		{"a.trc", "b.csv.zst", "--to=csv", "csv in zstd"},
		{"b.csv.zst", "c.xz", "--to=larder", "larder in xz"},
		{"c.xz", "d.gz", "--compress=none", "larder, "},
	} {
		stdout, stderr, code := larder(t, "trace", "convert", step.flags, in(step.from), in(step.to))
		if code != exitOK || stderr != "" || !strings.Contains(stdout, ": "+step.says) || strings.Contains(stdout, "lost") {
			t.Fatalf("%s: exit code %d, output %q, errors %q", step.to, code, stdout, stderr)
		}
	}
	if !bytes.Equal(fileBytes(t, in("a.trc")), fileBytes(t, in("d.gz"))) {
		t.Error("over CSV and back it is another trace")
	}
	stdout, _, _ = larder(t, "trace", "convert", "--to", "arc", in("a.trc"), in("e.lis"))
	if !strings.HasSuffix(stdout, "; lost: times, sizes, TTLs, operations\n") {
		t.Errorf("output %q", stdout)
	}
	if left, err := filepath.Glob(in(".larder-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func fileBytes(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTraceConvertKeepsWhatIsThere(t *testing.T) {
	in := writeFile(t, "redis.log", []byte(monitorSample))
	out := writeFile(t, "out.trc", []byte("mine"))
	_, stderr, code := larder(t, "trace", "convert", in, out)
	checkLine(t, stderr, out, "--force")
	if code != exitUsage || string(fileBytes(t, out)) != "mine" {
		t.Errorf("exit code %d, the file has %q", code, fileBytes(t, out))
	}
	_, stderr, code = larder(t, "trace", "convert", "--force", in, out)
	checkNote(t, stderr, in, "PING 1")
	if tr, err := trace.Open(t.Context(), out, trace.Options{}); err != nil || code != exitOK || len(tr.IDs) != 4 {
		t.Errorf("exit code %d, %+v, %v", code, tr, err)
	}
	// A trace that cannot be read leaves what is there.
	bad := writeFile(t, "bad.trc", []byte("\x05\x00\x00"))
	_, stderr, code = larder(t, "trace", "convert", "--force", bad, out)
	checkLine(t, stderr, bad, "truncated")
	if tr, err := trace.Open(t.Context(), out, trace.Options{}); err != nil || code != exitUsage || len(tr.IDs) != 4 {
		t.Errorf("exit code %d, %+v, %v", code, tr, err)
	}
}

func checkNote(t *testing.T, stderr string, parts ...string) {
	t.Helper()
	checkLine(t, stderr, append(parts, "larder: note: ")...)
}

func TestTraceConvertOfStandardStreams(t *testing.T) {
	root := newRoot()
	var out, errs bytes.Buffer
	root.SetArgs([]string{"trace", "convert", "--to", "text", "-", "-"})
	root.SetIn(strings.NewReader(monitorSample))
	root.SetOut(&out)
	root.SetErr(&errs)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out.String() != "k0\nk0\nk0\nk1\n" || !strings.Contains(errs.String(), "standard output: text, 4 requests") {
		t.Errorf("output %q, errors %q", out.String(), errs.String())
	}
}

func TestTraceConvertToAFullDisk(t *testing.T) {
	in := writeFile(t, "redis.log", []byte("a\nb\n"))
	for _, c := range []string{"none", "gzip", "xz", "zstd"} {
		var errs bytes.Buffer
		code := run(t.Context(), []string{"trace", "convert", "--compress", c, in, "-"}, fullDevice{}, &errs)
		if code != exitRun {
			t.Errorf("%s: exit code %d", c, code)
		}
		checkLine(t, errs.String(), "standard output cannot be written: no space left")
	}
}

type fullDevice struct{}

func (fullDevice) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAFailedOutputLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	failure := errors.New("it broke")
	o := output{path: filepath.Join(dir, "out")}
	if _, err := o.write(t.Context(), func(w io.Writer) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := o.write(ctx, func(w io.Writer) error {
		cancel()
		_, err := w.Write([]byte("x"))
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWrongUsageOfTrace(t *testing.T) {
	in := writeFile(t, "in", []byte("a\nb\n"))
	dir := t.TempDir()
	for _, c := range []struct{ args, part string }{
		{"info", "at least 1 arg"},
		{"info --format tape IN", `--format: unknown format "tape"`},
		{"info --max-requests 0 IN", "--max-requests"},
		{"info --max-bytes 0 IN", "--max-bytes"},
		{"info " + dir + "/none", "no such file"},
		{"info --max-requests 1 IN", "more than 1 requests"},
		{"convert IN", "2 arg"},
		{"convert --to tape IN OUT", `--to: unknown format "tape"`},
		{"convert --to twrBin IN OUT", "--to: traces cannot be written"},
		{"convert --compress lz4 IN OUT", `--compress is "lz4"`},
		{"convert IN " + dir, "is a directory"},
		{"convert IN " + dir + "/no/out", "name a directory"},
		{"convert " + dir + " OUT", "is a directory"},
		{"gen", "1 arg"},
		{"gen --workload fog OUT", `--workload: popularity "fog"`},
		{"gen --keys 0 OUT", "--keys is 0"},
		{"gen --requests 0 OUT", "--requests is 0"},
		{"gen --rate 0 OUT", "--rate is 0"},
		{"gen --write-share 2 OUT", "--write-share is 2"},
		{"gen --write-share 0.9 --delete-share 0.2 OUT", "--delete-share is 0.2"},
		{"gen --value-size 0 OUT", "--value-size: "},
		{"gen --ttl 60 OUT", "--ttl: "},
		{"gen --to tape OUT", "--to: "},
		{"gen " + dir, "is a directory"},
		{"nosuch", `unknown command "nosuch"`},
	} {
		args := strings.NewReplacer("IN", in, "OUT", filepath.Join(dir, "out")).Replace("trace " + c.args)
		stdout, stderr, code := larder(t, strings.Fields(args)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", c.args, code, stdout)
		}
		checkLine(t, stderr, c.part)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTraceEndsWithAnInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in, out := writeFile(t, "in", []byte("a\nb\n")), filepath.Join(t.TempDir(), "out")
	for _, args := range [][]string{{"info", in}, {"convert", in, out}, {"gen", out}} {
		_, stderr, code := larderUnder(ctx, append([]string{"trace"}, args...)...)
		if code != exitInterrupt || stderr != "larder: interrupted\n" {
			t.Errorf("%s: exit code %d, errors %q", args, code, stderr)
		}
	}
}

// The help names every format that there is.
func TestTraceHelpListsTheFormats(t *testing.T) {
	for _, f := range trace.Formats()[1:] {
		if !strings.Contains(traceFormats, "\n  "+string(f)+" ") && !strings.HasPrefix(traceFormats, "  "+string(f)+" ") {
			t.Errorf("the help does not name %s", f)
		}
	}
}
