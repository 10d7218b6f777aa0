package cachetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/invalidation"
)

// Bus is what goes wrong with the messages by which processes learn what others
// have invalidated. The zero Bus delivers each once, at once.
type Bus struct {
	// Drop is the share of messages that do not arrive, for each process.
	Drop float64
	// Duplicate is the share of messages that arrive twice.
	Duplicate float64
	// Delay is how long a message takes at most. Later ones may overtake it.
	Delay time.Duration
}

// NetworkOptions change what a Network does. The zero NetworkOptions are the
// defaults.
type NetworkOptions struct {
	// Lease is as in redisstore.Options: for how long after it has last made sure
	// that it has heard of everything a process serves from memory. The default is
	// 1s.
	Lease time.Duration
	// Behind is for how long after that it serves nevertheless.
	Behind time.Duration
	// Seed decides which messages are lost.
	Seed uint64
}

// Network is a shared store and several processes that use it, all in one test.
// It behaves as a redisstore does: what is in a process's own memory is served
// under a lease, and messages only make the wait shorter.
type Network struct {
	// Server is the Domain of the stores that the processes share: memstores, for
	// instance, which stand for the data in Redis.
	Server *invalidation.Domain

	o NetworkOptions

	mu    sync.Mutex
	r     *rand.Rand
	bus   Bus
	nodes []*Node
	tail  uint64              // of the log: how many messages there were
	texts map[storeKey]string // of the keys of shared stores
	ctx   context.Context
	tasks sync.WaitGroup
}

// message says what was invalidated. Its number is its place in the log.
type message struct {
	number uint64
	keys   []uint32
	tags   []string
}

// storeKey is a key of the shared store with a name.
type storeKey struct {
	store string
	key   any
}

// text returns a text for a key of a shared store. Different keys have different
// texts, also if they are printed alike.
func (n *Network) text(store string, key any) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := storeKey{store, key}
	text, known := n.texts[k]
	if !known {
		text = fmt.Sprintf("%s:%v:%d", store, key, len(n.texts))
		n.texts[k] = text
	}
	return text
}

// NewNetwork returns a Network without processes, which ends with the test. The
// seed is logged. It panics if an option makes no sense.
func NewNetwork(t testing.TB, o *NetworkOptions) *Network {
	t.Helper()
	n := &Network{Server: invalidation.NewDomain(), texts: map[storeKey]string{}}
	if o != nil {
		n.o = *o
	}
	if n.o.Lease == 0 {
		n.o.Lease = time.Second
	}
	checkDelay("NetworkOptions.Lease", n.o.Lease)
	checkDelay("NetworkOptions.Behind", n.o.Behind)
	t.Logf("cachetest: seed %d", n.o.Seed)
	n.r = rand.New(rand.NewPCG(n.o.Seed, 1))
	ctx, stop := context.WithCancel(context.Background())
	n.ctx = ctx
	t.Cleanup(func() {
		stop()
		for _, p := range n.nodes {
			p.close()
			p.control.End()
		}
		n.tasks.Wait()
	})
	return n
}

// SetBus has faults of messages from now on, in place of those before. It panics
// if a share is not between 0 and 1.
func (n *Network) SetBus(b Bus) {
	checkShare("Bus.Drop", b.Drop)
	checkShare("Bus.Duplicate", b.Duplicate)
	checkDelay("Bus.Delay", b.Delay)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bus = b
}

// Node is a process on a Network. Its Set has the calls fail that it makes to the
// shared stores.
type Node struct {
	*injector
	// Domain holds the tags of the process. Give it to its stores in memory.
	Domain *invalidation.Domain

	net     *Network
	control invalidation.Control

	cut sync.RWMutex // held for writing while apart changes
	out bool         // apart: no messages and no calls

	mu      sync.Mutex
	applied uint64 // of the log
	retry   map[string]func(context.Context) error
}

// Join adds a process.
func (n *Network) Join() *Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &Node{injector: newInjector(n.o.Seed + uint64(len(n.nodes)) + 1), net: n, retry: map[string]func(context.Context) error{}}
	p.Domain, p.control = invalidation.NewRemoteDomain(remote{p}, invalidation.RemoteOptions{Lanes: 1, Leased: true, Behind: n.o.Behind})
	p.applied = n.tail
	n.nodes = append(n.nodes, p)
	p.control.Renew(0, time.Now().Add(n.o.Lease))
	n.tasks.Go(p.run)
	return p
}

// Partition cuts the process off: no message arrives and every call fails. It
// does not know until it asks. With false it is back.
func (p *Node) Partition(on bool) {
	p.cut.Lock()
	defer p.cut.Unlock()
	p.out = on
}

func (p *Node) apart() bool {
	p.cut.RLock()
	defer p.cut.RUnlock()
	return p.out
}

// call makes a call to the shared store.
func (p *Node) call(ctx context.Context, do func() error, again func()) error {
	if p.apart() {
		return fmt.Errorf("%w: the process is cut off", ErrInjected)
	}
	return p.do(ctx, do, again)
}

// publish notes in the log what was invalidated, and tells all processes.
func (n *Network) publish(keys []uint32, tags []string) {
	n.mu.Lock()
	n.tail++
	m := message{n.tail, slices.Clone(keys), slices.Clone(tags)}
	type arrival struct {
		to *Node
		in time.Duration
	}
	var arrivals []arrival
	for _, p := range n.nodes {
		if n.r.Float64() < n.bus.Drop {
			continue
		}
		times := 1
		if n.r.Float64() < n.bus.Duplicate {
			times = 2
		}
		for range times {
			arrivals = append(arrivals, arrival{p, time.Duration(n.r.Int64N(int64(n.bus.Delay) + 1))})
		}
	}
	n.mu.Unlock()
	for _, a := range arrivals {
		if a.in == 0 {
			a.to.hear(m)
			continue
		}
		n.tasks.Go(func() {
			if pause(n.ctx, a.in) == nil {
				a.to.hear(m)
			}
		})
	}
}

// hear applies a message. Only an unbroken chain is trusted.
func (p *Node) hear(m message) {
	if p.apart() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m.number <= p.applied: // a second time, or what a gap has covered
		return
	case m.number != p.applied+1:
		p.control.Drop(0)
	default:
		p.Domain.Expire(m.tags...)
		p.control.ExpireKeys(m.keys...)
	}
	p.applied = m.number
}

// run asks four times in a lease how far the log is.
func (p *Node) run() {
	tick := time.NewTicker(p.net.o.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-p.net.ctx.Done():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(p.net.ctx, p.net.o.Lease)
		p.beat(ctx)
		cancel()
	}
}

// beat drops what it may have missed and extends the lease, from when it asked.
func (p *Node) beat(ctx context.Context) error {
	asked := time.Now()
	return p.call(ctx, func() error {
		p.net.mu.Lock()
		tail := p.net.tail
		p.net.mu.Unlock()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.applied < tail {
			p.control.Drop(0)
			p.applied = tail
		}
		p.control.Renew(0, asked.Add(p.net.o.Lease))
		return nil
	}, nil)
}

// remote is what a Domain is told to do in the shared store.
type remote struct{ p *Node }

func (r remote) InvalidateTags(ctx context.Context, tags []string) error {
	do := func() error {
		if err := r.p.net.Server.InvalidateTags(ctx, tags...); err != nil {
			return err
		}
		r.p.net.publish(nil, tags)
		return nil
	}
	return r.p.call(ctx, do, func() { do() })
}

func (r remote) QuarantineTags(ctx context.Context, tags []string, _ time.Duration) (release func(context.Context) error, err error) {
	var free func(context.Context) error
	err = r.p.call(ctx, func() (err error) {
		if free, err = r.p.net.Server.QuarantineTags(ctx, tags...); err == nil {
			r.p.net.publish(nil, tags)
		}
		return err
	}, nil)
	if err != nil {
		if free != nil {
			free(context.WithoutCancel(ctx))
		}
		return nil, err
	}
	return func(ctx context.Context) error {
		return r.p.call(ctx, func() error {
			if err := free(ctx); err != nil {
				return err
			}
			r.p.net.publish(nil, tags)
			return nil
		}, nil)
	}, nil
}

// Retry repeats invalidations that have failed.
func (r remote) Retry(ctx context.Context, keys, tags []string, all bool) error {
	for _, k := range keys {
		r.p.mu.Lock()
		again := r.p.retry[k]
		r.p.mu.Unlock()
		if err := again(ctx); err != nil {
			return err
		}
	}
	if len(tags) > 0 {
		return r.InvalidateTags(ctx, tags)
	}
	return nil
}

func (r remote) Fence(ctx context.Context) error { return r.p.beat(ctx) }

func (r remote) AtLeast(ctx context.Context, _ string) error { return r.p.beat(ctx) }

// WaitCoherent waits until all leases that were given have ended.
func (r remote) WaitCoherent(ctx context.Context, _ string) error {
	return pause(ctx, r.p.net.o.Lease)
}

func (r remote) Status(s *invalidation.Status) {
	for i := range s.Lanes {
		s.Lanes[i].Subscribed = !r.p.apart()
	}
}
