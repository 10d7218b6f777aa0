package cache_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func aProblem() *cache.Problem {
	return &cache.Problem{Code: "permission", Subject: "PUBLISH", Effect: "others hear late", Remedy: "grant +publish", Err: io.EOF}
}

func TestProblem_IsAnErrorThatSaysEverything(t *testing.T) {
	p := aProblem()
	if want := "larder: permission (PUBLISH): others hear late; grant +publish: EOF"; p.Error() != want {
		t.Errorf("the error is %q, not %q", p.Error(), want)
	}
	if !errors.Is(p, io.EOF) {
		t.Error("the cause is not found")
	}
	if bare := (&cache.Problem{Code: "a", Subject: "b", Effect: "c"}).Error(); bare != "larder: a (b): c" {
		t.Errorf("without remedy and cause it is %q", bare)
	}
	raw, err := json.Marshal(*p)
	if want := `{"code":"permission","subject":"PUBLISH","effect":"others hear late","remedy":"grant +publish","error":"EOF"}`; err != nil || string(raw) != want {
		t.Errorf("as JSON it is %s, %v", raw, err)
	}
}

func TestLog_WritesProblemsAndTheirEnd(t *testing.T) {
	var b bytes.Buffer
	o := cache.Log(slog.New(slog.NewTextHandler(&b, nil)), nil)
	other := aProblem()
	other.Subject = "SUBSCRIBE"
	o.Observe(cache.Event{Kind: cache.ProblemFound, Cache: "shop", N: 1, Err: aProblem()})
	o.Observe(cache.Event{Kind: cache.ProblemFound, Cache: "shop", N: 1, Err: other})
	o.Observe(cache.Event{Kind: cache.ProblemSolved, Cache: "shop", N: 1, Err: other})
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("the log has %d lines: each problem is one, whenever it comes:\n%s", len(lines), &b)
	}
	for i, want := range [][]string{
		{"level=WARN", "problem found", "PUBLISH", "grant +publish"}, {"level=WARN", "SUBSCRIBE"}, {"level=INFO", "problem solved", "SUBSCRIBE"},
	} {
		for _, w := range want {
			if !strings.Contains(lines[i], w) {
				t.Errorf("line %d does not have %q: %s", i, w, lines[i])
			}
		}
	}
}
