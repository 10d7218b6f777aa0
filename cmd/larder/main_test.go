package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/larder-cache/larder/internal/redistest"
	"github.com/spf13/cobra"
)

// Scenarios start this program again with a hidden command.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && strings.HasSuffix(os.Args[1], "-worker") {
		main()
	}
	os.Exit(redistest.Main(m))
}

// larder runs the command and returns what it printed and its exit code.
func larder(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return larderUnder(t.Context(), args...)
}

func larderUnder(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	code = run(ctx, args, &out, &err)
	return out.String(), err.String(), code
}

// checkLine requires one error line from larder that holds every part.
func checkLine(t *testing.T, stderr string, parts ...string) {
	t.Helper()
	if !strings.HasPrefix(stderr, "larder: ") || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") {
		t.Errorf("not one error line: %q", stderr)
	}
	for _, part := range parts {
		if !strings.Contains(stderr, part) {
			t.Errorf("error %q does not say %q", stderr, part)
		}
	}
}

func TestWrongUsage(t *testing.T) {
	for _, c := range []struct {
		args string
		part string
	}{
		{"nosuch", `unknown command "nosuch"`},
		{"--nosuch", "unknown flag: --nosuch; see larder --help"},
		{"version extra", "extra"},
		{"simulate", "needs a trace file or a --workload; see larder simulate --help"},
		{"simulate --nosuch x", "unknown flag: --nosuch; see larder simulate --help"},
		{"simulate --capacity 0 x", `--capacity: capacity "0"`},
		{"simulate --format tape x", `--format: unknown format "tape"`},
		{"simulate --max-requests 0 x", "--max-requests"},
		{"simulate --max-requests 9999999999 x", "--max-requests"},
		{"simulate --max-bytes -1 x", "--max-bytes"},
		{"simulate --bytes --capacity 1.5kB x", `--capacity: capacity "1.5kB"`},
		{"simulate --bytes --workload zipf", "--bytes is for traces that know sizes"},
		{"simulate --workload zip", `--workload: popularity "zip" is none of`},
		{"simulate --workload zipf --keys 0", "--keys is 0"},
		{"simulate --workload zipf --requests 0", "--requests is 0"},
		{"simulate --out= x", "--out is empty"},
	} {
		stdout, stderr, code := larder(t, strings.Fields(c.args)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", c.args, code, stdout)
		}
		checkLine(t, stderr, c.part)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for args, part := range map[string]string{
		"":                "Available Commands",
		"--help":          "simulate",
		"simulate --help": "--capacity list",
		"version":         "larder ",
	} {
		stdout, stderr, code := larder(t, strings.Fields(args)...)
		if code != exitOK || stderr != "" || !strings.Contains(stdout, part) {
			t.Errorf("%q: exit code %d, output %q, errors %q", args, code, stdout, stderr)
		}
	}
}

func TestVersionOfRelease(t *testing.T) {
	old := version
	defer func() { version = old }()
	version = "v9.9.9"
	if stdout, _, _ := larder(t, "version"); !strings.HasPrefix(stdout, "larder v9.9.9 go") {
		t.Errorf("version is %q", stdout)
	}
}

func TestCommandsGetTheirExitCode(t *testing.T) {
	failure := errors.New("it broke")
	for _, c := range []struct {
		name string
		err  error
		args []string
		code int
	}{
		{"plain", failure, nil, exitRun},
		{"coded", usageError("bad input: %w", failure), nil, exitUsage},
		{"argument", nil, []string{"extra"}, exitUsage},
		{"required flag", nil, []string{"-f="}, exitUsage},
		{"none", nil, nil, exitOK},
	} {
		sub := &cobra.Command{Use: "sub", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return c.err }}
		if c.name == "required flag" {
			sub.Flags().StringP("file", "f", "", "")
			sub.Flags().String("needed", "", "")
			if err := sub.MarkFlagRequired("needed"); err != nil {
				t.Fatal(err)
			}
		}
		root := newRoot()
		separateUsage(sub)
		root.AddCommand(sub)
		root.SetArgs(append([]string{"sub"}, c.args...))
		if code, _ := verdict(t.Context(), root.Execute()); code != c.code {
			t.Errorf("%s: exit code %d, want %d", c.name, code, c.code)
		}
	}
}

func TestOneLine(t *testing.T) {
	if got, want := oneLine("a\nb\x1b[2Jc\tü"), `a\nb\x1b[2Jc\tü`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExitErrorText(t *testing.T) {
	if s := (&exitError{code: 7}).Error(); s != "exit code 7" {
		t.Errorf("text is %q", s)
	}
	cause := errors.New("cause")
	if err := error(&exitError{1, cause}); err.Error() != "cause" || !errors.Is(err, cause) {
		t.Errorf("cause is lost in %v", err)
	}
}
