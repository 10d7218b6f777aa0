// Command releasecheck makes a proxy of what a release of this repository would be, and
// uses it as strangers do: it installs the program larder with the go command, runs it,
// and builds a program of a user of the library. Nothing of ours comes from the work
// tree then, no replace directive is left, and the module cache of whoever runs it is
// only read.
//
// It fails if one of that fails, if the program without debug information, as README says
// to install it and as releases are built, is larger than -limit, or if the go.mod of a
// user of the library needs other modules than scripts/modules.txt says.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

const root = "github.com/larder-cache/larder"

func main() {
	var c check
	flag.StringVar(&c.version, "version", "v0.1.0-check", "the `version` that the release would have")
	flag.Int64Var(&c.limit, "limit", 20_000_000, "most `bytes` of the program without debug information; 0 is no limit")
	flag.Int64Var(&c.plainLimit, "plain-limit", 0, "most `bytes` of the program as go install builds it without flags; 0 is no limit")
	flag.StringVar(&c.run, "bench", "--only strategies --ops 200", "`flags` of the larder bench that is run")
	keep := flag.String("keep", "", "leave the proxy in this new `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := c.all(ctx, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "releasecheck:", err)
		os.Exit(1)
	}
	fmt.Println("the release can be installed and used")
}

// check is what is checked, and where.
type check struct {
	version           string
	limit, plainLimit int64
	run               string
	dir               string   // for all that is written
	env               []string // of the go command
}

func (c *check) all(ctx context.Context, keep string) (err error) {
	if c.dir, err = os.MkdirTemp("", "larder-release-*"); err != nil {
		return err
	}
	defer os.RemoveAll(c.dir)
	proxy := filepath.Join(c.dir, "proxy")
	if keep != "" {
		if proxy, err = filepath.Abs(keep); err != nil {
			return err
		}
		if err := os.Mkdir(proxy, 0o777); err != nil {
			return err
		}
	}
	modules, err := workspace(ctx)
	if err != nil {
		return err
	}
	for _, m := range modules {
		size, err := m.publish(ctx, proxy, c.version, modules)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Path, err)
		}
		fmt.Printf("%-50s %8d bytes as a zip\n", m.Path, size)
	}
	if c.env, err = c.strange(ctx, proxy); err != nil {
		return err
	}
	if err := c.program(ctx); err != nil {
		return err
	}
	return c.user(ctx)
}

// strange returns the environment of somebody who has nothing of ours: an empty module
// cache, which is filled from our proxy, then from what the real module cache has of
// others, then from their ordinary proxy.
func (c *check) strange(ctx context.Context, proxy string) ([]string, error) {
	cache, err := output(ctx, ".", nil, "go", "env", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	ordinary, err := output(ctx, ".", nil, "go", "env", "GOPROXY")
	if err != nil {
		return nil, err
	}
	sources := append([]string{fileURL(proxy), fileURL(filepath.Join(cache, "cache", "download"))}, others(ordinary)...)
	return append(os.Environ(),
		"GOWORK=off", "GOFLAGS=-modcacherw", "GOPRIVATE=", "GONOPROXY=none", "GOPROXY="+strings.Join(sources, ","),
		"GONOSUMDB="+root+","+root+"/*", "GOMODCACHE="+filepath.Join(c.dir, "modcache"), "GOBIN="+filepath.Join(c.dir, "bin"),
		"GOPATH="+filepath.Join(c.dir, "gopath"), "GOENV=off"), nil
}

// others returns the proxies of a list without those places that are none: the paths
// between our modules are asked for too, and must not be looked for in a repository.
func others(list string) (proxies []string) {
	for p := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == '|' }) {
		if p != "direct" && p != "off" {
			proxies = append(proxies, p)
		}
	}
	return proxies
}

func fileURL(dir string) string {
	dir = filepath.ToSlash(dir)
	if !strings.HasPrefix(dir, "/") {
		dir = "/" + dir // C:/...
	}
	return "file://" + dir
}

// output runs a command in a directory and returns what it prints, without blanks around
// it. An error has what it prints as errors.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
