// Command mutants shows that the tests have teeth. Each mutant is the real code
// with one of its rules broken; a test, named beside it, must fail on it.
//
// A mutant is an overlay of the build: the code itself has no switches. One whose
// text is not found in the code any more is an error, and so is one that does not
// compile, or whose test fails without it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var verbose bool

func main() {
	only := flag.String("run", "", "only mutants whose name matches this `regexp`")
	by := flag.String("by", "", "use this `test` of package redisstore in place of each mutant's own")
	flag.BoolVar(&verbose, "v", false, "show which parts of the tests fail")
	flag.Parse()
	for i := range mutants {
		if *by != "" {
			mutants[i].pkg, mutants[i].test = "redisstore", *by
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	var chosen []mutant
	for _, m := range mutants {
		if match.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if chosen == nil {
		return fmt.Errorf("-run %q matches no mutant", only)
	}
	dir, err := os.MkdirTemp("", "larder-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := sound(ctx, chosen); err != nil {
		return err
	}
	var survivors []error
	verdicts := judge(ctx, dir, chosen)
	for i, m := range chosen {
		v := <-verdicts[i]
		if v.err != nil {
			survivors = append(survivors, fmt.Errorf("%s: %w", m.name, v.err))
			fmt.Printf("SURVIVED %-36s %s\n", m.name, m.breaks)
			continue
		}
		fmt.Printf("killed   %-36s by %s in %s, %.1f s: %s\n", m.name, m.test, m.pkg, v.took.Seconds(), m.breaks)
	}
	fmt.Printf("%d of %d mutants killed\n", len(chosen)-len(survivors), len(chosen))
	return errors.Join(survivors...)
}

// verdict is what has become of a mutant; no error means that it has died.
type verdict struct {
	took time.Duration
	err  error
}

// together is how many mutants are built and run at once: most of it is linking, which
// keeps one processor busy.
const together = 2

// judge runs all mutants, and gives each verdict when it is there.
func judge(ctx context.Context, dir string, chosen []mutant) []chan verdict {
	verdicts := make([]chan verdict, len(chosen))
	next := make(chan int, len(chosen))
	for i := range chosen {
		verdicts[i] = make(chan verdict, 1)
		next <- i
	}
	close(next)
	for range together {
		go func() {
			for i := range next {
				began := time.Now()
				err := chosen[i].dies(ctx, dir)
				verdicts[i] <- verdict{time.Since(began), err}
			}
		}()
	}
	return verdicts
}

// sound runs the tests on the code as it is: they must pass.
func sound(ctx context.Context, chosen []mutant) error {
	whole, parts := map[string][]string{}, map[[2]string]bool{}
	for _, m := range chosen {
		if strings.Contains(m.test, "/") {
			parts[[2]string{m.pkg, m.test}] = true
			continue
		}
		whole[m.pkg] = append(whole[m.pkg], m.test)
	}
	pass := func(pkg, pattern string, names ...string) error {
		out, err := test(ctx, pkg, pattern)
		if err != nil {
			return fmt.Errorf("without a mutant, the tests of %s fail: %w\n%s", pkg, err, out)
		}
		for _, name := range names {
			if !bytes.Contains(out, []byte("--- PASS: "+name+" ")) {
				return fmt.Errorf("%s has no test %s that passes", pkg, name)
			}
		}
		return nil
	}
	for pkg, names := range whole {
		if err := pass(pkg, "^("+strings.Join(names, "|")+")$", names...); err != nil {
			return err
		}
	}
	for p := range parts {
		if err := pass(p[0], pattern(p[1]), p[1]); err != nil {
			return err
		}
	}
	return nil
}

// pattern matches a test, or a part of one, and nothing else.
func pattern(test string) string { return "^" + strings.ReplaceAll(test, "/", "$/^") + "$" }

// dies runs the mutant's test, which must fail by what it checks.
func (m mutant) dies(ctx context.Context, dir string) error {
	overlay, err := m.overlay(dir)
	if err != nil {
		return err
	}
	out, err := test(ctx, m.pkg, pattern(m.test), "-overlay="+overlay)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return fmt.Errorf("%s in %s passes", m.test, m.pkg)
	case !bytes.Contains(out, []byte("--- FAIL: "+m.test+" ")):
		return fmt.Errorf("it does not fail by %s: %w\n%s", m.test, err, out)
	}
	for line := range bytes.Lines(out) {
		if verbose && bytes.Contains(line, []byte("--- FAIL: ")) {
			fmt.Printf("%s", line)
		}
	}
	return nil
}

// test runs tests of a package. It is compiled without optimising, which takes less time.
func test(ctx context.Context, pkg, pattern string, more ...string) ([]byte, error) {
	args := append([]string{"test", "-count=1", "-timeout=3m", "-vet=off", "-gcflags=-N -l", "-ldflags=-s -w", "-v", "-run=" + pattern}, more...)
	return exec.CommandContext(ctx, goCommand(), append(args, "./"+pkg)...).CombinedOutput()
}

func goCommand() string {
	if g := os.Getenv("GO"); g != "" {
		return g
	}
	return "go"
}

// overlay writes the changed files and the list of them that the go command takes, which
// leaves out test files that are not needed.
func (m mutant) overlay(dir string) (string, error) {
	texts := map[string][]byte{}
	for _, e := range m.edits {
		text, changed := texts[e.file]
		if !changed {
			var err error
			if text, err = os.ReadFile(e.file); err != nil {
				return "", err
			}
		}
		if n := bytes.Count(text, []byte(e.old)); n != 1 {
			return "", fmt.Errorf("%s has %d times, not once, the text %q: adapt the mutant to the code", e.file, n, e.old)
		}
		texts[e.file] = bytes.Replace(text, []byte(e.old), []byte(e.new), 1)
	}
	replace := map[string]string{}
	needless, err := others(m.pkg, m.test)
	if err != nil {
		return "", err
	}
	for _, file := range needless {
		from, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replace[from] = ""
	}
	for file, text := range texts {
		from, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replace[from] = filepath.Join(dir, m.name+"-"+filepath.Base(file))
		if err := os.WriteFile(replace[from], text, 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, m.name+".json")
	return path, os.WriteFile(path, list, 0o600)
}
