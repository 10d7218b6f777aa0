package main

import (
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/verify"
)

func TestWrongUsageOfVerify(t *testing.T) {
	for args, part := range map[string]string{
		"--processes 0":      "--processes is 0",
		"--processes 65":     "--processes is 65",
		"--rounds -1":        "--rounds is -1",
		"--time 0s":          "--time is 0s",
		"--round 10ms":       "--round is 10ms",
		"--lease 1ms":        "--lease is 1ms",
		"--out=":             "--out is empty",
		"--redis=":           "--redis is empty",
		"--redis spawn-some": `"spawn-some" is neither spawn`,
		"--seed -1":          "seed",
	} {
		stdout, stderr, code := larder(t, append([]string{"verify"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

func TestVerifyOfAServerThatIsNotThere(t *testing.T) {
	_, stderr, code := larder(t, "verify", "--redis", "127.0.0.1:1")
	if code != exitRun {
		t.Errorf("exit code %d", code)
	}
	checkLine(t, stderr, "127.0.0.1:1")
}

func TestTheExitCodeOfVerify(t *testing.T) {
	for what, c := range map[string]struct {
		scores verify.Scores
		code   int
	}{
		"all held":   {verify.Scores{}, exitOK},
		"violations": {verify.Scores{Violations: []verify.Violation{{Seed: 1, What: "stale"}}, Undecided: 1}, exitViolation},
		"undecided":  {verify.Scores{Undecided: 1}, exitRun},
	} {
		if code, _ := verdict(t.Context(), withCode(exitRun, verdictOf(&c.scores))); code != c.code {
			t.Errorf("%s: exit code %d", what, code)
		}
	}
}
