// Command compare runs the benchmarks of this module round after round, so that
// what the machine does besides meets all libraries alike, and writes what came of
// it: all lines, tables of ratios beside their targets, and the table of the
// README. All ratios are within a round; what is shown is the median of the rounds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	rounds                              int
	only                                *regexp.Regexp
	out, readme, from, time, profilesIn string
}

func parseFlags(args []string) (o options, err error) {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 6, "how often everything is measured")
	only := f.String("only", "", "measure only the suites that match this regular expression: "+strings.Join(suiteNames(), ", "))
	f.StringVar(&o.out, "out", "docs/benchmarks", "directory of raw.txt and compare.md; empty prints the tables only")
	f.StringVar(&o.readme, "readme", "", "file whose table is replaced")
	f.StringVar(&o.from, "from", "", "measure nothing, and make the tables from this raw.txt")
	f.StringVar(&o.time, "benchtime", "", "how long each benchmark runs, instead of what its suite says; those that are counted are not changed")
	f.StringVar(&o.profilesIn, "profiles", "", "instead, write profiles of the main paths into this directory")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("arguments that are no flags: %q", f.Args())
	}
	if o.rounds < 1 {
		return o, fmt.Errorf("--rounds is %d: it must be positive", o.rounds)
	}
	o.only, err = regexp.Compile(*only)
	if err != nil {
		return o, fmt.Errorf("--only: %w", err)
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	if o.profilesIn != "" {
		return profiles(ctx, o)
	}
	var raw []byte
	var failed error
	if o.from != "" {
		raw, err = os.ReadFile(o.from)
	} else {
		raw, failed, err = measure(ctx, o)
	}
	if err != nil {
		return err
	}
	all, err := parse(strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	page := report(all)
	if o.out == "" {
		fmt.Print(page)
	} else {
		if o.from == "" {
			if err := write(o.out, "raw.txt", string(raw)); err != nil {
				return err
			}
		}
		if err := write(o.out, "compare.md", page); err != nil {
			return err
		}
	}
	if o.readme != "" {
		if err := replace(o.readme, compact(all)); err != nil {
			return err
		}
	}
	return failed
}

func write(dir, name, text string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// Between these lines of the README is what this program writes.
const (
	begin = "<!-- compare:begin -->"
	end   = "<!-- compare:end -->"
)

func replace(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err = between(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// between returns page with text between the marks.
func between(page, text string) (string, error) {
	before, rest, ok := strings.Cut(page, begin+"\n")
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", fmt.Errorf("the lines %s and %s are not both there", begin, end)
	}
	return before + begin + "\n" + text + end + after, nil
}
