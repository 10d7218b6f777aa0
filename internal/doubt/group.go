package doubt

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/larder-cache/larder/internal/contain"
)

const (
	// askFirst and askMost bound the pause between two questions, which doubles.
	askFirst = 20 * time.Millisecond
	askMost  = 2 * time.Second
	// askTime bounds one question, and asks is how many a Group asks at once.
	askTime = 5 * time.Second
	asks    = 8
	// renewEvery is how often what is in quarantine is put there again.
	renewEvery = 20 * time.Second
	// storeTime bounds what is told to a store.
	storeTime = 10 * time.Second
)

// DecidedName is the name of Hold.Decided in errors.
const DecidedName = "InDoubtError.Decided"

// Hold is what a write in doubt keeps in quarantine.
type Hold struct {
	// Decided asks the origin, see cache.InDoubtError. It may be nil.
	Decided func(context.Context) (bool, error)
	// Within is after which time a write of which the origin says nothing is decided.
	Within time.Duration
	// Renew puts everything in quarantine again.
	Renew func(context.Context) error
	// Release ends the quarantine. What it could not tell the store it has repeated
	// itself.
	Release func(context.Context) error
	// Report is told of what has failed, and Settled of the end: how long the doubt took,
	// and the error of Release. All of these may panic or end their goroutine.
	Report  func(error)
	Settled func(took time.Duration, err error)
}

// Group keeps holds until their writes are decided. The zero Group is ready for use.
// It has no goroutines while it waits.
type Group struct {
	mu      sync.Mutex
	holds   map[*pending]struct{}
	asking  int
	stopped bool
	ctx     context.Context
	cancel  context.CancelFunc
	steps   sync.WaitGroup
}

type pending struct {
	Hold
	group   *Group
	timer   *time.Timer
	began   time.Time
	until   time.Time
	renewed time.Time
	pause   time.Duration
	settled chan struct{}
}

// Add keeps h. The channel it returns is closed when h was released.
func (g *Group) Add(h Hold) <-chan struct{} {
	now := time.Now()
	p := &pending{Hold: h, group: g, began: now, until: now.Add(h.Within), renewed: now, pause: askFirst, settled: make(chan struct{})}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.holds == nil {
		g.holds = map[*pending]struct{}{}
		g.ctx, g.cancel = context.WithCancel(context.Background())
	}
	if g.stopped {
		return p.settled // the quarantine ends by itself
	}
	g.holds[p] = struct{}{}
	p.after(p.next())
	return p.settled
}

// Len returns how many writes are in doubt.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.holds)
}

// Stop leaves all quarantines to end by themselves.
func (g *Group) Stop() {
	g.mu.Lock()
	g.stopped = true
	for p := range g.holds {
		p.timer.Stop()
	}
	if g.cancel != nil {
		g.cancel()
	}
	g.mu.Unlock()
	g.steps.Wait()
}

// after has the next step made after a while. The lock is held.
func (p *pending) after(d time.Duration) {
	p.timer = time.AfterFunc(d, func() {
		g := p.group
		g.mu.Lock()
		if g.stopped {
			g.mu.Unlock()
			return
		}
		g.steps.Add(1)
		g.mu.Unlock()
		defer g.steps.Done()
		p.step()
	})
}

// next returns when there is something to do again.
func (p *pending) next() time.Duration {
	now := time.Now()
	d := p.until.Sub(now)
	if p.Decided != nil {
		d = p.pause/2 + rand.N(p.pause/2+1)
		p.pause = min(2*p.pause, askMost)
	}
	return max(min(d, p.renewed.Add(renewEvery).Sub(now)), 0)
}

// step asks, and releases or renews.
func (p *pending) step() {
	g := p.group
	done, asked := p.decided()
	if done || asked && !time.Now().Before(p.until) {
		err := p.within(p.Release)
		g.mu.Lock()
		delete(g.holds, p)
		g.mu.Unlock()
		p.apart("Settled", func() { p.Settled(time.Since(p.began), err) })
		close(p.settled)
		return
	}
	if now := time.Now(); now.Sub(p.renewed) >= renewEvery {
		p.renewed = now
		p.within(p.Renew)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.stopped {
		p.after(p.next())
	}
}

// decided asks the origin whether it has decided. asked is false if it was not asked
// since too many ask already, and true if it cannot be asked.
func (p *pending) decided() (done, asked bool) {
	g := p.group
	if p.Decided == nil {
		return false, true
	}
	g.mu.Lock()
	busy := g.asking >= asks
	if !busy {
		g.asking++
	}
	g.mu.Unlock()
	if busy {
		return false, false
	}
	done, err := p.ask()
	g.mu.Lock()
	g.asking--
	g.mu.Unlock()
	switch {
	case err != nil:
		p.apart("Report", func() { p.Report(err) })
		return false, true
	case !done: // it may take as long again
		p.until = time.Now().Add(p.Within)
	}
	return done, true
}

// answer is what Decided has said.
type answer struct {
	done bool
	err  error
}

// ask asks once. A question that does not end with its context is left alone.
func (p *pending) ask() (bool, error) {
	ctx, cancel := context.WithTimeout(p.group.ctx, askTime)
	said := make(chan answer, 1)
	go func() {
		defer cancel()
		var a answer
		if err := contain.Apart(DecidedName, func() { a.done, a.err = p.Decided(ctx) }); err != nil {
			a = answer{err: err}
		}
		said <- a
	}()
	select {
	case a := <-said:
		return a.done, a.err
	case <-ctx.Done():
		select {
		case a := <-said: // both
			return a.done, a.err
		default:
			return false, ctx.Err()
		}
	}
}

func (p *pending) within(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(p.group.ctx, storeTime)
	defer cancel()
	err := contain.DoApart("the store", func() error { return do(ctx) })
	if err != nil {
		p.apart("Report", func() { p.Report(err) })
	}
	return err
}

// apart calls a function that tells somebody something. A write in doubt that is not
// released keeps readers out, so no such function may end the step.
func (p *pending) apart(name string, f func()) {
	if err := contain.Apart(name, f); err != nil {
		contain.Log("", err)
	}
}
