package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/fleet"
	"github.com/larder-cache/larder/internal/redisproc"
)

// WorkerCommand is the hidden command that is a process of the crew.
const WorkerCommand = "verify-worker"

// crew are the processes that use the library.
type crew struct {
	dir    string
	orders []orders // what each is to do

	mu       sync.Mutex
	members  []*member
	journals []*journal // of all that ever were
	unshare  []func()
	killed   map[int]int64 // when, by number
	deaths   int           // of those that nobody killed
	last     string
}

// member is a running process.
type member struct {
	cmd    *exec.Cmd
	stdin  io.Closer // it ends when this is closed, so also when we are gone
	stderr *fleet.Words
	dead   chan struct{}
	killed bool
	number int
	notes  *journal
}

func newCrew(dir string, all []orders) *crew {
	return &crew{dir: dir, orders: all, members: make([]*member, len(all)), killed: map[int]int64{}}
}

// start starts process i, or its successor.
func (c *crew) start(i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.orders[i]
	o.Number = len(c.journals)
	o.Skew = skewOf(o.Seed, o.Number)
	o.Journal = filepath.Join(c.dir, fmt.Sprint("journal-", o.Number))
	if err := create[journal](o.Journal); err != nil {
		return err
	}
	j, done, err := share[journal](o.Journal)
	if err != nil {
		return err
	}
	c.journals, c.unshare = append(c.journals, j), append(c.unshare, done)
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	m := &member{cmd: exec.Command(self, WorkerCommand), stderr: &fleet.Words{Most: 8 << 10}, dead: make(chan struct{}), number: o.Number, notes: j}
	m.cmd.Stderr = m.stderr
	in, err := m.cmd.StdinPipe()
	if err != nil {
		return err
	}
	m.stdin = in
	if err := m.cmd.Start(); err != nil {
		return fmt.Errorf("a process cannot be started: %w", err)
	}
	go func() {
		m.cmd.Wait()
		close(m.dead)
	}()
	c.members[i] = m
	_, err = in.Write(append(text, '\n'))
	return err
}

func (c *crew) process(i int) *os.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].cmd.Process
}

// kill kills process i as a crash would.
func (c *crew) kill(i int) {
	c.mu.Lock()
	m := c.members[i]
	m.killed = true
	c.killed[m.number] = clock()
	c.mu.Unlock()
	m.cmd.Process.Kill()
	<-m.dead
}

// ready waits until all processes are at work.
func (c *crew) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return redisproc.Until(ctx, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, j := range c.journals {
			if j.ready.Load() == 0 {
				return fmt.Errorf("process %d does not begin: %s", i, c.members[i].stderr)
			}
		}
		return nil
	})
}

// hits returns how many hits of memory each present process has had.
func (c *crew) hits() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]int64, 0, len(c.members))
	for _, m := range c.members {
		out = append(out, m.notes.counts[memory].hits.Load())
	}
	return out
}

// end waits for the processes, which the board has told to stop, and kills those
// that do not.
func (c *crew) end() {
	for _, m := range c.members {
		if m == nil {
			continue
		}
		timer := time.NewTimer(10 * time.Second)
		select {
		case <-m.dead:
		case <-timer.C:
			m.stderr.Write([]byte("it did not end"))
			m.cmd.Process.Kill()
			<-m.dead
		}
		timer.Stop()
		m.stdin.Close()
		if !m.cmd.ProcessState.Success() && !m.killed {
			c.deaths++
			c.last = m.stderr.String()
		}
	}
}

// said returns what the processes have written as they ended.
func (c *crew) said() string {
	var b strings.Builder
	for i, m := range c.members {
		fmt.Fprintf(&b, "process %d: %s", i, m.stderr)
	}
	return b.String()
}

// release gives the memory of the journals back.
func (c *crew) release() {
	for _, f := range c.unshare {
		f()
	}
}
