package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// output is a file that a command writes as a whole or not at all.
type output struct {
	path   string
	force  bool // replace what is there
	stdout io.Writer
}

// check returns an error if the file may not be written, before there is work that
// would be in vain.
func (o output) check() error {
	if o.path == standardStream {
		return nil
	}
	info, err := os.Stat(o.path)
	switch {
	case err == nil && info.IsDir():
		return usageError("%s is a directory; name a file", o.path)
	case err == nil && info.Mode().IsRegular() && !o.force:
		return usageError("%s is there already; name another file, or give --force to replace it", o.path)
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(o.path)); err != nil {
			return usageError("%s cannot be written: %w; name a directory that is there", o.path, cause(err))
		}
	}
	return nil
}

// write calls into with the file and puts it in its place after that has succeeded.
// What is no regular file, such as a pipe, is written as it comes.
func (o output) write(ctx context.Context, into func(io.Writer) error) (size int64, err error) {
	if err := o.check(); err != nil {
		return 0, err
	}
	w := &counted{ctx: ctx}
	if o.path == standardStream {
		w.w = o.stdout
		err := into(w)
		return w.n, outputFault(ctx, err, "standard output")
	}
	info, err := os.Stat(o.path)
	if err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(o.path, os.O_WRONLY, 0)
		if err != nil {
			return 0, outputFault(ctx, err, o.path)
		}
		w.w = f
		err = into(w)
		if err1 := f.Close(); err == nil {
			err = err1
		}
		return w.n, outputFault(ctx, err, o.path)
	}
	err = results.Replace(o.path, func(f io.Writer) error {
		w.w = f
		return into(w)
	})
	return w.n, outputFault(ctx, err, o.path)
}

// outputFault says what could not be written and why.
func outputFault(ctx context.Context, err error, name string) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%s cannot be written: %w; make room, or name another file", name, cause(err))
}

// cause returns what is wrong with a file without its name, which may be that of a
// temporary one.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	return err
}

// counted is a writer that counts its bytes and ends with ctx.
type counted struct {
	ctx context.Context
	w   io.Writer
	n   int64
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
