package netfault

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// Fault is what a Proxy does to what passes through it. The zero Fault does
// nothing. A piece is what one read of a connection gives: mostly a command, a
// pipeline of them, or the answer.
type Fault struct {
	// LoseRequests and LoseReplies swallow what goes to the target, and what comes
	// from it. Nobody is told.
	LoseRequests, LoseReplies bool
	// Delay is how long a piece is held at most, and half of it at least.
	Delay time.Duration
	// DelayReplies is how long every reply is held, besides.
	DelayReplies time.Duration
	// Latency is how long everything is under way, in each direction: a round trip takes
	// twice as long. What is sent first on a connection takes a round trip more, which is
	// what opening one costs on a long line.
	Latency time.Duration
	// ForgetAfter is how long a connection may idle before it is forgotten, as balancers
	// do; 0 is for ever. What is sent on it then is swallowed, and nobody is told; or, with
	// ForgetByReset, it is reset.
	ForgetAfter   time.Duration
	ForgetByReset bool
	// Rate is how many bytes pass in a second on each connection; 0 is all.
	Rate int
	// CutReplies is the share of replies that are lost together with their
	// connection: the command was executed, and the client does not know.
	CutReplies float64
	// LateRequests is the share of requests whose connection is cut for the
	// client, and which reach the target nevertheless, up to Late afterwards, when
	// the client may have gone on, or tried again.
	LateRequests float64
	// RepeatRequests is the share of requests that reach the target once more, up
	// to Late afterwards, on a connection of their own.
	RepeatRequests float64
	// Late is a second by default.
	Late time.Duration
	// Hold are parts of requests, in any case of letters. A request that has one is held
	// until the channel Until is closed, whatever the client does meanwhile, and then
	// reaches the target. With HoldCuts the connection is cut for the client at once.
	Hold     []string
	HoldCuts bool
	Until    <-chan struct{}
}

// Counts says how often faults have happened to a piece.
type Counts struct {
	Cut, Late, Repeated, Held int64
	// Forgotten is how many pieces came on a connection that was forgotten.
	Forgotten int64
}

// Counts returns how often a reply was cut off, and a request late, repeated or held.
func (p *Proxy) Counts() Counts {
	return Counts{p.cut.Load(), p.late.Load(), p.repeated.Load(), p.held.Load(), p.forgot.Load()}
}

// pass writes a piece to its end, or does what the fault says. It returns false
// if the connection is to end.
func (p *Proxy) pass(c *pair, to net.Conn, piece []byte, request bool) bool {
	f := *p.fault.Load()
	if f.Late == 0 {
		f.Late = time.Second
	}
	now := int64(time.Since(epoch))
	if used := c.used.Swap(now); f.ForgetAfter > 0 && now-used > int64(f.ForgetAfter) {
		c.forget(f.ForgetByReset)
	}
	if by := c.forgotten.Load(); by != remembered {
		p.swallowed.Add(int64(len(piece)))
		p.forgot.Add(1)
		return by != forgottenByReset
	}
	switch {
	case request && f.LoseRequests, !request && f.LoseReplies:
		p.swallowed.Add(int64(len(piece)))
		c.holed.Store(true)
		return true
	case request && f.holds(piece):
		p.held.Add(1)
		if f.HoldCuts {
			reset(c.client)
		}
		select {
		case <-f.Until:
		case <-p.closing:
			return false
		}
	case !request && chance(f.CutReplies):
		p.cut.Add(1)
		return false
	case request && chance(f.LateRequests):
		p.late.Add(1)
		reset(c.client)
		p.wait(rand.N(f.Late))
		to.Write(piece)
		return false
	case request && piece[0] == '*' && chance(f.RepeatRequests):
		again := slices.Clone(piece)
		p.done.Go(func() { p.repeat(again, rand.N(f.Late)) })
	}
	var hold time.Duration
	if f.Delay > 0 {
		hold = f.Delay/2 + rand.N(f.Delay/2+1)
	}
	if !request {
		hold += f.DelayReplies
	}
	if f.Rate > 0 {
		hold += time.Duration(len(piece)) * time.Second / time.Duration(f.Rate)
	}
	p.wait(hold)
	if f.Latency > 0 || c.lines[index(request)].Load() != nil {
		p.send(c, to, piece, request, f.Latency)
		return true
	}
	_, err := to.Write(piece)
	return err == nil
}

// line is what is under way in one direction.
type line struct {
	pieces chan flight
	flying sync.WaitGroup
}

type flight struct {
	piece []byte
	due   time.Time
}

func index(request bool) int {
	if request {
		return 0
	}
	return 1
}

// send lets a piece arrive after the latency, and those that come meanwhile follow it.
func (p *Proxy) send(c *pair, to net.Conn, piece []byte, request bool, latency time.Duration) {
	at := &c.lines[index(request)]
	l := at.Load()
	if l == nil {
		l = &line{pieces: make(chan flight, 1<<10)}
		at.Store(l)
		p.done.Go(func() { p.carry(l, c, to) })
	}
	due := time.Now().Add(latency)
	if request && !c.opened.Swap(true) {
		due = due.Add(2 * latency)
	}
	l.flying.Add(1)
	l.pieces <- flight{slices.Clone(piece), due}
}

// carry writes what a line has until the connection ends.
func (p *Proxy) carry(l *line, c *pair, to net.Conn) {
	var err error
	for {
		select {
		case f := <-l.pieces:
			if err == nil {
				p.wait(time.Until(f.due))
				_, err = to.Write(f.piece)
			}
			l.flying.Done()
		case <-c.ended:
			return
		}
	}
}

// landed waits until what is under way in a direction has arrived.
func (c *pair) landed(request bool) {
	if l := c.lines[index(request)].Load(); l != nil {
		l.flying.Wait()
	}
}

// holds reports whether a request is held.
func (f *Fault) holds(piece []byte) bool {
	return slices.ContainsFunc(f.Hold, func(part string) bool {
		return bytes.Contains(bytes.ToLower(piece), bytes.ToLower([]byte(part)))
	})
}

func chance(share float64) bool { return share > 0 && rand.Float64() < share }

// wait returns after d, or when the proxy is closed.
func (p *Proxy) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.closing:
	}
}

// repeat sends a request by itself and drops what is answered.
func (p *Proxy) repeat(request []byte, after time.Duration) {
	p.wait(after)
	conn, err := net.DialTimeout("tcp", *p.target.Load(), time.Second)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	p.repeated.Add(1)
	if _, err := conn.Write(request); err == nil {
		io.Copy(io.Discard, conn)
	}
}

// reset closes a connection so that the other end has an error at once.
func reset(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	conn.Close()
}
