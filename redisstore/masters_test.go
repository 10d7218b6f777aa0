package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// partly is a space on a cluster of which one master is to fail, and keys by whether all
// that they depend on is at the others.
type partly struct {
	space       *Space
	store       *Store[int, int]
	faulty      *redisproc.Server
	alive, dead []int
	deadLanes   map[int]bool
	events      *cache.Counter
}

// tagOf is the tag of every third key.
func tagOf(k int) (tags []string) {
	if k%3 == 0 {
		tags = []string{fmt.Sprintf("tag%d", k%30)}
	}
	return tags
}

// openPartly opens a space on a cluster of the test's own, with TLS if it has an authority,
// and stores 120 keys.
func openPartly(t *testing.T, o Options, a *redisproc.Authority) *partly {
	t.Helper()
	cluster := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: a, Args: []string{"--cluster-require-full-coverage", "no"}})
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), TLSConfig: a.ClientTLS()})
	t.Cleanup(func() { rdb.Close() })
	p := &partly{faulty: cluster.Servers()[1], deadLanes: map[int]bool{}, events: &cache.Counter{}}
	o.Timeout, o.Slow, o.Lease, o.Observer = 500*time.Millisecond, 500*time.Millisecond, 2*time.Second, p.events
	var err error
	if p.space, err = Open(t.Context(), rdb, "partly", &o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.space.Close(context.Background()) })
	p.store = New[int, int](p.space, "s", nil)
	at := func(key string) bool { return p.at(t, key) == p.faulty.Addr() }
	for lane := range p.space.lanes {
		p.deadLanes[lane] = at(p.space.laneKey(lane))
	}
	for k := range 120 {
		p.put(t, k)
		key := p.store.key(k)
		depends := at(key) || p.deadLanes[p.space.lane(key)]
		for _, tag := range tagOf(k) {
			depends = depends || p.deadLanes[p.space.lane(tag)]
		}
		if depends {
			p.dead = append(p.dead, k)
		} else {
			p.alive = append(p.alive, k)
		}
	}
	if len(p.alive) < 20 || len(p.dead) < 20 {
		t.Fatalf("%d keys depend on the master and %d do not: the test proves nothing", len(p.dead), len(p.alive))
	}
	return p
}

// at returns the address of the master that has a key.
func (p *partly) at(t *testing.T, key string) string {
	t.Helper()
	server, err := p.space.servers.of(t.Context(), p.space, key)
	if err != nil {
		t.Fatal(err)
	}
	return server.breaker.addr
}

// put stores a key as a load would.
func (p *partly) put(t *testing.T, k int) {
	t.Helper()
	f, err := p.store.Reserve(t.Context(), cache.Slot[int]{Key: k, Tags: tagOf(k)})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := f.Commit(t.Context(), anEntry(k, tagOf(k)...)); err != nil || out[0] != cache.Stored {
		t.Fatalf("%d is %v, %v", k, out, err)
	}
}

// openBreaker reads until the breaker of the faulty master is open.
func (p *partly) openBreaker(t *testing.T) {
	t.Helper()
	poll(t, "the breaker of the master is not open", func() bool {
		p.store.Get(t.Context(), p.dead[0])
		return slices.Equal(p.space.Stats().OpenBreakers, []string{p.faulty.Addr()})
	})
}

// faults are what can be wrong with a master, and how it is mended.
// masterFault is what happens to a master.
type masterFault struct {
	begin, end func(*testing.T, *redisproc.Server)
}

var faults = map[string]masterFault{
	"dead": {
		func(_ *testing.T, s *redisproc.Server) { s.Kill() },
		func(t *testing.T, s *redisproc.Server) { must(t, s.Restart(t.Context())) },
	},
	"hangs": {
		func(t *testing.T, s *redisproc.Server) { must(t, s.Pause()) },
		func(t *testing.T, s *redisproc.Server) { must(t, s.Resume()) },
	},
}

func TestBreaker_OneMasterOfACluster(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) { oneMaster(t, name, fault, nil) })
		t.Run(name+", over TLS", func(t *testing.T) { oneMaster(t, name, fault, redistest.Authority(t)) })
	}
}

func oneMaster(t *testing.T, name string, fault masterFault, a *redisproc.Authority) {
	ctx := t.Context()
	p := openPartly(t, Options{}, a)
	fault.begin(t, p.faulty)
	p.openBreaker(t)
	if state := p.space.Stats().Breaker; state != cache.BreakerIsPartlyOpen {
		t.Errorf("the breaker is %v", state)
	}
	began := time.Now()
	for _, k := range p.alive {
		if e, err := p.store.Get(ctx, k); err != nil || e == nil || e.Value != k {
			t.Errorf("%d, which does not depend on the master: %+v, %v", k, e, err)
		}
	}
	for _, k := range p.dead {
		if e, err := p.store.Get(ctx, k); !errors.Is(err, cache.ErrBreakerOpen) {
			t.Errorf("%d, which depends on it: %+v, %v", k, e, err)
		}
		if _, err := p.store.Reserve(ctx, cache.Slot[int]{Key: k, Tags: tagOf(k)}); !errors.Is(err, cache.ErrBreakerOpen) {
			t.Errorf("Reserve of %d: %v", k, err)
		}
	}
	if took := time.Since(began); name == "hangs" && took > time.Duration(len(p.dead))*p.space.pace.bound()/2 {
		t.Errorf("reads have waited for the master: %v", took)
	}
	p.many(t)
	p.invalidations(t)
	// The lanes of the master lose their lease, and the others keep theirs.
	poll(t, "the leases are not those of the masters that live", func() bool {
		for n, lane := range p.space.Status().Lanes {
			if lane.Trusted == p.deadLanes[n] {
				return false
			}
		}
		return true
	})
	fault.end(t, p.faulty)
	// Nobody reads, and it closes nevertheless.
	poll(t, "the breaker does not close", func() bool { return p.space.Stats().Breaker == cache.BreakerIsClosed })
	poll(t, "what has failed is not repeated", func() bool { return p.space.Status().Retries == 0 })
	if n := p.events.Count(cache.BreakerOpened) - p.events.Count(cache.BreakerClosed); n != 0 {
		t.Errorf("it has opened %d times more than it has closed", n)
	}
	for k := range 120 {
		poll(t, fmt.Sprintf("%d cannot be stored", k), func() bool {
			f, err := p.store.Reserve(ctx, cache.Slot[int]{Key: k, Tags: tagOf(k)})
			if err != nil {
				return false
			}
			out, err := f.Commit(ctx, anEntry(k, tagOf(k)...))
			return err == nil && out[0] == cache.Stored
		})
	}
}

// many reads and fills all keys at once.
func (p *partly) many(t *testing.T) {
	t.Helper()
	all := append(slices.Clone(p.alive), p.dead...)
	misses := p.events.Count(cache.MissTag)
	found, err := p.store.GetMany(t.Context(), all)
	if n := p.events.Count(cache.MissTag) - misses; n > 0 {
		t.Errorf("GetMany: %d values whose tags could not be read are taken for values whose tags were invalidated", n)
	}
	if !errors.Is(err, cache.ErrBreakerOpen) || len(found) != len(p.alive) {
		t.Errorf("GetMany of %d keys of which %d can be read has %d, %v", len(all), len(p.alive), len(found), err)
	}
	for _, k := range p.alive {
		if found[k] == nil || found[k].Value != k {
			t.Errorf("GetMany: %d is %+v", k, found[k])
		}
	}
	slots, entries := make([]cache.Slot[int], len(all)), make([]*cache.Entry[int], len(all))
	for i, k := range all {
		slots[i], entries[i] = cache.Slot[int]{Key: k, Tags: tagOf(k), LateTags: true}, anEntry(k, tagOf(k)...)
	}
	f, err := p.store.Reserve(t.Context(), slots...)
	if err != nil {
		t.Fatalf("Reserve of all: %v", err)
	}
	out, err := f.Commit(t.Context(), entries...)
	if err != nil {
		t.Errorf("Commit of all: %v", err)
	}
	for i := range all {
		if want := i < len(p.alive); (out[i] == cache.Stored) != want {
			t.Errorf("%d is %v", all[i], out[i])
		}
		if i >= len(p.alive) && f.Found(i) != nil {
			t.Errorf("%d is found", all[i])
		}
	}
}

// invalidations invalidates all keys and tags at once: those that can be are.
func (p *partly) invalidations(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	var none *partError
	err := p.store.Invalidate(ctx, append(slices.Clone(p.dead), p.alive[1:]...)...)
	if !errors.As(err, &none) || len(none.keys) > len(p.dead) || len(none.keys) == 0 {
		t.Errorf("Invalidate of %d keys: %v", len(p.dead)+len(p.alive)-1, err)
	}
	for _, k := range p.alive[1:] {
		if e, err := p.store.Get(ctx, k); e != nil || err != nil {
			t.Errorf("%d is %+v, %v after it was invalidated", k, e, err)
		}
		p.put(t, k) // nothing holds it
	}
	if e, err := p.store.Get(ctx, p.alive[0]); err != nil || e == nil {
		t.Errorf("what was not invalidated is %+v, %v", e, err)
	}
	var tags []string
	for k := 0; k < 30; k += 3 {
		tags = append(tags, tagOf(k)...)
	}
	if err = p.space.InvalidateTags(ctx, tags...); !errors.As(err, &none) || len(none.tags) == len(tags) {
		t.Errorf("InvalidateTags: %v", err)
	}
	for _, k := range p.alive {
		if e, err := p.store.Get(ctx, k); err != nil || (e == nil) != (tagOf(k) != nil) {
			t.Errorf("%d with tags %v is %+v, %v", k, tagOf(k), e, err)
		}
	}
}
