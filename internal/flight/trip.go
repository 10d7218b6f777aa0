package flight

import "context"

// Trip is one round of some keys, as the work function sees it.
type Trip[K comparable, R any] struct {
	// Bypass is what the caller who opened the call said.
	Bypass bool
	group  *Group[K, R]
	calls  []*call[K, R]
}

// Keys returns the keys of the trip, in a slice of the caller's own.
func (t *Trip[K, R]) Keys() []K {
	keys := make([]K, len(t.calls))
	for i, c := range t.calls {
		keys[i] = c.key
	}
	return keys
}

// Depart ends the gathering of all keys. What is read from now on, those who
// join from now on cannot simply have.
func (t *Trip[K, R]) Depart() {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	for _, c := range t.calls {
		if c.round.phase == gathering {
			c.round.phase = departed
		}
	}
}

// Land gives the early waiters of the i-th key their answer and seals the round.
// An error also answers the late ones; the key needs no Settle then.
func (t *Trip[K, R]) Land(i int, res R, err error) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	t.land(t.calls[i], res, err)
	if err != nil {
		t.settle(t.calls[i], false)
	}
}

func (t *Trip[K, R]) land(c *call[K, R], res R, err error) {
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

// Settle gives the late waiters of the i-th key the same answer if it is valid,
// that is if nothing was invalidated between departure and now; otherwise they
// are carried into the next round.
func (t *Trip[K, R]) Settle(i int, valid bool) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	t.settle(t.calls[i], valid)
}

func (t *Trip[K, R]) settle(c *call[K, R], valid bool) {
	r := c.round
	if r.phase == settled {
		return
	}
	r.valid, r.phase = valid, settled
	if valid || r.err != nil && !t.group.bend.errorAlone || t.group.bend.joinUnvalidated {
		c.run.waiters -= r.late
	} else if r.late > 0 {
		if r.next == nil {
			r.next = newRound[R]()
		}
		r.next.early += r.late
	}
	r.late = 0
	close(r.settled)
}

// fail lands what has not landed with err.
func (t *Trip[K, R]) fail(err error) {
	t.group.mu.Lock()
	defer t.group.mu.Unlock()
	for _, c := range t.calls {
		if c.round.phase < landed {
			var zero R
			t.land(c, zero, err)
		}
	}
}

// finish settles what has not settled and returns the calls for which somebody
// waits for another round. The others are over.
func (t *Trip[K, R]) finish() (next []*call[K, R]) {
	g := t.group
	g.mu.Lock()
	defer g.mu.Unlock()
	run := t.calls[0].run
	for _, c := range t.calls {
		t.settle(c, false)
		if n := c.round.next; n != nil && n.early > 0 {
			c.round = n
			run.flying++
			next = append(next, c)
		} else if g.calls[c.key] == c {
			delete(g.calls, c.key)
		}
	}
	switch {
	case next == nil:
		run.cancel()
		if g.runs--; g.runs == 0 && g.idle != nil {
			close(g.idle)
			g.idle = nil
		}
	case run.ctx.Err() != nil: // abandoned, and then somebody came for what had landed
		run.ctx, run.cancel = context.WithCancel(context.WithoutCancel(run.ctx))
	}
	return next
}
