package redisstore

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// lane is what this process knows of the log of one lane: how far it has applied
// it, and whether it hears of more. It keeps the lease of the lane's entries in
// memory: see beat.
type lane struct {
	space *Space
	n     int
	poke  chan struct{} // beat now
	roll  roll          // of whoever beats

	mu         sync.Mutex
	applied    logTail
	since      time.Time // when applied was first of this log
	known      memory
	messages   uint64
	gaps       uint64
	subscribed bool
	said       said
	resub      func()        // ends a subscription that does not deliver
	heard      chan struct{} // closed at the next message, if somebody waits
	fences     []chan error

	// subscriptions counts those that began; joined is the last after whose begin
	// a beat was answered. Before that a message may have been missed for good.
	subscriptions, joined uint64
}

func newLane(s *Space, n int) *lane {
	return &lane{space: s, n: n, poke: make(chan struct{}, 1)}
}

// apply takes a message of the log. Only an unbroken chain is trusted: if the
// message does not follow what was applied, something was missed, and the lane is
// dropped from memory. A message to those who wait is no part of the log.
func (l *lane) apply(raw string) {
	if hashes, ok := parseWake(raw); ok {
		l.space.wakes.wake(hashes)
		return
	}
	m, err := parseMessage(raw)
	defer l.back(m.next) // which tells an Observer, so not under the lock
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages++
	switch {
	case err != nil:
		l.gap(logTail{})
	case m.previous != l.applied || l.applied == (logTail{}):
		l.gap(m.next)
	default:
		if m.all {
			l.space.control.Drop(l.n)
		}
		l.space.Expire(m.tags...)
		l.space.control.ExpireKeys(m.keys...)
		l.reached(m.next)
	}
	l.space.wakes.wake(m.keys) // what they wait for is refused
	if l.heard != nil {
		close(l.heard)
		l.heard = nil
	}
	if m.ack {
		l.beatNow()
	}
}

// gap drops the lane from memory and goes on from t. The lock is held.
func (l *lane) gap(t logTail) {
	if l.applied != (logTail{}) {
		l.gaps++
	}
	l.space.control.Drop(l.n)
	l.reached(t)
}

// reached notes that all up to t is applied. The lock is held.
func (l *lane) reached(t logTail) {
	if t.line != l.applied.line {
		l.since = time.Now()
	}
	l.applied = t
	l.known.put(t)
}

func (l *lane) beatNow() {
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// subscription says whether messages arrive, and how to begin anew if not.
func (l *lane) subscription(on bool, resub func()) {
	l.mu.Lock()
	l.subscribed, l.resub = on, resub
	if on {
		l.subscriptions++
	}
	l.mu.Unlock()
	if on {
		l.beatNow()
	}
}

// run beats until ctx ends. While that fails, it is tried less often: a server that
// is too slow for beats has to make a connection for each of them too.
func (l *lane) run(ctx context.Context) {
	every := l.space.lease / 4
	timer := time.NewTimer(every)
	defer timer.Stop()
	defer l.drain()
	pause, poked := every, true
	for ctx.Err() == nil {
		wait := every
		if err := l.beat(ctx, poked); err == nil {
			if pause > every {
				l.space.control.RetryNow()
			}
			pause = every
			l.hint(ctx)
		} else {
			l.space.suspect(err)
			pause = min(2*pause, 2*l.space.lease)
			wait = pause/2 + rand.N(pause/2)
		}
		timer.Reset(wait)
		poked = false
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-l.poke:
			poked = true
		}
	}
}

// hint is told that the master of the lane has answered a beat.
func (l *lane) hint(ctx context.Context) {
	if s := l.space; s.servers.open.Load() > 0 {
		if server, err := s.servers.of(ctx, s, s.laneKey(l.n)); err == nil {
			server.breaker.hint()
		}
	}
}

// beat asks the master of the lane for the tail of its log, by a write, so that
// a master that was cut off from the others does not answer for long. When all up
// to that tail is applied, everything that was invalidated before the beat was
// sent has left memory: the lease is dated from then.
func (l *lane) beat(ctx context.Context, urgent bool) error {
	l.mu.Lock()
	fences := l.fences
	l.fences = nil
	applied, asked := l.applied, l.asks()
	l.mu.Unlock()
	t, err := l.space.askTail(ctx, l.n, applied, &l.roll, urgent)
	if err == nil {
		l.reach(ctx, t, asked)
		l.space.control.Renew(l.n, asked.at.Add(l.space.lease))
	}
	for _, f := range fences {
		f <- err
	}
	return err
}

// asking is when the tail was asked for, and what had come until then.
type asking struct {
	at                      time.Time
	messages, subscriptions uint64
}

// asks returns what is so now. The lock is held.
func (l *lane) asks() asking { return asking{time.Now(), l.messages, l.subscriptions} }

// reach waits until t is applied, for half a lease; if it was not by then, or may
// have been missed before there was a subscription, the lane is dropped, and memory
// begins anew from t.
func (l *lane) reach(ctx context.Context, t logTail, a asking) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.joined = a.subscriptions }()
	if l.known.has(t) {
		// A beat that was slower than a message may have set the lane back. The next
		// message would find that out; until then others would wait for this process.
		if l.messages == a.messages && t.line == l.applied.line && t.seq > l.applied.seq {
			l.reached(t)
		}
		return
	}
	if l.subscribed && l.joined == l.subscriptions && l.applied != (logTail{}) {
		timer := time.NewTimer(time.Until(a.at.Add(l.space.lease / 2)))
		defer timer.Stop()
		for waiting := true; waiting; {
			if l.heard == nil {
				l.heard = make(chan struct{})
			}
			heard := l.heard
			l.mu.Unlock()
			select {
			case <-heard:
			case <-timer.C:
				waiting = false
			case <-ctx.Done():
				waiting = false
			}
			l.mu.Lock()
			if l.known.has(t) {
				return
			}
		}
		if l.resub != nil && ctx.Err() == nil {
			l.resub()
			l.resub = nil
		}
	}
	l.gap(t)
}

// fence waits until a beat that begins after this call has renewed the lease.
func (l *lane) fence(ctx context.Context) error {
	done := make(chan error, 1)
	l.mu.Lock()
	l.fences = append(l.fences, done)
	l.mu.Unlock()
	l.beatNow()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-l.space.bus.ctx.Done():
		return errClosed
	}
}

// drain answers those who wait for beats that will not be.
func (l *lane) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.fences {
		f <- errClosed
	}
	l.fences = nil
}
