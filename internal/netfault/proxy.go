// Package netfault is a TCP proxy with faults that can be switched on and off
// under load, for tests of what a network does to a program.
package netfault

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy forwards connections to a target. Its methods may be called by several
// goroutines.
type Proxy struct {
	target  atomic.Pointer[string]
	addr    string
	fault   atomic.Pointer[Fault]
	refuse  atomic.Bool
	closing chan struct{}

	swallowed, cut, late, repeated, held, forgot, accepted atomic.Int64

	mu       sync.Mutex
	listener net.Listener
	pairs    map[*pair]struct{}
	closed   bool
	done     sync.WaitGroup
}

// pair is a connection of a client and the one to the target.
type pair struct {
	client, server net.Conn
	holed          atomic.Bool // bytes were swallowed: it cannot go on
	used           atomic.Int64
	forgotten      atomic.Int32
	opened         atomic.Bool             // something was sent on it
	lines          [2]atomic.Pointer[line] // to the target and back, if they have latency
	ended          chan struct{}
}

var epoch = time.Now()

// What is known of a connection.
const (
	remembered = iota
	forgottenSilently
	forgottenByReset
)

func (c *pair) forget(reset bool) {
	how := int32(forgottenSilently)
	if reset {
		how = forgottenByReset
	}
	c.forgotten.CompareAndSwap(remembered, how)
}

// Forget forgets all connections, as if they had idled for too long: see
// Fault.ForgetAfter. Both ends take them for open.
func (p *Proxy) Forget(reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.forget(reset)
	}
}

// Accepted returns how many connections were made.
func (p *Proxy) Accepted() int64 { return p.accepted.Load() }

// Start returns a proxy to target that listens on an address of its own. The
// caller must call Close.
func Start(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{addr: l.Addr().String(), listener: l, closing: make(chan struct{}), pairs: map[*pair]struct{}{}}
	p.fault.Store(&Fault{})
	p.Lead(target)
	p.done.Go(func() { p.accept(l) })
	return p, nil
}

// Addr returns the address that clients connect to.
func (p *Proxy) Addr() string { return p.addr }

// Lead has new connections lead to another target. Those that are open stay where they
// are, as they do behind an address that moves to another server.
func (p *Proxy) Lead(target string) { p.target.Store(&target) }

// Set has a fault from now on, in place of the one before. Connections that have
// lost bytes in that are cut as soon as bytes pass again.
func (p *Proxy) Set(f Fault) {
	p.fault.Store(&f)
	if !f.LoseRequests && !f.LoseReplies {
		p.cutAll(func(c *pair) bool { return c.holed.Load() })
	}
}

// Blackhole swallows all bytes from now on, in both directions. Connections stay
// open and new ones are accepted; nobody is told.
func (p *Proxy) Blackhole() { p.Set(Fault{LoseRequests: true, LoseReplies: true}) }

// Refuse closes new connections at once, or no more.
func (p *Proxy) Refuse(on bool) { p.refuse.Store(on) }

// Shut cuts all connections and listens no more: who connects is refused by the
// system, as if there were no program at the address. Open ends it.
func (p *Proxy) Shut() {
	p.mu.Lock()
	p.listener.Close()
	p.mu.Unlock()
	p.Cut()
}

// Open listens again after Shut, at the same address. It is an error if somebody
// else does so meanwhile, or if the proxy was not shut.
func (p *Proxy) Open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener = l
	p.done.Go(func() { p.accept(l) })
	return nil
}

// Heal ends what Set and Blackhole have begun. Connections that have lost bytes
// are cut, as no stream can go on with a hole.
func (p *Proxy) Heal() { p.Set(Fault{}) }

// Cut cuts all connections.
func (p *Proxy) Cut() { p.cutAll(func(*pair) bool { return true }) }

// Swallowed returns how many bytes were swallowed.
func (p *Proxy) Swallowed() int64 { return p.swallowed.Load() }

func (p *Proxy) cutAll(which func(*pair) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		if which(c) {
			c.close()
		}
	}
}

func (c *pair) close() {
	reset(c.client)
	reset(c.server)
}

// Close ends the proxy and all its connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
	}
	p.listener.Close()
	p.mu.Unlock()
	p.Cut()
	p.done.Wait()
}

func (p *Proxy) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		if p.refuse.Load() {
			client.Close()
			continue
		}
		p.done.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", *p.target.Load())
	if err != nil {
		client.Close()
		return
	}
	c := &pair{client: client, server: server, ended: make(chan struct{})}
	c.used.Store(int64(time.Since(epoch)))
	p.accepted.Add(1)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		c.close()
		return
	}
	p.pairs[c] = struct{}{}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.copy(c, server, client, true) })
	both.Go(func() { p.copy(c, client, server, false) })
	both.Wait()
	close(c.ended)
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
}

// copy passes bytes on until one side ends, and then ends the other.
func (p *Proxy) copy(c *pair, to, from net.Conn, requests bool) {
	defer to.Close()
	defer from.Close()
	b := buffers.Get().(*[pieceMost]byte)
	defer buffers.Put(b)
	for buf := b[:]; ; {
		n, err := from.Read(buf)
		if n > 0 && !p.pass(c, to, buf[:n], requests) {
			if c.forgotten.Load() == forgottenByReset {
				c.close()
			}
			return
		}
		if err != nil {
			c.landed(requests)
			return
		}
	}
}

// pieceMost is the size of the largest piece.
const pieceMost = 16 << 10

// Programs that make connections all the time are slowed down by what each costs.
var buffers = sync.Pool{New: func() any { return new([pieceMost]byte) }}
