package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// program installs larder as strangers do and as releases are built, runs it, and
// weighs it.
func (c *check) program(ctx context.Context) error {
	for _, b := range []struct {
		what  string
		flags []string
		limit int64
	}{
		{"go install", nil, c.plainLimit},
		{"without debug information", []string{"-ldflags=-s"}, c.limit}, // as README says
		{"as released", []string{"-trimpath", "-ldflags=-s -w -X main.version=" + c.version}, c.limit},
	} {
		empty, err := os.MkdirTemp(c.dir, "empty-*")
		if err != nil {
			return err
		}
		args := append(append([]string{"install"}, b.flags...), root+"/cmd/larder@"+c.version)
		if _, err := output(ctx, empty, c.env, "go", args...); err != nil {
			return err
		}
		larder := filepath.Join(c.dir, "bin", "larder")
		if runtime.GOOS == "windows" {
			larder += ".exe"
		}
		info, err := os.Stat(larder)
		if err != nil {
			return err
		}
		fmt.Printf("%-25s larder has %5.2f MB (%d bytes)\n", b.what, float64(info.Size())/1e6, info.Size())
		if err := weigh(b.what, info.Size(), b.limit); err != nil {
			return err
		}
		if err := c.try(ctx, larder); err != nil {
			return err
		}
	}
	return nil
}

// try runs the program.
func (c *check) try(ctx context.Context, larder string) error {
	line, err := output(ctx, c.dir, c.env, larder, "version")
	if err != nil {
		return err
	}
	fmt.Println(line)
	if !strings.HasPrefix(line, "larder "+c.version+" ") {
		return fmt.Errorf("larder version prints %q: it is not the version that was installed", line)
	}
	out, err := os.MkdirTemp(c.dir, "out-*")
	if err != nil {
		return err
	}
	if _, err := output(ctx, c.dir, c.env, larder, append([]string{"bench", "--out", out}, strings.Fields(c.run)...)...); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(out, "results.json")); err != nil {
		return errors.New("larder bench ended well, and wrote no results.json")
	}
	return nil
}

func weigh(what string, size, limit int64) error {
	if limit > 0 && size > limit {
		return fmt.Errorf("larder, %s, has %d bytes, more than %d", what, size, limit)
	}
	return nil
}
