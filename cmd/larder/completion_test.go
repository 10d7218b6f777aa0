package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// proposals returns what the shell is told, and how to go on.
func proposals(t *testing.T, args ...string) (names []string, directive string) {
	t.Helper()
	stdout, _, code := larder(t, append([]string{cobra.ShellCompNoDescRequestCmd}, args...)...)
	if code != exitOK {
		t.Errorf("%q: exit code %d", args, code)
	}
	names = strings.Fields(stdout)
	if len(names) == 0 {
		return nil, ""
	}
	return names[:len(names)-1], names[len(names)-1]
}

func TestTheShellCompletesWhatCanBeNamed(t *testing.T) {
	const plain, noFiles, list, extension, dirs = ":0", ":4", ":6", ":8", ":16"
	for _, c := range []struct{ args, want, directive string }{
		{"ben", "bench", noFiles},
		{"list po", "policies", noFiles},
		{"bench scenario ou", "outage", noFiles},
		{"bench --strategies ", "none l1 l2 aside write-through early swr", list},
		{"bench --strategies l1,as", "l1,aside", list},
		{"bench --strategies l1,none,", "l1,none,l2 l1,none,aside l1,none,write-through l1,none,early l1,none,swr", list},
		{"bench --workload ycsb-", "ycsb-a ycsb-b ycsb-c ycsb-d ycsb-e ycsb-f", noFiles},
		{"bench --only th", "throughput", list},
		{"bench --trace ", "", plain},
		{"bench --arrivals c", "constant", noFiles},
		{"bench --redis spawn", "spawn spawn-cluster", noFiles},
		{"bench --out ", "", dirs},
		{"bench --config ", "json", extension},
		{"bench --keys ", "", noFiles},
		{"bench scenario outage --faults refused,k", "refused,killed", list},
		{"simulate --format co", "corda compact", noFiles},
		{"compare ", "", plain},
	} {
		args := strings.Split(c.args, " ")
		if got, directive := proposals(t, args...); strings.Join(got, " ") != c.want || directive != c.directive {
			t.Errorf("%q is completed with %q and %s", c.args, got, directive)
		}
	}
}

func TestScriptsForShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if stdout, stderr, code := larder(t, "completion", shell); code != exitOK || !strings.Contains(stdout, "larder") {
			t.Errorf("%s: exit code %d, %q", shell, code, stderr)
		}
	}
}
