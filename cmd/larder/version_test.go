package main

import (
	"bytes"
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionTellsWhatIsLinked(t *testing.T) {
	b := buildOf(&debug.BuildInfo{
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-01T00:00:00Z"}, {Key: "vcs.modified", Value: "true"}},
		Deps: []*debug.Module{
			{Path: "github.com/alicebob/miniredis/v2", Version: "v2.1.0"},
			{Path: "a", Version: "v0.0.0", Replace: &debug.Module{Path: "../a"}},
			{Path: "b", Version: "v0.0.0", Replace: &debug.Module{Path: "c", Version: "v3"}},
		},
	})
	if b.Revision != "abc" || !b.Modified || b.Modules["a"] != "from ../a" || b.Modules["b"] != "v3" {
		t.Errorf("the build is %+v", b)
	}
	var out bytes.Buffer
	if err := b.details(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{"abc of 2026-01-01T00:00:00Z, and changes", "unknown", "v2.1.0", "from ../a", "v3"} {
		if i >= len(lines) || !strings.HasSuffix(lines[i], " "+want) {
			t.Errorf("line %d is not that of %s:\n%s", i, want, out.String())
		}
	}
	if b := buildOf(nil); b.Version == "" || b.Modules == nil {
		t.Errorf("without any information the build is %+v", b)
	}
}

func TestVersionAsJSONAndInDetail(t *testing.T) {
	stdout, _, code := larder(t, "version", "--json")
	var b build
	if err := json.Unmarshal([]byte(stdout), &b); err != nil || code != exitOK || b.Schema != versionSchema || b.Version == "" || b.Go == "" {
		t.Errorf("exit code %d, %s, %v", code, stdout, err)
	}
	if stdout, _, _ := larder(t, "version", "-v"); !strings.HasPrefix(stdout, "larder ") || !strings.Contains(stdout, "\nrevision ") || !strings.Contains(stdout, "go-redis") {
		t.Errorf("in detail: %s", stdout)
	}
}
