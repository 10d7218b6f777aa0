package main

import (
	"archive/zip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files, by their paths, into a new git repository.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := output(t.Context(), dir, nil, "git", "init", "-q"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func twoModules(t *testing.T) (all []module) {
	dir := tree(t, map[string]string{
		"go.mod":            "module example.com/lib\n\ngo 1.26.0\n",
		"lib.go":            "package lib\n\nconst Answer = 42\n",
		"testdata/a":        "a",
		".gitignore":        "out/\n",
		"out/results.json":  "{}",
		"cmd/tool/go.mod":   "module example.com/lib/cmd/tool\n\ngo 1.26.0\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ../..\n",
		"cmd/tool/main.go":  "package main\n\nimport \"example.com/lib\"\n\nfunc main() { println(lib.Answer) }\n",
		"cmd/tools/tool.go": "package tools\n",
	})
	return []module{{"example.com/lib", dir}, {"example.com/lib/cmd/tool", filepath.Join(dir, "cmd", "tool")}}
}

func TestTheProxyServesWhatAReleaseWouldBe(t *testing.T) {
	all, proxy := twoModules(t), t.TempDir()
	for _, m := range all {
		if _, err := m.publish(t.Context(), proxy, "v1.2.3", all); err != nil {
			t.Fatal(err)
		}
	}
	mod, err := os.ReadFile(filepath.Join(proxy, "example.com/lib/cmd/tool/@v/v1.2.3.mod"))
	if err != nil || strings.Contains(string(mod), "replace") || !strings.Contains(string(mod), "require example.com/lib v1.2.3") {
		t.Errorf("the released go.mod is %s, %v", mod, err)
	}
	var names []string
	z, err := zip.OpenReader(filepath.Join(proxy, "example.com/lib/@v/v1.2.3.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	prefix := "example.com/lib@v1.2.3/"
	if want := []string{prefix + ".gitignore", prefix + "cmd/tools/tool.go", prefix + "go.mod", prefix + "lib.go", prefix + "testdata/a"}; !slices.Equal(names, want) {
		t.Errorf("the zip has %q", names)
	}

	// The go command installs from it, with nothing else to get anything from.
	dir := t.TempDir()
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=-modcacherw", "GOENV=off", "GOPROXY="+fileURL(proxy), "GOPRIVATE=", "GONOPROXY=none", "GONOSUMDB=example.com/*",
		"GOMODCACHE="+filepath.Join(dir, "modcache"), "GOBIN="+filepath.Join(dir, "bin"))
	if _, err := output(t.Context(), dir, env, "go", "install", "example.com/lib/cmd/tool@v1.2.3"); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "bin", "tool*")); len(files) != 1 {
		t.Errorf("installed: %q, %v", files, err)
	}
}

func TestWhatCannotBeReleased(t *testing.T) {
	foreign := tree(t, map[string]string{"go.mod": "module example.com/a\n\nreplace example.com/b => ../b\n"})
	hidden := tree(t, map[string]string{"go.mod": "module example.com/a\n", "x/go.mod": "module example.com/a/x\n"})
	for words, m := range map[string]module{
		"replaces example.com/b, which is not ours":        {"example.com/a", foreign},
		"x/go.mod is of a module that go.work does not":    {"example.com/a", hidden},
		"a path with capital letters is written otherwise": {"example.com/A", foreign},
	} {
		if _, err := m.publish(t.Context(), t.TempDir(), "v1.0.0", []module{m}); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", words, err)
		}
	}
}

func TestWhatAUserRequiresIsJudged(t *testing.T) {
	allowed := library("# Why\n\n# The library\nexample.com/a\nexample.com/b\n\n# Its tests\nexample.com/t\n")
	if !slices.Equal(allowed, []string{"example.com/a", "example.com/b"}) {
		t.Errorf("allowed are %q", allowed)
	}
	for text, bad := range map[string]bool{
		`{"Require":[{"Path":"` + root + `","Version":"v1"},{"Path":"example.com/b","Version":"v7"}]}`: false,
		`{"Require":[{"Path":"` + root + `","Version":"v2"}]}`:                                         true,
		`{"Require":[{"Path":"example.com/t","Version":"v1","Indirect":true}]}`:                        true,
	} {
		var m goMod
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		if err := m.judge("v1", allowed); (err != nil) != bad {
			t.Errorf("%s: %v", text, err)
		}
	}
	if text, err := os.ReadFile("../../" + modulesFile); err != nil || len(library(string(text))) < 3 {
		t.Errorf("%s: %v", modulesFile, err)
	}
}

func TestTheLimitOfSize(t *testing.T) {
	if weigh("x", 10, 10) != nil || weigh("x", 11, 0) != nil || weigh("x", 11, 10) == nil {
		t.Error("the limit is another")
	}
}

func TestOrdinaryProxies(t *testing.T) {
	if got := others("https://a|https://b,direct"); !slices.Equal(got, []string{"https://a", "https://b"}) {
		t.Errorf("got %q", got)
	}
	if got := others("direct"); got != nil {
		t.Errorf("got %q", got)
	}
}
