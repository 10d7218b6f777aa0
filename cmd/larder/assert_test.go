package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/spf13/cobra"
)

// measured runs a measurement that takes no time under the flags of those that do, and
// returns what it wrote.
func measured(t *testing.T, fails error, args ...string) (d *results.Document, stdout, line string, code int) {
	t.Helper()
	var o outputs
	cmd := &cobra.Command{Use: "measured", RunE: func(cmd *cobra.Command, _ []string) error {
		return measure(cmd, o, "measured", 1, measurement{run: func(context.Context, bed, *progress.Meter) (*results.Section, error) {
			s := &results.Section{Name: "sample", Title: "Sample"}
			s.Add("aside.p99", results.Nanoseconds, results.Lower, 1.5e6)
			return s, fails
		}})
	}}
	o.flags(cmd.Flags())
	separateUsage(cmd)
	dir := t.TempDir()
	cmd.SetArgs(append([]string{"--out", dir}, args...))
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&bytes.Buffer{})
	code, line = verdict(t.Context(), cmd.ExecuteContext(t.Context()))
	d, err := results.Read(dir)
	if err != nil {
		d = nil
	}
	return d, out.String(), line, code
}

func TestAssertionsDecideTheExitCode(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		line string
		out  string
	}{
		{"--assert aside.p99<2ms", exitOK, "", "aside.p99 < 2ms holds: aside.p99 is 1.50 ms"},
		{"--assert aside.p99<1ms", exitBroken, "aside.p99 < 1ms does not hold: aside.p99 is 1.50 ms", "FAILED: aside.p99 < 1ms"},
		{"--assert aside.p99<2ms --assert aside.p99>=1600us --repeat 2", exitBroken, "aside.p99 >= 1600us does not hold", "(the median of 2)"},
		{"--assert aside.p98<2ms", exitBroken, "no metric aside.p98; it has aside.p99", "FAILED: aside.p98"},
	} {
		d, stdout, line, code := measured(t, nil, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(line, c.line) || !strings.Contains(stdout, c.out) {
			t.Errorf("%s: exit code %d, line %q, output\n%s", c.args, code, line, stdout)
		}
		if d == nil || !slices.ContainsFunc(d.Sections, func(s *results.Section) bool {
			return s.Name == "assertions" && len(s.Notes) == strings.Count(c.args, "--assert")
		}) {
			t.Errorf("%s: the results do not have the assertions: %+v", c.args, d)
		}
	}
}

func TestAnAssertionThatCannotBeReadIsToldBeforeTheRun(t *testing.T) {
	d, stdout, line, code := measured(t, nil, "--assert", "aside.p99<2parsecs")
	if code != exitUsage || d != nil || stdout != "" {
		t.Errorf("exit code %d, output %q", code, stdout)
	}
	checkLine(t, line, `--assert "aside.p99<2parsecs", position 12: there is "parsecs" where one of the units`)
}

func TestNothingIsAssertedOfARunThatFailed(t *testing.T) {
	d, _, line, code := measured(t, errors.New("it broke"), "--assert", "aside.p99<1ms")
	if code != exitRun || len(d.Sections) != 1 || !strings.Contains(line, "it broke") {
		t.Errorf("exit code %d, line %q, %+v", code, line, d)
	}
}
