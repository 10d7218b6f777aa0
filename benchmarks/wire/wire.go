// Package wire counts what goes over connections to Redis: commands, as they are
// sent, and round trips. INFO on the server counts those that scripts run too.
package wire

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Counter counts over all connections that Dial has made. Its methods may be
// called at once from many goroutines.
type Counter struct {
	commands, trips atomic.Int64
	delay           atomic.Int64
}

// Dial connects to Redis. It is a Dialer of go-redis' Options.
func (c *Counter) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	inner, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner, counter: c, answered: true}, nil
}

// Commands returns how many were sent so far. PING, which clients send to see
// whether a connection is alive, is left out.
func (c *Counter) Commands() int64 { return c.commands.Load() }

// Trips returns how many round trips were begun: writes that follow an answer.
func (c *Counter) Trips() int64 { return c.trips.Load() }

// Delay makes every round trip that begins from now on longer by d, so that their
// number can be told from the time that they take.
func (c *Counter) Delay(d time.Duration) { c.delay.Store(int64(d)) }

type conn struct {
	net.Conn
	counter *Counter

	mu       sync.Mutex
	requests parser
	answered bool // since the last write
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	n := c.requests.feed(p)
	begins := n > 0 && c.answered
	if n > 0 {
		c.answered = false
	}
	c.mu.Unlock()
	c.counter.commands.Add(int64(n))
	if begins {
		c.counter.trips.Add(1)
		if d := c.counter.delay.Load(); d > 0 {
			time.Sleep(time.Duration(d))
		}
	}
	return c.Conn.Write(p)
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.answered = true
	c.mu.Unlock()
	return n, err
}

// parser finds the commands in what a client writes, in whatever pieces: arrays
// of strings.
type parser struct {
	line  []byte // that has not ended
	args  int    // of the command that are missing
	first bool   // the next argument is the name
	skip  int    // bytes of an argument, with its end
	name  []byte
}

// feed takes the next bytes and returns how many commands ended in them.
func (r *parser) feed(p []byte) (commands int) {
	for len(p) > 0 {
		if r.skip > 0 {
			n := min(r.skip, len(p))
			if r.first && len(r.name) < 16 {
				r.name = append(r.name, p[:min(n, 16)]...)
			}
			p, r.skip = p[n:], r.skip-n
			if r.skip == 0 {
				commands += r.argument()
			}
			continue
		}
		b := p[0]
		p = p[1:]
		if b != '\n' {
			r.line = append(r.line, b)
			continue
		}
		number := 0
		for _, d := range r.line[1:] {
			if d >= '0' && d <= '9' {
				number = number*10 + int(d-'0')
			}
		}
		switch r.line[0] {
		case '*':
			r.args, r.first, r.name = number, true, r.name[:0]
		case '$':
			r.skip = number + len("\r\n")
		}
		r.line = r.line[:0]
	}
	return commands
}

// argument notes that one has ended, and returns 1 if a command has.
func (r *parser) argument() int {
	r.args--
	r.first = false
	if r.args > 0 || strings.EqualFold(strings.TrimSpace(string(r.name)), "ping") {
		return 0
	}
	return 1
}
