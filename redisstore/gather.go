package redisstore

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// gather lets reads of many callers go together, to one server. Who comes alone
// goes alone, at once. Who comes while a read is under way waits for it to return,
// and goes then with all others who came meanwhile. What has been sent is not
// joined: its answer may be older than the caller.
type gather struct {
	space *Space
	mu    sync.Mutex
	queue []*ask
	trips int // under way
	timer *time.Timer
	// rtt is how long a read that goes alone takes, in nanoseconds.
	rtt atomic.Int64
}

// ask is what a caller who waits for a place wants to know of one server.
type ask struct {
	reads []lookup
	keys  int
	at    []place       // where the answer about each key is, for who gives it
	got   []string      // of each key
	reply *reply        // that got is a part of
	done  chan struct{} // has room for the one who answers; new each time, as it may be of a bubble of synctest
	err   error
}

// about makes an ask, that may have been used, one about reads.
func (a *ask) about(reads []lookup) *ask {
	*a = ask{reads: reads, at: a.at[:0], got: empty(a.got)}
	for i := range reads {
		a.keys += len(reads[i].keys)
	}
	return a
}

const (
	// far is the round trip from which it pays to have several reads under way.
	far     = 300 * time.Microsecond
	farMost = 4
	// patience is how long the callers who wait do so for a read that does not
	// return, be it lost or large; then they go nevertheless.
	patience = 2 * time.Millisecond
	slowMost = 8
)

func (g *gather) most() int {
	if g.rtt.Load() > int64(far) {
		return farMost
	}
	return 1
}

// depart takes a place for a read that goes alone, if there is one; landed gives it
// back. Otherwise a waits for an answer, as it also does if its caller is to be able to
// leave.
func (g *gather) depart(a *ask, leaves bool) (alone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	place := g.trips < g.most()
	if place {
		g.trips++
	}
	if place && !leaves {
		return true
	}
	a.done = make(chan struct{}, 1)
	g.queue = append(g.queue, a)
	if place {
		go g.run()
	} else if len(g.queue) == 1 {
		g.wake()
	}
	return false
}

// wait returns when the answer is there, or ctx has ended.
func (a *ask) wait(ctx context.Context) (answered bool, err error) {
	select {
	case <-a.done:
		return true, a.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// wake has those who wait go when they have waited too long. The lock is held.
func (g *gather) wake() {
	if g.timer != nil {
		g.timer.Reset(patience)
		return
	}
	g.timer = time.AfterFunc(patience, func() {
		g.mu.Lock()
		late := len(g.queue) > 0 && g.trips < slowMost
		if late {
			g.trips++
		}
		g.mu.Unlock()
		if late {
			g.run()
		}
	})
}

// took notes how long a read that went alone has taken. The least counts, which
// rises slowly when the others are longer.
func (g *gather) took(d time.Duration) {
	if old := g.rtt.Load(); old == 0 || int64(d) < old {
		g.rtt.Store(int64(d))
	} else {
		g.rtt.Store(old + (int64(d)-old)/64)
	}
}

// failed is told that a trip has failed after d. If that is because the server does
// not answer, those who wait have their answer too: none of them has a timeout of its
// own, and each has waited for a part of this one.
func (g *gather) failed(err error, d time.Duration) {
	if d < g.space.pace.bound() {
		return
	}
	g.mu.Lock()
	waiting := g.queue
	g.queue = nil
	g.mu.Unlock()
	for _, a := range waiting {
		a.err = err
		a.done <- struct{}{}
	}
}

// landed ends a trip, or goes on with those who came meanwhile.
func (g *gather) landed() {
	g.mu.Lock()
	more := len(g.queue) > 0
	if !more {
		g.trips--
	}
	g.mu.Unlock()
	if more {
		go g.run()
	}
}

// run makes trips while somebody waits.
func (g *gather) run() {
	var b batch
	for {
		runtime.Gosched() // who has just got an answer may have another question
		g.mu.Lock()
		n, keys, last := 0, 0, ""
		for ; n < len(g.queue); n++ {
			a := g.queue[n]
			if first := a.reads[0].keys[0]; first != last { // else it is a stampede
				if last, keys = first, keys+a.keys; n > 0 && keys > maxMGet {
					break
				}
			}
		}
		if n == 0 {
			g.trips--
			g.mu.Unlock()
			return
		}
		b.asks = append(b.asks[:0], g.queue[:n]...)
		g.queue = slices.Delete(g.queue, 0, n)
		if len(g.queue) > 0 {
			g.wake()
		}
		g.mu.Unlock()
		began := time.Now()
		if err := b.send(g.space); err != nil {
			g.failed(err, time.Since(began))
		}
	}
}
