package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/larder-cache/larder/internal/netfault"
	"github.com/redis/go-redis/v9"
)

// snapshotFile is what a server saves and loads.
const snapshotFile = "verify.rdb"

const (
	ms  = time.Millisecond
	sec = time.Second
)

var (
	notSentinel = []topology{single, cluster, address}
	onlySingle  = []topology{single}
)

// faults are all that can go wrong.
var faults = []fault{
	{name: "connections cut", lane: network, least: 100 * ms, most: sec, do: func(ctx context.Context, f *field, s step) error {
		return every(ctx, 50*ms, func() error { f.ways(s, (*netfault.Proxy).Cut); return nil })
	}},
	{name: "replies cut after execution", lane: network, least: 200 * ms, most: 2 * sec, do: set(netfault.Fault{CutReplies: 0.02})},
	{name: "requests late", lane: network, least: 200 * ms, most: 2 * sec, do: set(netfault.Fault{LateRequests: 0.02})},
	{name: "requests repeated", lane: network, least: 200 * ms, most: 2 * sec, do: set(netfault.Fault{RepeatRequests: 0.1, Late: 500 * ms})},
	{name: "network slow", lane: network, least: 200 * ms, most: 2 * sec, do: set(netfault.Fault{Delay: 40 * ms})},
	{name: "network throttled", lane: network, least: 200 * ms, most: 2 * sec, do: set(netfault.Fault{Rate: 200_000})},
	{name: "requests lost", lane: network, least: 100 * ms, most: 1500 * ms, do: set(netfault.Fault{LoseRequests: true})},
	{name: "replies lost", lane: network, least: 100 * ms, most: 1500 * ms, do: set(netfault.Fault{LoseReplies: true})},
	{name: "network dark", lane: network, least: 100 * ms, most: 1500 * ms, do: set(netfault.Fault{LoseRequests: true, LoseReplies: true})},
	{name: "connections refused", lane: network, least: 100 * ms, most: 1500 * ms, do: func(ctx context.Context, f *field, s step) error {
		f.ways(s, func(p *netfault.Proxy) { p.Refuse(true); p.Cut() })
		<-ctx.Done()
		f.ways(s, func(p *netfault.Proxy) { p.Refuse(false) })
		return nil
	}},

	{name: "process stopped", lane: processes, least: 100 * ms, most: 1500 * ms, do: func(ctx context.Context, f *field, s step) error {
		p := f.process(s)
		if err := halt(p, true); err != nil {
			return err
		}
		<-ctx.Done()
		return halt(p, false)
	}},
	{name: "wall clock set", lane: processes, least: 200 * ms, most: 2 * sec, do: stepClock},
	{name: "process killed", lane: processes, least: 50 * ms, most: 500 * ms, do: func(ctx context.Context, f *field, s step) error {
		return f.crash(ctx, s.Victim)
	}},

	{name: "keys deleted", lane: servers, least: 500 * ms, most: 2 * sec, do: func(ctx context.Context, f *field, s step) error {
		r := rand.New(rand.NewPCG(s.Seed, 0))
		return every(ctx, 20*ms, func() error { return f.deleteSome(r) })
	}},
	{name: "server stopped", lane: servers, own: true, on: notSentinel, least: 100 * ms, most: nodeTimeout / 2, do: stopServer},
	{name: "server stopped shortly", lane: servers, own: true, on: []topology{sentinel}, least: 20 * ms, most: 100 * ms, do: stopServer},
	{name: "server killed, back empty", lane: servers, own: true, on: notSentinel, least: 20 * ms, most: 500 * ms, do: func(ctx context.Context, f *field, s step) error {
		srv := f.server(s)
		srv.Kill()
		<-ctx.Done()
		if err := os.Remove(filepath.Join(srv.Dir(), snapshotFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return errors.Join(srv.Restart(context.Background()), f.well())
	}},
	{name: "server killed, back with old data", lane: servers, own: true, on: onlySingle, breach: true, least: 500 * ms, most: 2 * sec, do: restore},
	// Not of sentinels: they would take it for the death of the master, and all of
	// them promote somebody else.
	{name: "connections killed", lane: servers, own: true, on: notSentinel, least: 200 * ms, most: sec, do: func(ctx context.Context, f *field, s step) error {
		return every(ctx, 50*ms, func() error { return f.command(ctx, "client", "kill", "type", "normal", "skipme", "yes") })
	}},
	{name: "subscriptions killed", lane: servers, own: true, least: 200 * ms, most: sec, do: func(ctx context.Context, f *field, s step) error {
		return every(ctx, 20*ms, func() error { return f.command(ctx, "client", "kill", "type", "pubsub") })
	}},
	{name: "clients paused", lane: servers, own: true, on: notSentinel, least: 100 * ms, most: sec, do: func(ctx context.Context, f *field, s step) error {
		return f.command(ctx, "client", "pause", s.For.Milliseconds(), "all")
	}},
	{name: "writes paused", lane: servers, own: true, least: 100 * ms, most: sec, do: func(ctx context.Context, f *field, s step) error {
		return f.command(ctx, "client", "pause", s.For.Milliseconds(), "write")
	}},
	{name: "memory short, keys evicted", lane: servers, own: true, least: 500 * ms, most: 2 * sec, do: shrink},
	{name: "everything flushed", lane: servers, own: true, least: ms, most: ms, do: func(ctx context.Context, f *field, s step) error { return f.command(ctx, "flushall") }},
	{name: "scripts flushed", lane: servers, own: true, least: 100 * ms, most: sec, do: func(ctx context.Context, f *field, s step) error {
		return every(ctx, 20*ms, func() error { return f.command(ctx, "script", "flush") })
	}},
	{name: "slots moved", lane: servers, own: true, on: []topology{cluster}, least: 500 * ms, most: 2 * sec, do: moveSlots},
	{name: "master killed, replica promoted", lane: servers, own: true, on: []topology{cluster, sentinel}, least: sec, most: sec, do: failover},
	{name: "primary moved behind its address", lane: servers, own: true, on: []topology{address}, least: 500 * ms, most: sec, do: failOver},
	{name: "primary demoted behind its address", lane: servers, own: true, on: []topology{address}, least: sec, most: 3 * sec, do: demote},
	{name: "replica promoted by command", lane: servers, own: true, on: []topology{cluster}, least: 500 * ms, most: sec, do: takeOver},
}

// set returns a fault of the network.
func set(n netfault.Fault) func(context.Context, *field, step) error {
	return func(ctx context.Context, f *field, s step) error {
		f.ways(s, func(p *netfault.Proxy) { p.Set(n) })
		<-ctx.Done()
		f.ways(s, (*netfault.Proxy).Heal)
		return nil
	}
}

// every calls f in turns until ctx ends. What fails, because the server is hurt
// already, is tried again.
func every(ctx context.Context, d time.Duration, f func() error) (err error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	done := 0
	for {
		if err1 := f(); err1 != nil {
			err = err1
		} else {
			done++
		}
		select {
		case <-ctx.Done():
			if done > 0 {
				err = nil
			}
			return err
		case <-tick.C:
		}
	}
}

func stopServer(ctx context.Context, f *field, s step) error {
	srv := f.server(s)
	if err := srv.Pause(); err != nil {
		return err
	}
	<-ctx.Done()
	return srv.Resume()
}

// shrink leaves the servers hardly more memory than they need without any key.
func shrink(ctx context.Context, f *field, s step) error {
	var undo []func() error
	err := f.site.masters(ctx, func(ctx context.Context, c *redis.Client) error {
		info, err := c.Info(ctx, "memory").Result()
		if err != nil {
			return err
		}
		used := number(info, "used_memory")
		most := max(number(info, "used_memory_startup"), used-number(info, "used_memory_dataset")) + 64<<10
		addr := c.Options().Addr
		undo = append(undo, func() error {
			c := direct(addr)
			defer c.Close()
			return c.ConfigSet(context.Background(), "maxmemory", "0").Err()
		})
		return errors.Join(c.ConfigSet(ctx, "maxmemory-policy", "allkeys-random").Err(), c.ConfigSet(ctx, "maxmemory", fmt.Sprint(most)).Err())
	})
	<-ctx.Done()
	for _, u := range undo {
		err = errors.Join(err, u())
	}
	return err
}

// restore kills the server and brings it back as it was when the fault began.
func restore(ctx context.Context, f *field, s step) error {
	srv := f.server(s)
	c := direct(srv.Addr())
	defer c.Close()
	if err := c.Save(ctx).Err(); err != nil {
		return err
	}
	<-ctx.Done()
	from := clock()
	srv.Kill()
	err := srv.Restart(context.Background())
	f.breached(from, clock())
	return errors.Join(err, os.Remove(filepath.Join(srv.Dir(), snapshotFile)))
}

func moveSlots(ctx context.Context, f *field, s step) error {
	if err := f.well(); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(s.Seed, 0))
	return every(ctx, 100*ms, func() error {
		key, err := f.anyKey(r)
		if err != nil || key == "" {
			return err
		}
		return f.site.cluster.MoveSlot(context.WithoutCancel(ctx), key)
	})
}

// failover kills a master, waits until another has its place, and brings it back
// as a replica.
func failover(_ context.Context, f *field, s step) error {
	if err := f.well(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*sec)
	defer cancel()
	if f.site.topology == sentinel {
		old, err := f.site.sentinel.Master(ctx)
		if err != nil {
			return err
		}
		return errors.Join(f.site.sentinel.KillMaster(ctx), old.Restart(ctx), f.well())
	}
	old, replica, err := f.pair(ctx, s)
	if err != nil {
		return err
	}
	old.Kill()
	return errors.Join(f.promoted(ctx, replica), old.Restart(ctx), f.well())
}

// takeOver lets a replica ask its master for its place, which loses nothing.
func takeOver(_ context.Context, f *field, s step) error {
	if err := f.well(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*sec)
	defer cancel()
	_, replica, err := f.pair(ctx, s)
	if err != nil {
		return err
	}
	c := direct(replica.Addr())
	defer c.Close()
	if err := c.ClusterFailover(ctx).Err(); err != nil {
		return err
	}
	return errors.Join(f.promoted(ctx, replica), f.well())
}
