package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
)

func TestWrongUsageOfInspectAndPurge(t *testing.T) {
	const at = "--redis 127.0.0.1:1 --space shop "
	for args, part := range map[string]string{
		"inspect":                                  "--redis is missing",
		"inspect --redis spawn --space shop":       "--redis is spawn",
		"inspect --redis 127.0.0.1:1":              "--space is missing",
		"inspect --redis x --space shop":           "--redis: ",
		"inspect --redis 127.0.0.1:1 --space a:b":  `--space is "a:b"`,
		"inspect " + at + "42":                     "--store is missing",
		"inspect " + at + "--store users":          "without a key",
		"inspect " + at + "--tag a --store b 42":   "give one of them",
		"inspect " + at + "--scan -1":              "--scan is -1",
		"inspect " + at + "--tag=":                 "--tag is empty",
		"purge " + at:                              "give one of",
		"purge " + at + "--clear --tag a":          "give one of",
		"purge " + at + "42":                       "--store is missing",
		"purge " + at + "--clear --store users":    "--store is given",
		"purge " + at + "--tag=":                   "--tag is empty",
		"purge " + at + "--clear --dry-run --wait": "nothing is waited for",
		"purge " + at + "--clear --timeout 0s":     "--timeout is 0s",
	} {
		stdout, stderr, code := larder(t, strings.Fields(args)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

// site is a process that has a value in memory and in Redis.
func site(t *testing.T, name string) (cache.Cache[string, string], string) {
	t.Helper()
	space, err := redisstore.Open(t.Context(), redistest.Client(t), name, &redisstore.Options{Timeout: 10 * time.Second, Lease: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	users := cache.Tiered(memstore.New[string, string](space.Domain, 100, nil), redisstore.New[string, string](space, "users", nil))
	fillSite(t, users)
	return users, redistest.Standalone(t).Addr()
}

// fillSite loads the value until memory has it, which takes a lease.
func fillSite(t *testing.T, users cache.Cache[string, string]) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if e, err := users.Get(t.Context(), "ada"); e != nil && err == nil {
			return
		}
		f, err := users.Reserve(t.Context(), cache.Slot[string]{Key: "ada", Tags: []string{"org:acme"}})
		if err != nil {
			t.Fatal(err)
		}
		now := cache.Now()
		if _, err := f.Commit(t.Context(), &cache.Entry[string]{Value: "the secret\x1b[31m", Tags: []string{"org:acme"}, Fresh: now.Add(time.Hour), Expires: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("what is stored is not read")
}

func TestPurgeReachesTheMemoryOfAnotherProcess(t *testing.T) {
	users, addr := site(t, "purge")
	base := []string{"purge", "--redis", addr, "--space", "purge"}
	for _, what := range [][]string{{"--store", "users", "ada"}, {"--tag", "org:acme"}, {"--clear"}} {
		fillSite(t, users)
		stdout, stderr, code := larder(t, append(append(base[:5:5], what...), "--dry-run")...)
		if code != exitOK || !strings.Contains(stdout, "nothing was changed") {
			t.Errorf("%v: exit code %d\n%s%s", what, code, stdout, stderr)
		}
		if e, err := users.Get(t.Context(), "ada"); e == nil || err != nil {
			t.Errorf("%v: after a dry run Get is %v, %v", what, e, err)
		}
		stdout, stderr, code = larder(t, append(append(base[:5:5], what...), "--wait")...)
		if code != exitOK || !strings.Contains(stdout, "invalidated ") || !strings.Contains(stdout, "no process serves") {
			t.Errorf("%v: exit code %d\n%s%s", what, code, stdout, stderr)
		}
		if e, err := users.Get(t.Context(), "ada"); e != nil || err != nil {
			t.Errorf("%v: after a purge Get is %v, %v", what, e, err)
		}
	}
}

func TestInspectShowsWhyAReadIsAMissAndNoValues(t *testing.T) {
	_, addr := site(t, "inspect")
	show := func(part string, args ...string) string {
		t.Helper()
		stdout, stderr, code := larder(t, append([]string{"inspect", "--redis", addr, "--space", "inspect"}, args...)...)
		if code != exitOK || !strings.Contains(stdout, part) || strings.Contains(stdout, "\x1b") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout
	}
	key := []string{"--store", "users", "ada"}
	if out := show("would be a hit", key...); strings.Contains(out, "secret") {
		t.Errorf("the value is shown:\n%s", out)
	}
	if out := show(`"hit": true`, append(key, "--json")...); strings.Contains(out, "secret") || !json.Valid([]byte(out)) {
		t.Errorf("the JSON is\n%s", out)
	}
	show("the secret", append(key, "--show-value")...)
	show("there is nothing", "--store", "users", "bob")
	show("version", "--tag", "org:acme")
	show("values", "--scan", "100000")
	if out := show(`"census"`, "--json"); !json.Valid([]byte(out)) {
		t.Errorf("the JSON is\n%s", out)
	}
	larder(t, "purge", "--redis", addr, "--space", "inspect", "--tag", "org:acme")
	show(`would be a miss (miss tag): the tag "org:acme" has no version`, key...)
}
