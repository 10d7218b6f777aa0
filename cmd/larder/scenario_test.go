package main

import (
	"strings"
	"testing"
)

func TestTheScenariosAreListed(t *testing.T) {
	if stdout, stderr, code := larder(t, "bench", "scenario"); code != exitOK || !strings.Contains(stdout, "outage") || !strings.Contains(stdout, "stampede") || !strings.Contains(stdout, "staleness") {
		t.Errorf("exit code %d, output %q, errors %q", code, stdout, stderr)
	}
}
