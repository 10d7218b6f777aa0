// Package fleet runs several processes of this program for a scenario: the parent tells
// them what to do, and hears from them, in lines of JSON over their standard input and
// output. They end with their input, so also when the parent dies.
package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// parting is how long a process may take to end after its input has.
const parting = 5 * time.Second

// Fleet is running processes, which take orders O and give answers A.
type Fleet[O, A any] struct {
	members []*member
	hear    func(from int, a A)
	readers sync.WaitGroup
	closing atomic.Bool
	parting time.Duration
	once    sync.Once
	failed  context.Context
	fail    context.CancelCauseFunc
}

// member is a process.
type member struct {
	cmd    *exec.Cmd
	stderr Words
	dead   chan struct{}

	mu    sync.Mutex
	stdin io.WriteCloser
}

// Start starts n processes of this program, each with the one argument command, which is
// a hidden command that calls Attend. hear is called with what they answer, in the order
// of each process; it must not block. The caller must call Close.
func Start[O, A any](command string, n int, hear func(from int, a A)) (*Fleet[O, A], error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("this program cannot be started again: %w", err)
	}
	f := &Fleet[O, A]{hear: hear, parting: parting}
	f.failed, f.fail = context.WithCancelCause(context.Background())
	for i := range n {
		if err := f.start(i, self, command); err != nil {
			f.Close()
			return nil, fmt.Errorf("process %d cannot be started: %w", i, err)
		}
	}
	return f, nil
}

func (f *Fleet[O, A]) start(i int, self, command string) error {
	m := &member{cmd: exec.Command(self, command), stderr: Words{Most: 4 << 10}, dead: make(chan struct{})}
	m.cmd.Stderr = &m.stderr
	in, err := m.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := m.cmd.Start(); err != nil {
		return err
	}
	m.stdin = in
	f.members = append(f.members, m)
	f.readers.Go(func() {
		for d := json.NewDecoder(out); ; {
			var a A
			if err := d.Decode(&a); err != nil {
				break
			}
			f.hear(i, a)
		}
		io.Copy(io.Discard, out)
		err := m.cmd.Wait()
		if !f.closing.Load() {
			f.fail(fmt.Errorf("process %d has ended (%v): %s", i, err, strings.TrimSpace(m.stderr.String())))
		}
		close(m.dead)
	})
	return nil
}

// Order tells process i what to do. If it is gone, the error is Err.
func (f *Fleet[O, A]) Order(i int, o O) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	m := f.members[i]
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.stdin.Write(append(text, '\n')); err != nil {
		select {
		case <-f.Failed(): // its end is noticed in a moment
			return f.Err()
		case <-time.After(time.Second):
			return fmt.Errorf("process %d: %w", i, err)
		}
	}
	return nil
}

// OrderAll tells all processes the same.
func (f *Fleet[O, A]) OrderAll(o O) error {
	for i := range f.members {
		if err := f.Order(i, o); err != nil {
			return err
		}
	}
	return nil
}

// Failed is closed when a process has ended that was not to.
func (f *Fleet[O, A]) Failed() <-chan struct{} { return f.failed.Done() }

// Err returns why Failed was closed, or nil.
func (f *Fleet[O, A]) Err() error { return context.Cause(f.failed) }

// patience is how long Await waits.
const patience = 30 * time.Second

// Await returns what comes from a channel that hear writes to; or an error: that of ctx,
// Err, or that nothing came for half a minute.
func Await[O, A, T any](ctx context.Context, f *Fleet[O, A], from <-chan T) (got T, err error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case got = <-from:
		return got, nil
	case <-ctx.Done():
		return got, ctx.Err()
	case <-f.Failed():
		return got, f.Err()
	case <-timer.C:
		return got, fmt.Errorf("a process does not answer for %v", patience)
	}
}

// Wait waits; it ends early with the error of ctx, or Err.
func (f *Fleet[O, A]) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-f.Failed():
		return f.Err()
	}
}

// Close ends the processes, and returns when they are gone and hear is called no more.
func (f *Fleet[O, A]) Close() {
	f.once.Do(func() {
		f.closing.Store(true)
		for _, m := range f.members {
			m.stdin.Close() // also under a Write that a process does not read
		}
		timer := time.NewTimer(f.parting)
		defer timer.Stop()
		for _, m := range f.members {
			select {
			case <-m.dead:
			case <-timer.C:
				timer.Reset(0)
				m.cmd.Process.Kill()
				<-m.dead
			}
		}
		f.readers.Wait()
		f.fail(nil)
	})
}
