package main

import (
	"strings"
	"testing"
)

func TestWrongUsageOfStaleness(t *testing.T) {
	for args, part := range map[string]string{
		"--lease 1ms":       "--lease is 1ms",
		"--time 100ms":      "--time is 100ms",
		"--processes 0":     "--processes is 0",
		"--quick --keys 1":  "--keys is 1",
		"--writes NaN":      "--writes is NaN",
		"--redis nowhere":   "--redis: ",
		"--repeat 0":        "--repeat is 0",
		"--quick --lease x": "--lease",
		"extra":             "extra",
	} {
		stdout, stderr, code := larder(t, append([]string{"bench", "scenario", "staleness"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

func TestStalenessEndToEnd(t *testing.T) {
	stdout, stderr, code := larder(t, "bench", "scenario", "staleness", "--quick", "--keys", "4", "--out", t.TempDir())
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, part := range []string{"embedded miniredis", "old after ack", "Larder, WaitCoherent", "DEL and PUBLISH", "results: "} {
		if !strings.Contains(stdout, part) {
			t.Errorf("the output has no %q:\n%s", part, stdout)
		}
	}
}
