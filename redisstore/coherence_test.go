//go:build unix

package redisstore

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

func init() { runChild = childMain }

// coherence is a run of several processes with memory, in which one writes and
// something goes wrong.
type coherence struct {
	kind     string
	addrs    []string
	master   string
	victim   []string // the addresses of the first child, if it has others
	lease    time.Duration
	behind   time.Duration
	coherent bool
	replicas Replicas
	writes   int
	// fault disturbs until ctx ends, and then sets all right again.
	fault func(ctx context.Context)
}

// figures are what a run has measured.
type figures struct {
	writes, failed int           // invalidations that returned nil, and that did not
	lag            time.Duration // the longest from a return to a service of the old value
	late           time.Duration // the same to the start of the read
	reads, hits    int64
	resumed        time.Duration // from the end of the faults to hits in all processes
}

func (c coherence) run(t *testing.T) (f figures) {
	file, b := newBoard(t)
	for i := range boardChildren {
		ch := child{Index: i, File: file, Kind: c.kind, Addrs: c.addrs, Master: c.master, Lease: c.lease, Behind: c.behind, Do: "read", Roots: authority(t, c.lease).Roots()}
		if i == 0 && c.victim != nil {
			ch.Addrs = c.victim
		}
		cmd := ch.start(t)
		defer cmd.Wait()
	}
	defer b.stop.Store(1)
	rdb := client(c.kind, c.master, c.addrs, authority(t, c.lease).Roots())
	defer rdb.Close()
	space, err := Open(t.Context(), rdb, "board", &Options{Lease: c.lease, WaitCoherent: c.coherent, Replicas: c.replicas})
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close(context.Background())
	users := b.loader(space, nil)
	b.await(t, "no hits before the faults", 0)

	b.phase.Store(1)
	faulty, heal := context.WithCancel(t.Context())
	healed := make(chan struct{})
	go func() {
		defer close(healed)
		if c.fault != nil {
			c.fault(faulty)
		}
	}()
	pace := time.NewTicker(max(8*c.lease/time.Duration(c.writes), time.Millisecond))
	defer pace.Stop()
	began := time.Now()
	for i := range c.writes {
		if !c.coherent {
			<-pace.C
		}
		k := i % boardRows
		v := b.version[k].Add(1)
		for {
			if i%2 == 0 {
				err = users.Invalidate(t.Context(), k)
			} else {
				err = space.InvalidateTags(t.Context(), rowTag(k))
			}
			if err == nil {
				break
			}
			if f.failed++; time.Since(began) > 2*time.Minute {
				t.Fatalf("invalidations fail: %v", err)
			}
			<-pace.C
		}
		b.returned[k][v].Store(time.Now().UnixNano())
		f.writes++
	}
	heal()
	<-healed
	b.phase.Store(2)
	end := time.Now()
	b.await(t, "no hits after the faults", 2)
	f.resumed = time.Since(end)
	for i := range b.children {
		ch := &b.children[i]
		f.lag, f.late = max(f.lag, time.Duration(ch.lag.Load())), max(f.late, time.Duration(ch.late.Load()))
		f.reads += ch.reads.Load()
		for p := range ch.hits {
			f.hits += ch.hits[p].Load()
		}
		if ch.failed.Load() > 0 {
			t.Errorf("%d reads of process %d failed", ch.failed.Load(), i)
		}
	}
	t.Logf("lease %v: %d invalidations, %d attempts failed; %d reads, %d hits of memory; longest service of an old value %v after the invalidation returned; hits resume after %v",
		c.lease, f.writes, f.failed, f.reads, f.hits, f.lag, f.resumed)
	return f
}

// await waits until all children have hits in a phase.
func (b *board) await(t *testing.T, otherwise string, phase int) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		all := true
		for i := range b.children {
			all = all && b.children[i].hits[phase].Load() > 100
		}
		if all {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			b.stop.Store(1)
			t.Fatal(otherwise)
		}
	}
}

// every does f in turns with pauses until ctx ends.
func every(ctx context.Context, d time.Duration, f func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f()
		}
	}
}

const tolerance = 50 * time.Millisecond // for being scheduled

func (c coherence) holds(t *testing.T) {
	t.Helper()
	if f := c.run(t); f.lag > c.lease+tolerance {
		t.Errorf("an old value was served %v after its invalidation had returned", f.lag)
	} else if f.writes < 1000 || f.hits == 0 {
		t.Errorf("%d invalidations, %d hits: the test proves nothing", f.writes, f.hits)
	}
}

// leases are those of the runs. With the second all servers speak TLS.
var leases = []time.Duration{200 * time.Millisecond, time.Second}

// authority returns that of the servers of a run; nil if they do not speak TLS.
func authority(t *testing.T, lease time.Duration) *redisproc.Authority {
	if lease != leases[1] {
		return nil
	}
	return redistest.Authority(t)
}

// private returns a server of a run.
func private(t *testing.T, lease time.Duration) *redisproc.Server {
	if authority(t, lease) != nil {
		return redistest.PrivateTLS(t)
	}
	return redistest.Private(t)
}

func single(s *redisproc.Server, lease time.Duration) coherence {
	return coherence{kind: "single", addrs: []string{s.Addr()}, lease: lease, writes: 1000}
}

func testLeases(t *testing.T, f func(t *testing.T, lease time.Duration)) {
	if !underRace {
		t.Parallel() // these tests wait for leases most of the time
	}
	for _, l := range leases {
		t.Run(fmt.Sprint(l), func(t *testing.T) {
			if !underRace {
				t.Parallel()
			}
			f(t, l)
		})
	}
}

// blackholed returns a run in which a process does not hear of others.
func blackholed(t *testing.T, lease time.Duration) coherence {
	s := private(t, lease)
	p, err := netfault.Start(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	c := single(s, lease)
	c.victim = []string{p.Addr()}
	c.fault = func(ctx context.Context) {
		for dark := false; ; {
			timer := time.NewTimer(3 * lease / 2)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				p.Heal()
				return
			}
			if dark = !dark; dark {
				p.Blackhole()
			} else {
				p.Heal()
			}
		}
	}
	return c
}

func TestAProcessThatIsCutOffServesNothingOlderThanItsLease(t *testing.T) {
	testLeases(t, func(t *testing.T, lease time.Duration) { blackholed(t, lease).holds(t) })
	t.Run("FindsAProcessThatServesLonger", func(t *testing.T) {
		c := blackholed(t, leases[0])
		c.behind = time.Hour
		if f := c.run(t); f.lag <= c.lease+tolerance {
			t.Errorf("it served an old value %v at most: the test would not notice", f.lag)
		}
	})
}

// disturbed runs with a server that fault disturbs.
func disturbed(t *testing.T, fault func(ctx context.Context, lease time.Duration, s *redisproc.Server, rdb *redis.Client)) {
	testLeases(t, func(t *testing.T, lease time.Duration) {
		s := private(t, lease)
		c := single(s, lease)
		c.fault = func(ctx context.Context) {
			rdb := redis.NewClient(&redis.Options{Addr: s.Addr(), TLSConfig: s.ClientTLS()})
			defer rdb.Close()
			if err := rdb.Ping(ctx).Err(); err != nil {
				t.Errorf("nothing can be disturbed: %v", err)
			}
			fault(ctx, lease, s, rdb)
		}
		c.holds(t)
	})
}

func TestKilledSubscriptionsEndNoLeaseLate(t *testing.T) {
	disturbed(t, func(ctx context.Context, lease time.Duration, _ *redisproc.Server, rdb *redis.Client) {
		every(ctx, lease/7, func() { rdb.ClientKillByFilter(ctx, "TYPE", "pubsub") })
	})
}

func TestAPausedServerEndsNoLeaseLate(t *testing.T) {
	disturbed(t, func(ctx context.Context, lease time.Duration, _ *redisproc.Server, rdb *redis.Client) {
		every(ctx, 3*lease, func() { rdb.Do(ctx, "client", "pause", (2 * lease).Milliseconds(), "ALL") })
	})
}

func TestAStoppedServerEndsNoLeaseLate(t *testing.T) {
	disturbed(t, func(ctx context.Context, lease time.Duration, s *redisproc.Server, _ *redis.Client) {
		stopped := false
		every(ctx, 2*lease, func() {
			if stopped = !stopped; stopped {
				s.Pause()
			} else {
				s.Resume()
			}
		})
		s.Resume()
	})
}

func TestLostControlKeysEndNoLeaseLate(t *testing.T) {
	disturbed(t, func(ctx context.Context, lease time.Duration, _ *redisproc.Server, rdb *redis.Client) {
		every(ctx, lease/10, func() { rdb.Del(ctx, "board:b:{board:0}", "board:s:{board:0}") })
	})
}

func TestASlotThatMovesEndsNoLeaseLate(t *testing.T) {
	testLeases(t, func(t *testing.T, lease time.Duration) {
		cluster := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: authority(t, lease)}) // of one lease alone: all runs have the space "board"
		c := coherence{kind: "cluster", addrs: cluster.Addrs(), lease: lease, writes: 1000}
		c.fault = func(ctx context.Context) {
			lane := 0
			every(ctx, lease, func() {
				if err := cluster.MoveSlot(context.WithoutCancel(ctx), fmt.Sprintf("{board:%d}", lane%clusterLanes)); err != nil {
					t.Errorf("the slot of lane %d: %v", lane, err)
				}
				lane++
			})
		}
		c.holds(t)
	})
}

func TestAFailoverEndsNoLeaseLate(t *testing.T) {
	testLeases(t, func(t *testing.T, lease time.Duration) {
		sentinel := redistest.Sentinel
		if authority(t, lease) != nil {
			sentinel = redistest.SentinelTLS
		}
		s := sentinel(t)
		c := coherence{kind: "sentinel", addrs: s.Addrs(), master: s.MasterName(), lease: lease, writes: 1000, replicas: Replicas{N: 1}}
		c.fault = func(ctx context.Context) {
			if err := s.KillMaster(context.WithoutCancel(ctx)); err != nil {
				t.Error(err)
			}
		}
		c.holds(t)
	})
}

func TestAMasterOfAClusterThatDiesEndsNoLeaseLate(t *testing.T) {
	testLeases(t, func(t *testing.T, lease time.Duration) {
		cluster := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: authority(t, lease), Replicas: 1, Args: []string{"--cluster-node-timeout", "1000"}})
		c := coherence{kind: "cluster", addrs: cluster.Addrs(), lease: lease, writes: 1000}
		c.fault = func(ctx context.Context) { cluster.Servers()[0].Kill() }
		c.holds(t)
	})
}

func TestWaitCoherentLeavesNothingToServe(t *testing.T) {
	testLeases(t, func(t *testing.T, lease time.Duration) {
		c := blackholed(t, lease)
		c.coherent = true
		if f := c.run(t); f.late > 0 {
			t.Errorf("a read that began %v after the invalidation had returned gave an old value", f.late)
		} else if f.writes < 1000 || f.hits == 0 {
			t.Errorf("%d invalidations, %d hits: the test proves nothing", f.writes, f.hits)
		}
	})
}
