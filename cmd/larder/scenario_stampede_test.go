package main

import (
	"strings"
	"testing"
)

func TestWrongUsageOfStampede(t *testing.T) {
	for args, part := range map[string]string{
		"--ttl 10ms":               "--ttl is 10ms",
		"--time 100ms":             "--time is 100ms",
		"--processes 0":            "--processes is 0",
		"--quick --db-latency 1s":  "--ttl is 200ms: it must be from 20 times --db-latency",
		"--redis nowhere":          "--redis: ",
		"--repeat 0":               "--repeat is 0",
		"--out=":                   "--out is empty",
		"--keys x":                 "--keys",
		"extra":                    "extra",
		"--quick --processes 1000": "--processes is 1000",
	} {
		stdout, stderr, code := larder(t, append([]string{"bench", "scenario", "stampede"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

func TestStampedeEndToEnd(t *testing.T) {
	stdout, stderr, code := larder(t, "bench", "scenario", "stampede", "--quick", "--ttl", "200ms", "--goroutines", "4", "--rate", "500", "--out", t.TempDir())
	if code != exitOK && code != exitBroken {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, part := range []string{"embedded miniredis", "loads per expiry", "GET and SET", "one process loads", "results: "} {
		if !strings.Contains(stdout, part) {
			t.Errorf("the output has no %q:\n%s", part, stdout)
		}
	}
}
