package netfault

import (
	"io"
	"math/rand/v2"
	"net"
	"slices"
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
}

// Counts says how often faults have happened to a piece.
type Counts struct {
	Cut, Late, Repeated int64
}

// Counts returns how often a reply was cut off, and a request late or repeated.
func (p *Proxy) Counts() Counts {
	return Counts{p.cut.Load(), p.late.Load(), p.repeated.Load()}
}

// pass writes a piece to its end, or does what the fault says. It returns false
// if the connection is to end.
func (p *Proxy) pass(c *pair, to net.Conn, piece []byte, request bool) bool {
	f := *p.fault.Load()
	if f.Late == 0 {
		f.Late = time.Second
	}
	switch {
	case request && f.LoseRequests, !request && f.LoseReplies:
		p.swallowed.Add(int64(len(piece)))
		c.holed.Store(true)
		return true
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
	_, err := to.Write(piece)
	return err == nil
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
	conn, err := net.DialTimeout("tcp", p.target, time.Second)
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
