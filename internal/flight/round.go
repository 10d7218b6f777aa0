package flight

import "context"

// call is a key on its way. All of it, and of what it leads to, is guarded by
// the Group's lock.
type call[K comparable, R any] struct {
	key   K
	run   *run[K, R]
	round *round[R]
	cause any // of a Refresh
}

// round is one attempt. What a waiter reads of it is written before the channel
// that announces it is closed.
type round[R any] struct {
	ctx         context.Context // of the first who came: the load has its values
	reached     bool            // somebody in it could ask the store
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
	sealed
	landed
	settled
)

func newRound[R any](ctx context.Context) *round[R] {
	return &round[R]{ctx: ctx, landed: make(chan struct{}), settled: make(chan struct{})}
}

// follower returns the round after r.
func (r *round[R]) follower(ctx context.Context) *round[R] {
	if r.next == nil {
		r.next = newRound[R](ctx)
	}
	return r.next
}

// ticket is a place in a round.
type ticket[K comparable, R any] struct {
	call  *call[K, R]
	round *round[R]
	late  bool
}

// join takes a place in a call. The lock is held.
func (g *Group[K, R]) join(ctx context.Context, c *call[K, R], bypass bool) ticket[K, R] {
	t := ticket[K, R]{call: c, round: c.round}
	atStore := t.round // the round that asks the store, if at all, after this caller
	switch {
	case t.round.phase == gathering:
		t.round.early++
	case t.round.phase == departed:
		t.late = true
		t.round.late++
		atStore = t.round.follower(ctx)
	default:
		atStore = t.round.follower(ctx)
		t.round = atStore
		t.round.early++
	}
	atStore.reached = atStore.reached || !bypass
	c.run.waiters++
	return t
}

func (g *Group[K, R]) wait(ctx context.Context, t ticket[K, R]) (R, error) {
	for {
		answered := t.round.landed
		if t.late {
			answered = t.round.settled
		}
		select {
		case <-answered:
		case <-ctx.Done():
			hasty := context.Cause(ctx) == ErrPatience
			if hasty && done(answered) {
				break
			}
			g.leave(t, hasty)
			var none R
			if hasty {
				return none, ErrPatience
			}
			return none, ctx.Err()
		}
		if !t.late || t.round.valid {
			return t.round.res, t.round.err
		}
		t.round, t.late = t.round.next, false
	}
}

// done reports whether a channel is closed.
func done(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// leave gives up a place. If nobody else waits for a load, it is abandoned, unless
// one who left wanted it kept.
func (g *Group[K, R]) leave(t ticket[K, R], keep bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.call.run.kept = t.call.run.kept || keep
	if t.late && t.round.phase == settled && !t.round.valid {
		t.round, t.late = t.round.next, false // has just been carried
	}
	switch {
	case t.late && t.round.phase < settled:
		t.round.late--
		t.call.run.waiters--
	case !t.late && t.round.phase < landed:
		t.round.early--
		t.call.run.waiters--
	}
	g.abandon(t.call.run)
}

// land answers those who are early. The lock is held.
func (g *Group[K, R]) land(c *call[K, R], res R, err error) {
	r := c.round
	if r.phase >= landed {
		return
	}
	r.res, r.err, r.phase = res, err, landed
	c.run.flying--
	c.run.waiters -= r.early
	r.early = 0
	close(r.landed)
}

// settle answers those who are late, or carries them into the next round. The
// lock is held.
func (g *Group[K, R]) settle(c *call[K, R], valid bool) {
	r := c.round
	if r.phase == settled {
		return
	}
	r.valid, r.phase = valid, settled
	if valid {
		c.run.waiters -= r.late
	} else if r.late > 0 {
		r.next.early += r.late
	}
	r.late = 0
	close(r.settled)
}
