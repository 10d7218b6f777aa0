// Package progress shows on a terminal, or in plain lines, how far work is.
package progress

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"golang.org/x/term"
)

// Step is a part of the work and the time it should take.
type Step struct {
	Name     string
	Expected time.Duration
}

// Reading is what a step has done so far. It may be asked for at any time, from another
// goroutine.
type Reading struct {
	Done     int64         // operations since the step began
	Of       int64         // what Done will be at the end; 0: not known, so the time that the step should take counts
	P99      time.Duration // of the last second or so; 0: not known
	HitRatio float64       // of the last second or so; below 0: not known
}

// Count returns the readings of a step that knows only how much it has done.
func Count(done func() int64) func() Reading {
	return func() Reading { return Reading{Done: done(), HitRatio: -1} }
}

// Meter shows how far the work is: in one line that is kept up to date on a
// terminal, in a line every other second elsewhere.
type Meter struct {
	w       io.Writer
	live    bool
	colour  bool
	columns func() int // of the terminal
	steps   []Step
	total   time.Duration
	quit    chan struct{}
	stopped sync.WaitGroup

	mu    sync.Mutex
	at    int // in steps; -1 before the first
	begun time.Time
	read  func() Reading
	seen  int64     // operations, when last shown
	when  time.Time // last shown
	// What was shown of this step.
	rates, p99s, hits history
}

// New returns a Meter of the steps, in order, that writes to w until Stop.
func New(w io.Writer, steps []Step) *Meter {
	f, ok := w.(*os.File)
	live := ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	columns := func() int {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
		return 80
	}
	return start(w, steps, live, live && os.Getenv("NO_COLOR") == "", columns)
}

func start(w io.Writer, steps []Step, live, colour bool, columns func() int) *Meter {
	m := &Meter{w: w, live: live, colour: colour, columns: columns, steps: steps, at: -1, quit: make(chan struct{})}
	for _, s := range steps {
		m.total += s.Expected
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

// Next begins the next step. A read of nil shows nothing. Who calls it more often than
// there are steps stays at the last.
func (m *Meter) Next(read func() Reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = min(m.at+1, len(m.steps)-1)
	m.begun = time.Now()
	m.read, m.seen, m.when = read, 0, m.begun
	m.rates, m.p99s, m.hits = history{}, history{}, history{}
}

// Stop removes the line for good.
func (m *Meter) Stop() {
	close(m.quit)
	m.stopped.Wait()
	if m.live {
		io.WriteString(m.w, "\r\x1b[K")
	}
}

func (m *Meter) show() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at < 0 || m.read == nil {
		return
	}
	now, r := time.Now(), m.read()
	perSecond := 0.0
	if took := now.Sub(m.when); took > 0 {
		perSecond = float64(r.Done-m.seen) / took.Seconds()
	}
	m.rates.add(perSecond)
	m.p99s.add(known(float64(r.P99), r.P99 > 0))
	m.hits.add(known(r.HitRatio, r.HitRatio >= 0))
	line := m.line(now, perSecond, r)
	m.seen, m.when = r.Done, now
	if m.live {
		line = cut(line, m.columns()-1)
	}
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
func (m *Meter) line(now time.Time, perSecond float64, r Reading) string {
	s := m.steps[m.at]
	left := max(s.Expected-now.Sub(m.begun), 0)
	for _, later := range m.steps[m.at+1:] {
		left += later.Expected
	}
	part, known := 0.0, m.total > 0
	if known {
		part = 1 - float64(left)/float64(m.total)
	}
	count := ""
	if r.Of > 0 {
		part = min(float64(r.Done)/float64(r.Of), 1)
		if known = r.Done > 0; known {
			left = time.Duration((1 - part) / part * float64(now.Sub(m.begun)))
		}
		count = fmt.Sprintf("%s of %s, ", results.Amount(float64(r.Done)), results.Amount(float64(r.Of)))
	}
	line := fmt.Sprintf("%3.0f%%  %s: %s%s ops/s", 100*part, s.Name, count, results.Amount(math.Round(perSecond)))
	line += m.spark(&m.rates)
	if r.P99 > 0 {
		line += ", p99 " + results.Brief(r.P99) + m.spark(&m.p99s)
	}
	if r.HitRatio >= 0 {
		line += ", hits " + results.Ratio.Format(r.HitRatio) + m.spark(&m.hits)
	}
	if known {
		line += fmt.Sprintf(", %.0f s left", left.Seconds())
	}
	if m.live {
		const width = 16
		n := int(part * width)
		line = "[" + strings.Repeat("#", n) + strings.Repeat(".", width-n) + "] " + line
	}
	return line
}

// spark is a sparkline on a terminal, where the line is shown again and again.
func (m *Meter) spark(h *history) string {
	if !m.live {
		return ""
	}
	return " " + h.sparkline()
}

func known(x float64, yes bool) float64 {
	if !yes {
		return math.NaN()
	}
	return x
}
