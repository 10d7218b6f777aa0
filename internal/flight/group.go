package flight

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"

	"github.com/larder-cache/larder/cache"
)

// Work asks the origin for the keys of a trip. It calls Depart before it reads
// anything, and then Land and Settle once for each key. What it leaves out by
// panicking, or by ending its goroutine, the Group does: such keys land with a
// *cache.PanicError. ctx ends when nobody waits for a key that has not landed.
type Work[K comparable, R any] func(ctx context.Context, t *Trip[K, R])

// Group shares calls by key. It has no goroutines of its own.
type Group[K comparable, R any] struct {
	work  Work[K, R]
	bend  bend
	mu    sync.Mutex
	calls map[K]*call[K, R]
	runs  int
	idle  chan struct{} // closed when runs gets zero, if somebody waits for that
}

// bend breaks a rule, so that a test can show that it is needed.
type bend struct{ joinUnvalidated, sealLate, errorAlone bool }

// New returns a Group that does work.
func New[K comparable, R any](work Work[K, R]) *Group[K, R] {
	return &Group[K, R]{work: work, calls: map[K]*call[K, R]{}}
}

var errUnanswered = errors.New("larder: a load has ended without an answer")

// call is a key on its way.
type call[K comparable, R any] struct {
	key   K
	run   *run[K, R]
	round *round[R]
}

// round is one attempt. All but the channels is guarded by the Group's lock
// until the channel that announces it is closed.
type round[R any] struct {
	phase       phase
	early, late int           // who waits, and has no answer yet
	landed      chan struct{} // closed when res and err are there
	settled     chan struct{} // closed when valid and next are there
	res         R
	err         error
	valid       bool
	next        *round[R]
}

type phase uint8

const (
	gathering phase = iota
	departed
	landed
	settled
)

func newRound[R any]() *round[R] {
	return &round[R]{landed: make(chan struct{}), settled: make(chan struct{})}
}

// run is the keys that go together.
type run[K comparable, R any] struct {
	calls      []*call[K, R]
	ctx        context.Context
	cancel     context.CancelFunc
	bypass     bool
	background bool
	waiters    int // without an answer, over all keys
	flying     int // keys that have not landed
}

// ticket is a place in a round.
type ticket[K comparable, R any] struct {
	call  *call[K, R]
	round *round[R]
	late  bool
}

// Do returns the result for key. It joins the call that is on its way, or opens
// one on a context with the values of ctx. bypass is handed to the Trip of a call
// that it opens. It returns ctx.Err() as soon as ctx ends.
func (g *Group[K, R]) Do(ctx context.Context, key K, bypass bool) (R, error) {
	g.mu.Lock()
	c := g.calls[key]
	opened := c == nil
	if opened {
		c = g.open(g.newRun(ctx, bypass), key)
	}
	t := g.join(c)
	g.mu.Unlock()
	if opened {
		go g.fly(c.run, c.run.calls)
	}
	return g.wait(ctx, t)
}

// DoMany is Do for distinct keys; those that it opens go together. Results and
// errors are in the order of keys.
func (g *Group[K, R]) DoMany(ctx context.Context, keys []K, bypass bool) ([]R, []error) {
	tickets := make([]ticket[K, R], len(keys))
	var opened *run[K, R]
	g.mu.Lock()
	for i, k := range keys {
		c := g.calls[k]
		if c == nil {
			if opened == nil {
				opened = g.newRun(ctx, bypass)
			}
			c = g.open(opened, k)
		}
		tickets[i] = g.join(c)
	}
	g.mu.Unlock()
	if opened != nil {
		go g.fly(opened, opened.calls)
	}
	results, errs := make([]R, len(keys)), make([]error, len(keys))
	for i, t := range tickets {
		results[i], errs[i] = g.wait(ctx, t)
	}
	return results, errs
}

// Refresh opens a call that nobody waits for, unless one is on its way. It does
// not end because those who join it have left.
func (g *Group[K, R]) Refresh(ctx context.Context, key K) {
	g.mu.Lock()
	if g.calls[key] != nil {
		g.mu.Unlock()
		return
	}
	r := g.newRun(ctx, false)
	r.background = true
	g.open(r, key)
	g.mu.Unlock()
	go g.fly(r, r.calls)
}

// Forget makes whoever comes from now on open a new call of key. Those who wait
// for the present one keep waiting for it.
func (g *Group[K, R]) Forget(key K) {
	g.mu.Lock()
	delete(g.calls, key)
	g.mu.Unlock()
}

// Idle waits until no call is on its way, or ctx ends, and returns how many runs
// still are.
func (g *Group[K, R]) Idle(ctx context.Context) int {
	g.mu.Lock()
	if g.runs > 0 && g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	if idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.runs
}

func (g *Group[K, R]) newRun(ctx context.Context, bypass bool) *run[K, R] {
	r := &run[K, R]{bypass: bypass}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	g.runs++
	return r
}

func (g *Group[K, R]) open(r *run[K, R], key K) *call[K, R] {
	c := &call[K, R]{key: key, run: r, round: newRound[R]()}
	r.calls = append(r.calls, c)
	r.flying++
	g.calls[key] = c
	return c
}

// join takes a place in a call. The lock is held.
func (g *Group[K, R]) join(c *call[K, R]) ticket[K, R] {
	r := c.round
	t := ticket[K, R]{call: c, round: r}
	switch {
	case r.phase == gathering:
		r.early++
	case r.phase == departed || g.bend.sealLate:
		t.late = true
		r.late++
	default:
		if r.next == nil {
			r.next = newRound[R]()
		}
		t.round = r.next
		t.round.early++
	}
	c.run.waiters++
	return t
}

func (g *Group[K, R]) wait(ctx context.Context, t ticket[K, R]) (res R, err error) {
	for {
		done := t.round.landed
		if t.late {
			done = t.round.settled
		}
		select {
		case <-done:
		case <-ctx.Done():
			g.leave(t)
			return res, ctx.Err()
		}
		if r := t.round; !t.late || r.err != nil && !g.bend.errorAlone || r.valid || g.bend.joinUnvalidated {
			return r.res, r.err
		}
		t.round, t.late = t.round.next, false
	}
}

// leave gives up a place. If nobody else waits for a load, it is abandoned.
func (g *Group[K, R]) leave(t ticket[K, R]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := t.round
	if t.late && r.phase == settled && !r.valid && r.err == nil { // has just been carried
		r, t.late = r.next, false
	}
	switch run := t.call.run; {
	case t.late && r.phase < settled:
		r.late--
		run.waiters--
	case !t.late && r.phase < landed:
		r.early--
		run.waiters--
	}
	g.abandon(t.call.run)
}

// abandon cancels a run that nobody waits for while something is in the air, and
// lets newcomers open a new one. The lock is held.
func (g *Group[K, R]) abandon(r *run[K, R]) {
	if r.waiters > 0 || r.background || r.flying == 0 {
		return
	}
	r.cancel()
	for _, c := range r.calls {
		if g.calls[c.key] == c && c.round.phase < landed {
			delete(g.calls, c.key)
		}
	}
}

// fly makes one round of some keys of a run.
func (g *Group[K, R]) fly(r *run[K, R], calls []*call[K, R]) {
	t := &Trip[K, R]{group: g, calls: calls, Bypass: r.bypass}
	finished := false
	defer func() {
		err := errUnanswered
		if !finished {
			err = &cache.PanicError{Value: recover(), Stack: debug.Stack()}
		}
		t.fail(err)
		if next := t.finish(); next != nil {
			go g.fly(r, next) // after Goexit, only another goroutine can
		}
	}()
	g.work(r.ctx, t)
	finished = true
}
