package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/spf13/cobra"
)

// tiny is the arguments of a run that takes little time.
func tiny(out string, more ...string) []string {
	return append([]string{"bench", "--only", "strategies", "--ops", "300", "--keys", "200", "--rate", "3000", "--workers", "8", "--db-latency", "500us", "--ttl", "1m", "--out", out}, more...)
}

func readDocument(t *testing.T, dir string) *results.Document {
	t.Helper()
	d, err := results.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// figure is the value of a metric that must be there.
func figure(t *testing.T, d *results.Document, name string) float64 {
	t.Helper()
	m, ok := d.Metric(name)
	if !ok {
		t.Errorf("there is no metric %s", name)
	}
	return m.Value()
}

func TestBenchEndToEnd(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := larder(t, tiny(dir)...)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, part := range []string{"go1.", "embedded miniredis: not Redis performance", "throughput", "p99.9", "hit ratio", "db queries avoided",
		"stale reads", "none was older", "results: " + filepath.Join(dir, "results.json")} {
		if !strings.Contains(stdout, part) {
			t.Errorf("the output has no %q:\n%s", part, stdout)
		}
	}
	d := readDocument(t, dir)
	if d.Interrupted || d.Server.Kind != "embedded" || len(d.Sections) != 1 || len(d.Failures()) > 0 {
		t.Fatalf("the document is %+v", d)
	}
	for _, k := range strategy.Catalog() {
		if !strings.Contains(stdout, k.Name) {
			t.Errorf("the tables have no %q:\n%s", k.Name, stdout)
		}
		if hits, avoided := figure(t, d, k.Flag+".hit_ratio"), figure(t, d, k.Flag+".avoided"); (k.Flag != "none") != (hits > 0.3) || (k.Flag != "none") != (avoided > 0.25) {
			t.Errorf("%s: hit ratio %.2f, %.2f of the queries avoided", k.Name, hits, avoided)
		}
		if figure(t, d, k.Flag+".stale") != 0 || figure(t, d, k.Flag+".failed") != 0 || figure(t, d, k.Flag+".p99") <= 0 {
			t.Errorf("%s: %v stale, %v failed", k.Name, figure(t, d, k.Flag+".stale"), figure(t, d, k.Flag+".failed"))
		}
	}
}

var recordedDigest = regexp.MustCompile(`sha256 ([0-9a-f]{12})\)`)

func TestBenchRepeatsItsSequence(t *testing.T) {
	digest := func(seed string) string {
		stdout, stderr, code := larder(t, tiny(t.TempDir(), "--strategies", "none", "--seed", seed)...)
		match := recordedDigest.FindStringSubmatch(stdout)
		if code != exitOK || match == nil {
			t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
		}
		return match[1]
	}
	if a, b, c := digest("5"), digest("5"), digest("6"); a != b || a == c {
		t.Errorf("the digests of two runs are %s and %s, that of another seed is %s", a, b, c)
	}
}

func TestBenchMakesTheWholeSuite(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := larder(t, "bench", "--quick", "--ops", "200", "--keys", "100", "--only", strings.Join(suiteNames(), ","), "--out", dir)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	d := readDocument(t, dir)
	var names []string
	for _, s := range d.Sections {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, suiteNames()) {
		t.Errorf("the sections are %q", names)
	}
}

func TestBenchRepeats(t *testing.T) {
	dir := t.TempDir()
	if _, stderr, code := larder(t, tiny(dir, "--strategies", "l1", "--repeat", "3")...); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if m, _ := readDocument(t, dir).Metric("l1.p99"); len(m.Samples) != 3 {
		t.Errorf("the samples are %v", m.Samples)
	}
}

func TestBenchSweeps(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := larder(t, tiny(dir, "--strategies", "l1,l2", "--sweep", "capacity=10,200")...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	d := readDocument(t, dir)
	if few, all := figure(t, d, "l1.hit_ratio@capacity=10"), figure(t, d, "l1.hit_ratio@capacity=200"); few >= all {
		t.Errorf("10 entries have a hit ratio of %v, 200 of %v\n%s", few, all, stdout)
	}
}

func TestBenchKnowsWorkloadsByName(t *testing.T) {
	for _, n := range workload.YCSB() {
		dir := t.TempDir()
		stdout, stderr, code := larder(t, tiny(dir, "--strategies", "none,l1", "--workload", n.Name)...)
		if code != exitOK || !strings.Contains(stdout, n.Mix.String()) {
			t.Errorf("%s: exit code %d: %s%s", n.Name, code, stdout, stderr)
			continue
		}
		d := readDocument(t, dir)
		if figure(t, d, "l1.failed") != 0 || figure(t, d, "l1.stale") != 0 || figure(t, d, "l1.hit_ratio") <= 0 {
			t.Errorf("%s:\n%s", n.Name, stdout)
		}
	}
}

func TestBenchReplaysATrace(t *testing.T) {
	var requests strings.Builder
	for i := range 600 {
		fmt.Fprintf(&requests, "user:%d\n", i%50)
	}
	file, dir := writeFile(t, "requests.txt", []byte(requests.String())), t.TempDir()
	stdout, stderr, code := larder(t, "bench", "--only", "strategies", "--strategies", "l1", "--trace", file, "--ops", "300", "--warm-up", "0", "--ttl", "1m", "--out", dir)
	if code != exitOK || !strings.Contains(stdout, "requests.txt, 50 keys") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	if hits := figure(t, readDocument(t, dir), "l1.hit_ratio"); math.Abs(hits-250.0/300) > 0.01 {
		t.Errorf("the hit ratio is %v", hits)
	}
}

func TestBenchLeavesOtherKeysAlone(t *testing.T) {
	m := miniredis.RunT(t)
	m.Set("mine", "1")
	dir := t.TempDir()
	_, stderr, code := larder(t, tiny(dir, "--strategies", "aside", "--redis", "redis://"+m.Addr(), "--key-size", "40")...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if keys := m.Keys(); len(keys) != 1 || keys[0] != "mine" {
		t.Errorf("the run leaves %d keys: %.200q", len(keys), keys)
	}
	if s := readDocument(t, dir).Server; s.Kind != "remote" || s.Address != m.Addr() {
		t.Errorf("the server is %+v", s)
	}
}

func TestBenchOnSpawnedServer(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := larder(t, tiny(dir, "--strategies", "l2,write-through", "--redis", "spawn")...)
	if code != exitOK || !strings.Contains(stdout, "started for this run") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	d := readDocument(t, dir)
	if d.Server.Kind != "spawned" || d.Server.Version == "" || figure(t, d, "write-through.failed") != 0 || len(d.Failures()) != 0 {
		t.Errorf("the document is %+v", d)
	}
}

func TestWhatWasPromisedAndDidNotHoldIsTheExitCode(t *testing.T) {
	bad := measurement{run: func(context.Context, bed, *progress.Meter) (*results.Section, error) {
		return &results.Section{Name: "bad", Title: "Bad", Notes: []results.Note{{Level: results.Fail, Text: "5 STALE READS"}}}, nil
	}}
	var stdout, stderr bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	code, line := verdict(t.Context(), measure(cmd, outputs{out: t.TempDir(), repeat: 1}, "bad", 1, bad))
	if code != exitBroken || !strings.Contains(line, "5 STALE READS") || !strings.Contains(stdout.String(), "FAILED: 5 STALE READS") {
		t.Errorf("exit code %d, line %q, output\n%s", code, line, stdout.String())
	}
}

func TestBenchCannotWrite(t *testing.T) {
	file := writeFile(t, "file", nil)
	_, stderr, code := larder(t, tiny(file, "--strategies", "none")...)
	if code != exitRun || !strings.Contains(stderr, file) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestBenchWrongUsage(t *testing.T) {
	for args, part := range map[string]string{
		"--keys 0":           "--keys is 0: it must be from 1 to",
		"--workload zap":     `--workload: "zap" is none of ycsb-a`,
		"--workload zipf:x":  "--workload: ",
		"--profile wave":     `--profile: "wave"`,
		"--loop round":       `--loop is "round"`,
		"--think 1ms":        "--think is 1ms: only a closed loop",
		"--batch 0":          "--batch is 0",
		"--compressible 2":   "--compressible is 2",
		"--value-size 1G":    "--value-size: ",
		"--value-size 20M":   "--value-size is 20M",
		"--sweep size=1":     "--sweep: ",
		"--only all":         `--only: "all" is none of strategies`,
		"--repeat 0":         "--repeat is 0",
		"--trace x --keys 5": "--trace and --keys",
		"--trace nowhere":    "--trace: ",
		"--quick --full":     "--quick and --full",
		"--mix get=1,fly=1":  `--mix: "fly"`,
		"--mix write=1":      "--mix: ",
		"--ops -5":           "--ops is -5",
		"--duration 1ns":     "--duration is 1ns",
		"--workers 0":        "--workers is 0",
		"--rate -1":          "--rate is -1",
		"--rate 9e6":         "--rate is 9e+06 for 2s",
		"--arrivals bursts":  `--arrivals: "bursts"`,
		"--seed x":           "--seed",
		"--value-size -1":    "--value-size: ",
		"--capacity 0":       "--capacity is 0",
		"--ttl 0s":           "--ttl is 0s",
		"--group-size 0":     "--group-size is 0",
		"--db-conns 0":       "--db-conns is 0",
		"--db-latency 0s":    "--db-latency is 0s",
		"--warm-up -1":       "--warm-up is -1",
		"--redis nowhere":    `--redis: "nowhere" is neither`,
		"--redis http://x":   "--redis: ",
		"--strategies all":   `--strategies: "all" is none of none, l1`,
		"--out=":             "--out is empty",
		"extra":              "extra",
	} {
		stdout, stderr, code := larder(t, append([]string{"bench"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

func TestBenchUnreachableRedis(t *testing.T) {
	m := miniredis.RunT(t)
	address := m.Addr()
	m.Close()
	for _, target := range []string{"redis://:secret@" + address, address + "," + address} {
		stdout, stderr, code := larder(t, "bench", "--redis", target)
		if code != exitRun || stdout != "" || strings.Contains(stderr, "secret") {
			t.Errorf("exit code %d, output %q", code, stdout)
		}
		checkLine(t, stderr, address)
	}
}

func TestBenchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(1500*time.Millisecond, cancel)
	dir := t.TempDir()
	start := time.Now()
	stdout, stderr, code := larderUnder(ctx, "bench", "--only", "strategies", "--strategies", "none,l1", "--duration", "1h", "--rate", "100", "--warm-up", "10", "--out", dir)
	if took := time.Since(start); code != exitInterrupt || took > time.Minute {
		t.Errorf("exit code %d after %v: %s", code, took, stderr)
	}
	if d := readDocument(t, dir); !d.Interrupted || figure(t, d, "none.p50") <= 0 {
		t.Errorf("the document is %+v", d)
	}
	if !strings.Contains(stdout, "no cache (interrupted)") || !strings.Contains(stderr, "larder: interrupted") {
		t.Errorf("output %q, errors %q", stdout, stderr)
	}
}
