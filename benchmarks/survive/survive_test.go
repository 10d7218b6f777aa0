package main

import (
	"strings"
	"testing"

	"github.com/larder-cache/larder/internal/redisproc"
)

// result runs a case of a library.
func result(t *testing.T, library, name string) string {
	t.Helper()
	redis, err := redisproc.Start(t.Context(), redisproc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { redis.Stop() })
	for _, l := range libraries {
		for _, c := range cases {
			if l.name == library && c.name == name {
				s := &stage{redis: redis, library: l}
				defer s.close()
				return c.run(t.Context(), s)
			}
		}
	}
	t.Fatalf("no %q of %q", name, library)
	return ""
}

func TestLarderSurvivesEverything(t *testing.T) {
	for _, c := range cases {
		if out := result(t, "Larder", c.name); out == "" || strings.Contains(out, "**") || strings.Contains(out, "?") {
			t.Errorf("%s: %s", c.name, out)
		}
	}
}

func TestTheCasesCanFail(t *testing.T) {
	for name, want := range map[string]string{
		cases[0].name: "**stale**", // a store after the invalidation
		cases[4].name: "**200**",   // nobody shares a load
	} {
		if out := result(t, "golang-lru, by hand", name); out != want {
			t.Errorf("%s: %s", name, out)
		}
	}
	if out := result(t, "go-redis/cache", cases[3].name); !strings.Contains(out, "**more than") {
		t.Errorf("%s: %s", cases[3].name, out)
	}
}
