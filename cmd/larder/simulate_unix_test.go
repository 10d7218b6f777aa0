//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"golang.org/x/sys/unix"
)

// A pipe that never ends is interrupted too, and what was found out until then is there.
func TestSimulateInterruptedWhileItReads(t *testing.T) {
	// With one processor, the pipe is opened after the other trace is complete.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		// Opening waits for who reads, and so does the second write for the first to be read.
		f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		if err == nil {
			f.Write(bytes.Repeat([]byte("key\n"), 1<<20))
			cancel()
			f.Close()
		}
	}()
	dir := t.TempDir()
	_, stderr, code := larderUnder(ctx, "simulate", "--out", dir, writeLoop(t, 10, 2), pipe)
	checkLine(t, complaintsOf(stderr), "interrupted")
	d, err := results.Read(dir)
	if err != nil || !d.Interrupted || len(d.Sections) != 1 || code != exitInterrupt {
		t.Errorf("exit code %d, %+v, %v", code, d, err)
	}
}
