package main

import (
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
)

func TestEverythingThatIsListedHasALine(t *testing.T) {
	root := newRoot()
	for _, topic := range topics {
		all := topic.entries(root)
		if len(all) == 0 {
			t.Errorf("there are no %s", topic.name)
		}
		for _, e := range all {
			if e.name == "" || e.about == "" {
				t.Errorf("%s: %+v has no name, or no line: add one to the catalog, or to about in list_about.go", topic.name, e)
			}
		}
	}
}

func TestList(t *testing.T) {
	whole, stderr, code := larder(t, "list")
	if code != exitOK || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, part := range append(strategy.Names(), "outage", "memstore", "corda", "poisson", "invtag", "blackholed", "strategies: ") {
		if !strings.Contains(whole, part) {
			t.Errorf("the list has no %q:\n%s", part, whole)
		}
	}
	if stdout, _, code := larder(t, "list", "policies"); code != exitOK || !strings.HasPrefix(stdout, "lru ") || strings.Contains(stdout, "corda") {
		t.Errorf("exit code %d, policies\n%s", code, stdout)
	}
	dir := written(t, 1e6, 6, nil)
	if stdout, _, code := larder(t, "list", "metrics", dir); code != exitOK || !strings.Contains(stdout, "aside.p99  ns    lower   6        1.00 ms") {
		t.Errorf("exit code %d, metrics\n%s", code, stdout)
	}
	for args, words := range map[string]string{
		"strategeis":           `"strategeis" is none of workloads, distributions, operations, arrivals, strategies, scenarios, faults, policies, formats, metrics; the nearest is strategies`,
		"policies x":           `list policies takes nothing more, and not "x"`,
		"metrics a b":          "list metrics takes one file or directory, and not 2",
		"metrics " + dir + "x": "is not there",
	} {
		stdout, stderr, code := larder(t, append([]string{"list"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, words)
	}
}
