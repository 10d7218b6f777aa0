package bench

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// step is a part of the work and the time it should take.
type step struct {
	name     string
	expected time.Duration
}

// meter shows how far the work is: in one line that is kept up to date on a
// terminal, in a line every other second elsewhere.
type meter struct {
	w       io.Writer
	live    bool
	colour  bool
	steps   []step
	total   time.Duration
	quit    chan struct{}
	stopped sync.WaitGroup

	mu    sync.Mutex
	at    int // in steps; -1 before the first
	begun time.Time
	done  func() int64 // operations of this step
	seen  int64        // of them, when last shown
	when  time.Time    // last shown
}

func newMeter(w io.Writer, steps []step) *meter {
	f, ok := w.(*os.File)
	live := ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	return startMeter(w, steps, live, live && os.Getenv("NO_COLOR") == "")
}

func startMeter(w io.Writer, steps []step, live, colour bool) *meter {
	m := &meter{w: w, live: live, colour: colour, steps: steps, at: -1, quit: make(chan struct{})}
	for _, s := range steps {
		m.total += s.expected
	}
	every := 2 * time.Second
	if live {
		every = 250 * time.Millisecond
	}
	m.stopped.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				m.show()
			case <-m.quit:
				return
			}
		}
	})
	return m
}

// next begins the next step, of which done counts the operations.
func (m *meter) next(done func() int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at++
	m.begun = time.Now()
	m.done, m.seen, m.when = done, 0, m.begun
}

// stop removes the line for good.
func (m *meter) stop() {
	close(m.quit)
	m.stopped.Wait()
	if m.live {
		io.WriteString(m.w, "\r\x1b[K")
	}
}

func (m *meter) show() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at < 0 || m.done == nil {
		return
	}
	now, done := time.Now(), m.done()
	line := m.line(now, rate(done-m.seen, now.Sub(m.when)))
	m.seen, m.when = done, now
	switch {
	case m.colour:
		line = "\r\x1b[K\x1b[2m" + line + "\x1b[0m"
	case m.live:
		line = "\r\x1b[K" + line
	default:
		line += "\n"
	}
	io.WriteString(m.w, line)
}

// line says how far the work is by the time that the steps should take.
func (m *meter) line(now time.Time, perSecond float64) string {
	s := m.steps[m.at]
	left := max(s.expected-now.Sub(m.begun), 0)
	for _, later := range m.steps[m.at+1:] {
		left += later.expected
	}
	part := 1.0
	if m.total > 0 {
		part -= float64(left) / float64(m.total)
	}
	line := fmt.Sprintf("%3.0f%%  %s: %s ops/s, %.0f s left", 100*part, s.name, thousands(perSecond), left.Seconds())
	if m.live {
		const width = 16
		n := int(part * width)
		line = "[" + strings.Repeat("#", n) + strings.Repeat(".", width-n) + "] " + line
	}
	return line
}

// thousands writes x as a whole number in groups of three digits.
func thousands(x float64) string {
	s := fmt.Sprintf("%.0f", x)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
