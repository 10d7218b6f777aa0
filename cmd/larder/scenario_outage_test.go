package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/outage"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/spf13/cobra"
)

func TestWrongUsageOfOutage(t *testing.T) {
	for args, part := range map[string]string{
		"--time 1ms":                    "--time is 1ms",
		"--time 11m":                    "--time is 11m",
		"--time 5s":                     "--time: 5s leave",
		"--strategy l3":                 `--strategy: "l3" is none of l2, aside`,
		"--strategy=":                   `--strategy: "" is none of`,
		"--faults bored":                `--faults: "bored" is none of refused`,
		"--readers 0":                   "--readers is 0",
		"--rate 1":                      "--rate is 1",
		"--rate NaN":                    "--rate is NaN",
		"--keys 0":                      "--keys is 0",
		"--zipf -1":                     "--zipf is -1",
		"--writes 0":                    "--writes is 0",
		"--origin-latency -1s":          "--origin-latency is -1s",
		"--origin-spread 6ms":           "--origin-spread is 6ms: it must be from 0s to --origin-latency, 5ms",
		"--capacity 0":                  "--capacity is 0",
		"--seed x":                      "--seed",
		"extra":                         "extra",
		"--out=":                        "--out is empty",
		"--redis spawn":                 "unknown flag: --redis",
		"--quick --time 700ms":          "--time is 700ms",
		"--faults slow,slow --time 1s":  "--time: 1s leave",
		"--faults refused,paused --x 1": "unknown flag: --x",
	} {
		stdout, stderr, code := larder(t, append([]string{"bench", "scenario", "outage"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

func TestTheExitCodeOfOutage(t *testing.T) {
	good := outage.Phase{All: outage.Part{Reads: outage.Times{Count: 10, P99: time.Millisecond}}}
	bad := good
	bad.All.Stale = 1
	for what, c := range map[string]struct {
		phases []outage.Phase
		code   int
		line   string
	}{
		"all held":   {[]outage.Phase{good}, exitOK, ""},
		"one broken": {[]outage.Phase{good, bad}, exitBroken, "LIMIT BROKEN: l2, healthy at 0.0 s: 1 of 10 reads were older"},
	} {
		r := &outage.Report{Results: []outage.Result{{Strategy: "l2", Phases: c.phases}}}
		r.Check(true)
		var stdout bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetContext(t.Context())
		cmd.SetOut(&stdout)
		d := newDocument("outage", 1, ownServer)
		d.Sections = []*results.Section{r.Section()}
		code, line := verdict(t.Context(), withCode(exitRun, publish(cmd, outputs{out: t.TempDir(), repeat: 1}, d, nil)))
		if code != c.code || !strings.Contains(line, c.line) || strings.Contains(stdout.String(), "LIMIT BROKEN") != (c.code != exitOK) {
			t.Errorf("%s: exit code %d, line %q, output\n%s", what, code, line, stdout.String())
		}
	}
}

// Which limits hold depends on the machine, so any verdict will do.
func TestOutageEndToEnd(t *testing.T) {
	stdout, stderr, code := larder(t, "bench", "scenario", "outage", "--faults", "refused", "--time", "2s", "--rate", "200", "--keys", "50", "--seed", "7", "--out", t.TempDir())
	if code != exitOK && code != exitBroken {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	for _, part := range []string{"seed 7\n", "results: ", "l2: refused: nobody listens at the port (1 of 1)\n", "recovery", "no Redis p99", "of 50 keys"} {
		if !strings.Contains(stdout, part) {
			t.Errorf("the output has no %q:\n%s", part, stdout)
		}
	}
	if held := strings.Contains(stdout, "All limits held."); held != (code == exitOK) {
		t.Errorf("exit code %d after\n%s", code, stdout)
	}
}
