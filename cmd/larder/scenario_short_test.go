package main

import (
	"strings"
	"testing"
)

func TestShortScenariosEndToEnd(t *testing.T) {
	for args, metric := range map[string]string{
		"tags --members 1,20 --rounds 2 --redis spawn": "tags.larder.members_20.commands",
		"memory --entries 1000 --remote 50":            "memory.larder_int_1000.bytes_per_entry",
		"throughput --time 20ms --keys 500":            "throughput.loader.allocs_per_op",
	} {
		dir := t.TempDir()
		stdout, stderr, code := larder(t, append([]string{"bench", "scenario"}, append(strings.Fields(args), "--out", dir)...)...)
		if code != exitOK {
			t.Errorf("%s: exit code %d\n%s%s", args, code, stdout, stderr)
			continue
		}
		figure(t, readDocument(t, dir), metric)
	}
}

func TestWrongUsageOfShortScenarios(t *testing.T) {
	for args, part := range map[string]string{
		"tags --members 0":       "--members is [0]",
		"tags --members x":       "--members",
		"tags --rounds 0":        "--rounds is 0",
		"memory --entries 1":     "--entries is [1]",
		"memory --size 0":        "--size is 0",
		"memory --remote -1":     "--remote is -1",
		"throughput --keys 0":    "--keys is 0",
		"throughput --time 0s":   "--time is 0s",
		"throughput --workers 0": "--workers is 0",
		"throughput extra":       "extra",
	} {
		stdout, stderr, code := larder(t, append([]string{"bench", "scenario"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}
