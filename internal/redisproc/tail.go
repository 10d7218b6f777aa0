package redisproc

import (
	"bytes"
	"strings"
	"sync"
)

const (
	tailLines = 40
	tailWidth = 4096
	readyLine = "Ready to accept connections"
)

// tail keeps the last lines of a log, and notices the one that says that the
// server is ready.
type tail struct {
	ready chan struct{}

	mu    sync.Mutex
	lines []string
	part  []byte // of a line that has not ended
	seen  bool
}

func newTail() *tail { return &tail{ready: make(chan struct{})} }

// Write takes a piece of the log, which may end anywhere in a line.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(b)
	for {
		line, rest, ended := bytes.Cut(b, []byte{'\n'})
		t.part = append(t.part, line[:min(len(line), tailWidth-len(t.part))]...)
		if !ended {
			return n, nil
		}
		t.add(strings.TrimRight(string(t.part), "\r"))
		t.part, b = t.part[:0], rest
	}
}

func (t *tail) add(line string) {
	if len(t.lines) == tailLines {
		t.lines = t.lines[1:]
	}
	t.lines = append(t.lines, line)
	if !t.seen && strings.Contains(line, readyLine) {
		t.seen = true
		close(t.ready)
	}
}

// String returns the last lines.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.Join(t.lines, "\n") + "\n" + string(t.part))
}
