package redisstore

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// promoted is a process whose probes are counted.
type promoted struct {
	space  *Space
	store  *Store[int, int]
	probes atomic.Int64
}

func openPromoted(t *testing.T, s *redisproc.Sentinel) *promoted {
	t.Helper()
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: s.MasterName(), SentinelAddrs: s.Addrs()})
	t.Cleanup(func() { rdb.Close() })
	// The times are long, so that a machine with much to do is not taken for a slow server.
	space, err := Open(t.Context(), rdb, "promoted", &Options{Timeout: time.Second, Slow: time.Second, Lease: 4 * time.Second})
	must(t, err)
	t.Cleanup(func() { space.Close(context.Background()) })
	p := &promoted{space: space, store: New[int, int](space, "s", nil)}
	b := &space.servers.single.breaker
	ask := b.ask
	b.ask = func(ctx context.Context) error {
		p.probes.Add(1)
		return ask(ctx)
	}
	return p
}

// When the new master answers anybody, it is asked after a few probes, and what one process
// stores there is a hit of the other at once.
func TestBreaker_AfterAPromotionBehindSentinelBothProcessesUseTheNewMaster(t *testing.T) {
	s := redistest.Sentinel(t)
	a, b := openPromoted(t, s), openPromoted(t, s)
	both := []*promoted{a, b}
	put := func(p *promoted, k int) bool {
		now := cache.Now()
		ok, err := cache.Put(t.Context(), p.store, k, &cache.Entry[int]{Value: k, Fresh: now.Add(time.Hour), Expires: now.Add(time.Hour)})
		return ok && err == nil
	}
	if !put(a, 1) {
		t.Fatal("nothing is stored")
	}
	if e, err := b.store.Get(t.Context(), 1); e == nil || err != nil {
		t.Fatalf("the other process has %v, %v", e, err)
	}
	killed := make(chan error, 1)
	go func() { killed <- s.KillMaster(t.Context()) }()
	for _, p := range both {
		until(t, "a breaker that opens", func() bool {
			p.store.Get(t.Context(), 1)
			return p.space.servers.single.breaker.open.Load()
		})
	}
	must(t, <-killed) // the new master has answered
	for _, p := range both {
		before := p.probes.Load()
		until(t, "a breaker that closes", func() bool { return !p.space.servers.single.breaker.open.Load() })
		if n := p.probes.Load() - before; n > 4*probesMost {
			t.Errorf("it has closed after %d probes", n)
		}
	}
	// Connections to the new master may still be made.
	for _, p := range both {
		until(t, "a value that is stored", func() bool { return put(p, 2) })
	}
	for k := 100; k < 164; k++ {
		from, to := both[k%2], both[1-k%2]
		if !put(from, k) {
			t.Errorf("%d is not stored", k)
		}
		if e, err := to.store.Get(t.Context(), k); e == nil || err != nil {
			t.Errorf("what one process has stored under %d is %v, %v for the other", k, e, err)
		}
	}
	for _, p := range both {
		if p.space.servers.single.breaker.open.Load() {
			t.Error("a breaker is open again")
		}
	}
}

// The p99 of a healthy master may be more than Options.Slow.
func TestBreaker_AMasterThatIsSlowOnceInAHundredTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trips atomic.Int64
		var down atomic.Bool
		down.Store(true)
		trip := func() (time.Duration, error) {
			if down.Load() {
				return 0, io.EOF
			}
			if trips.Add(1)%100 == 1 { // the first probe, too
				return 30 * time.Millisecond, nil
			}
			return time.Millisecond, nil
		}
		b, told := testBreaker(t, func() error {
			took, err := trip()
			time.Sleep(took)
			return err
		})
		for range failRow {
			b.took(t.Context(), 0, 1, 0, io.EOF)
		}
		time.Sleep(time.Minute)
		if !b.open.Load() {
			t.Fatal("it is not open")
		}
		down.Store(false)
		time.Sleep(2 * probeMost)
		synctest.Wait()
		if n := trips.Load(); b.open.Load() || n > probesMost {
			t.Errorf("after %d probes it is open: %v", n, b.open.Load())
		}
		for range 10_000 {
			took, err := trip()
			b.took(t.Context(), took, 1, 0, err)
		}
		if b.open.Load() || len(told()) != 2 {
			t.Errorf("it is open: %v, and told %v", b.open.Load(), told())
		}
	})
}
