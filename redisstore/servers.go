package redisstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// server is what a space knows of one server: who asks it, how it is, and whether it
// writes.
type server struct {
	gather
	breaker breaker
	writes  refusals
	key     string // one that it had when it was first asked
}

// servers are those of a space.
type servers struct {
	// single is the server of a space that is no cluster. Of a cluster, its breaker is
	// about the layout: whether it is known which master has what.
	single  server
	masters sync.Map // *server by address
	probers *probers

	mu        sync.Mutex
	open      atomic.Int32 // breakers that are
	wary      atomic.Int32
	refusing  atomic.Int32 // servers that refuse to write
	slow      func() time.Duration
	noBreaker bool
}

func (s *Space) initServers(o *Options) {
	v := &s.servers
	v.slow, v.noBreaker, v.probers = s.pace.slowness, o.NoBreaker, newProbers()
	s.initServer(&v.single)
	v.single.breaker.ask = s.probe
	if s.lanes > 1 {
		v.single.breaker.ask = s.probeLayout
	}
}

func (s *Space) initServer(v *server) {
	v.space = s
	b := &v.breaker
	b.init(s.servers.slow, s.servers.noBreaker, s.servers.probers)
	b.tell = s.tellBreaker
	b.changed = s.servers.count
}

// tellBreaker tells of a breaker. What has failed is tried again when it closes.
func (s *Space) tellBreaker(e cache.Event) {
	if e.Kind == cache.BreakerClosed {
		s.control.RetryNow()
	}
	if e.Err != nil && e.Server != "" {
		e.Err = fmt.Errorf("%s: %w", e.Server, e.Err)
	}
	s.observe(e)
}

// all calls f for each server.
func (v *servers) all(f func(*server)) {
	f(&v.single)
	v.masters.Range(func(_, m any) bool {
		f(m.(*server))
		return true
	})
}

// count counts the breakers that are open, and the servers that one is wary of.
func (v *servers) count() {
	v.mu.Lock()
	defer v.mu.Unlock()
	open, wary := int32(0), int32(0)
	v.all(func(s *server) {
		if s.breaker.open.Load() {
			open++
		}
		if s.breaker.wary.Load() {
			wary++
		}
	})
	v.open.Store(open)
	v.wary.Store(wary)
}

// forget takes out a server that is no master any more.
func (v *servers) forget(s *server) { v.masters.CompareAndDelete(s.breaker.addr, s) }

// state returns how the breakers stand together, and the addresses of those that are
// open.
func (v *servers) state() (state cache.BreakerState, open []string) {
	masters := 0
	v.all(func(s *server) {
		if s != &v.single {
			masters++
		}
		if s.breaker.open.Load() {
			open = append(open, s.breaker.addr)
		}
	})
	slices.Sort(open)
	switch {
	case len(open) == 0:
		return cache.BreakerIsClosed, nil
	case v.single.breaker.open.Load() || len(open) == masters:
		return cache.BreakerIsOpen, open
	}
	return cache.BreakerIsPartlyOpen, open
}

// master returns the client of the master that has a key, in a cluster. The breaker of
// the layout learns if nobody knows which.
func (v *servers) master(ctx context.Context, s *Space, key string) (*redis.Client, error) {
	began := time.Now()
	master, err := s.rdb.(*redis.ClusterClient).MasterForKey(budget{ctx, began.Add(s.pace.bound())}, key)
	if layout := &v.single.breaker; err != nil {
		err = fmt.Errorf("%w: %w", errUnavailable, err)
		layout.took(ctx, time.Since(began), 0, 0, err)
	} else if layout.wary.Load() && !layout.open.Load() {
		layout.took(ctx, 0, 0, 0, nil)
	}
	return master, err
}

// of returns the server that has a key.
func (v *servers) of(ctx context.Context, s *Space, key string) (*server, error) {
	if s.lanes == 1 {
		return &v.single, nil
	}
	master, err := v.master(ctx, s, key)
	if err != nil {
		return nil, err
	}
	return v.at(s, master.Options().Addr, key), nil // clients come and go with the layout
}

// at returns the server with an address, which has a key.
func (v *servers) at(s *Space, addr, key string) *server {
	if found, ok := v.masters.Load(addr); ok {
		return found.(*server)
	}
	m := &server{key: key}
	s.initServer(m)
	m.breaker.addr = addr
	m.breaker.ask = s.probeMaster(m)
	made, _ := v.masters.LoadOrStore(addr, m)
	return made.(*server)
}

// refuses reports whether what a key depends on is not to be asked now: errOpen, or why
// it is not known whom to ask.
func (v *servers) refuses(ctx context.Context, s *Space, key string) error {
	if v.open.Load() == 0 {
		return nil
	}
	server, err := v.of(ctx, s, key)
	if err == nil && server.breaker.refuses() {
		err = errOpen
	}
	return err
}
