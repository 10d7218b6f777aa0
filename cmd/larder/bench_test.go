package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cmd/larder/internal/bench"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
)

// tiny is the arguments of a run that takes little time.
func tiny(out string, more ...string) []string {
	return append([]string{"bench", "--ops", "300", "--keys", "200", "--rate", "3000", "--workers", "8", "--db-latency", "500us", "--out", out}, more...)
}

func readReport(t *testing.T, dir string) (r bench.Report) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
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
	r := readReport(t, dir)
	if r.Schema != "larder.bench/v1" || r.Interrupted || r.Server.Kind != "embedded" || len(r.Strategies) != 5 || r.Config.WarmUp != 300 {
		t.Fatalf("report is %+v", r)
	}
	for i, name := range []string{"no cache", "L1 only", "L2 only", "L1+L2 cache-aside", "write-through"} {
		s := r.Strategies[i]
		if s.Strategy != name || !s.Complete || s.StaleReads != 0 || s.Failed != 0 || s.Latency.Done != 300 || s.Throughput.Done != 300 {
			t.Errorf("%s: %+v", name, s)
		}
		if !strings.Contains(stdout, "\n") || strings.Count(stdout, name) < 3 {
			t.Errorf("the tables have no %q:\n%s", name, stdout)
		}
		if p := s.Latency; (i > 0) != (p.HitRatio > 0.3) || (i > 0) != (p.Avoided > 80) {
			t.Errorf("%s: hit ratio %.2f, %d queries avoided", name, p.HitRatio, p.Avoided)
		}
	}
}

func TestBenchRepeatsItsSequence(t *testing.T) {
	digest := func(seed string) string {
		dir := t.TempDir()
		if _, stderr, code := larder(t, tiny(dir, "--strategies", "none", "--seed", seed)...); code != exitOK {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		return readReport(t, dir).Sequence.SHA256
	}
	if a, b, c := digest("5"), digest("5"), digest("6"); a != b || a == c || len(a) != 64 {
		t.Errorf("the digests of two runs are %s and %s, that of another seed is %s", a, b, c)
	}
}

func TestBenchLeavesOtherKeysAlone(t *testing.T) {
	m := miniredis.RunT(t)
	m.Set("mine", "1")
	dir := t.TempDir()
	_, stderr, code := larder(t, tiny(dir, "--strategies", "aside", "--redis", "redis://"+m.Addr())...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if keys := m.Keys(); len(keys) != 1 || keys[0] != "mine" {
		t.Errorf("the run leaves %d keys: %.200q", len(keys), keys)
	}
	if s := readReport(t, dir).Server; s.Kind != "remote" || s.Address != m.Addr() {
		t.Errorf("the server is %+v", s)
	}
}

func TestBenchOnSpawnedServer(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := larder(t, tiny(dir, "--strategies", "l2,write-through", "--redis", "spawn")...)
	if code != exitOK || !strings.Contains(stdout, "started for this run") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	r := readReport(t, dir)
	if r.Server.Kind != "spawned" || r.Server.Version == "" || len(r.Strategies) != 2 || r.StaleReads() != 0 || r.Strategies[1].Failed != 0 {
		t.Errorf("report is %+v", r)
	}
}

func TestBenchFailsOnStaleReads(t *testing.T) {
	r := bench.NewReport(bench.Default(), "", server.Info{})
	r.Strategies = []bench.Result{{Strategy: "bad", StaleReads: 2}, {Strategy: "worse", StaleReads: 3}}
	var stdout bytes.Buffer
	code, line := verdict(t.Context(), publishOld(r, t.TempDir(), &stdout, nil))
	if code != exitStale || !strings.Contains(line, "5 STALE READS") || !strings.Contains(stdout.String(), "STALE READS: 5") {
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
		"--keys 0":          "--keys is 0: it must be from 1 to",
		"--zipf -1":         "--zipf is -1",
		"--zipf NaN":        "--zipf is NaN",
		"--mix get=1,fly=1": `--mix: "fly"`,
		"--mix write=1":     "--mix: ",
		"--ops -5":          "--ops is -5",
		"--duration 1ns":    "--duration is 1ns",
		"--workers 0":       "--workers is 0",
		"--rate -1":         "--rate is -1",
		"--rate 9e6":        "--rate is 9e+06 for 4s",
		"--arrivals bursts": `--arrivals: "bursts"`,
		"--seed x":          "--seed",
		"--value-size -1":   "--value-size is -1",
		"--capacity 0":      "--capacity is 0",
		"--ttl 0s":          "--ttl is 0s",
		"--group-size 0":    "--group-size is 0",
		"--db-conns 0":      "--db-conns is 0",
		"--db-latency 0s":   "--db-latency is 0s",
		"--warm-up -1":      "--warm-up is -1",
		"--redis nowhere":   `--redis: "nowhere" is neither`,
		"--redis http://x":  "--redis: ",
		"--strategies all":  `--strategies: "all" is none of none, l1`,
		"--out=":            "--out is empty",
		"extra":             "extra",
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
	stdout, stderr, code := larderUnder(ctx, "bench", "--strategies", "none,l1", "--duration", "1h", "--rate", "100", "--warm-up", "10", "--out", dir)
	if took := time.Since(start); code != exitInterrupt || took > 5*time.Second {
		t.Errorf("exit code %d after %v: %s", code, took, stderr)
	}
	if r := readReport(t, dir); !r.Interrupted || len(r.Strategies) != 1 || r.Strategies[0].Latency.Done == 0 {
		t.Errorf("report is %+v", r)
	}
	if !strings.Contains(stdout, "no cache (interrupted)") || !strings.Contains(stderr, "larder: interrupted") {
		t.Errorf("output %q, errors %q", stdout, stderr)
	}
}
