package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const packages = "github.com/larder-cache/larder/benchmarks/"

// binaries are the built tests of packages.
type binaries struct {
	dir     string
	modules []string // what is built in, with versions
}

func (b binaries) path(pkg string) string { return filepath.Join(b.dir, pkg+".test") }

// build builds the tests of the packages into a directory, which the caller
// removes.
func build(ctx context.Context, pkgs []string) (b binaries, err error) {
	if b.dir, err = os.MkdirTemp("", "larder-compare-"); err != nil {
		return b, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(b.dir)
		}
	}()
	paths := make([]string, len(pkgs))
	for i, pkg := range pkgs {
		paths[i] = packages + pkg
		cmd := exec.CommandContext(ctx, goCommand(), "test", "-c", "-trimpath", "-o", b.path(pkg), paths[i])
		if out, err := cmd.CombinedOutput(); err != nil {
			return b, fmt.Errorf("%s cannot be built: %w\n%s", pkg, err, out)
		}
	}
	b.modules, err = modules(ctx, paths)
	return b, err
}

// modules returns those that are in the tests of the packages, with their
// versions: the binaries of tests, unlike others, do not say. This module and the
// library are the checkout, and have none.
func modules(ctx context.Context, paths []string) ([]string, error) {
	args := []string{"list", "-test", "-deps", "-f", "{{with .Module}}{{if not (or .Main .Replace)}}{{.Path}} {{.Version}}{{end}}{{end}}"}
	out, err := exec.CommandContext(ctx, goCommand(), append(args, paths...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("the versions of modules: %w", err)
	}
	var all []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func goCommand() string {
	if name := os.Getenv("GO"); name != "" {
		return name
	}
	return "go"
}

// measure runs the suites and returns their lines below a header. failed names
// what did not run to its end; the rest is of use nevertheless.
func measure(ctx context.Context, o options) (raw []byte, failed, err error) {
	var chosen []suite
	var pkgs []string
	for _, s := range suites {
		if o.only.MatchString(s.name) {
			chosen = append(chosen, s)
			if !slices.Contains(pkgs, s.pkg) {
				pkgs = append(pkgs, s.pkg)
			}
		}
	}
	if len(chosen) == 0 {
		return nil, nil, errors.New("--only matches no suite")
	}
	b, err := build(ctx, pkgs)
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(b.dir)
	pin := pinner()
	var out bytes.Buffer
	out.WriteString(header(b.modules, pin != nil))
	begin := time.Now()
	for round := 1; round <= o.rounds; round++ {
		fmt.Fprintf(&out, "\n# round %d\n", round)
		for _, s := range chosen {
			if s.rounds > 0 && round > s.rounds {
				continue
			}
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			lines, err := s.run(ctx, b, o, pin)
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("round %d, %s: %w", round, s.name, err))
			}
			out.WriteString(lines)
			fmt.Fprintf(os.Stderr, "round %d of %d, %s: %v\n", round, o.rounds, s.name, time.Since(begin).Round(time.Second))
		}
	}
	return out.Bytes(), failed, nil
}

// pinner returns the command that keeps another on one processor, or nil where
// there is none.
func pinner() []string {
	path, err := exec.LookPath("taskset")
	if err != nil {
		return nil
	}
	return []string{path, "-c", "0"}
}

// run runs the suite once and returns its lines, also if it has failed.
func (s suite) run(ctx context.Context, b binaries, o options, pin []string) (string, error) {
	duration := s.time
	if o.time != "" && !s.counts {
		duration = o.time
	}
	bench := s.bench
	if s.lib != "" {
		bench += "/^lib=" + s.lib + "$"
	}
	args := []string{b.path(s.pkg), "-test.run=^$", "-test.bench=" + bench, "-test.cpu=" + s.cpu, "-test.benchtime=" + duration, "-test.timeout=10m"}
	if s.pinned {
		args = append(pin[:len(pin):len(pin)], args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = b.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w\n%s%s", err, out.String(), errs.String())
	}
	return "pinned: " + strconv.FormatBool(s.pinned && pin != nil) + "\n" + benchmarkLines(out.String()), err
}

// benchmarkLines returns what benchstat reads of the output of a test.
func benchmarkLines(output string) string {
	var kept strings.Builder
	for line := range strings.Lines(output) {
		name, _, isConfig := strings.Cut(line, ": ")
		switch {
		case isConfig && slices.Contains([]string{"goos", "goarch", "pkg", "cpu"}, name), resultLine.MatchString(line):
			kept.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
	}
	return kept.String()
}
