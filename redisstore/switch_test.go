package redisstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// moving is an address that leads to a primary and can be moved to its replica.
type moving struct {
	t            *testing.T
	old, next    *redis.Client // that do not go through the address
	nextAddr     string
	proxy        *netfault.Proxy
	rdb          redis.UniversalClient // through the address
	writer, read process
	coherent     bool
	// rows are what the origin has: one for each key.
	row    atomic.Pointer[string]
	loader *aside.Loader[int, string]
	loads  atomic.Int64
}

const movingKeys = 8

func newMoving(t *testing.T, o redisstore.Options) *moving {
	t.Helper()
	a := redistest.Private(t, "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
	host, port, _ := net.SplitHostPort(a.Addr())
	b := redistest.Private(t, "--replicaof", host+" "+port)
	m := &moving{t: t, coherent: o.WaitCoherent, old: direct(t, a), next: direct(t, b), nextAddr: b.Addr()}
	var err error
	if m.proxy, err = netfault.Start(a.Addr()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.proxy.Close)
	rdb := redis.NewClient(&redis.Options{Addr: m.proxy.Addr()})
	t.Cleanup(func() { rdb.Close() })
	m.rdb = rdb
	old := "old"
	m.row.Store(&old)
	m.writer, m.read = withOptions(t, rdb, "shop", o), withOptions(t, rdb, "shop", o)
	load := func(context.Context, int) (string, error) { m.loads.Add(1); return *m.row.Load(), nil }
	m.loader = aside.New(m.read.both, load, invalidation.TTL(time.Minute), &aside.Options[int, string]{
		Tags: func(int, string) []string { return []string{"tag"} },
	})
	for k := range movingKeys {
		untilNil(t, func() error {
			stored, err := cache.Put(t.Context(), m.read.l2, k, entry(old, "tag"))
			if err == nil && !stored {
				err = errors.New("not stored")
			}
			return err
		})
		if _, err := m.loader.Get(t.Context(), k); err != nil { // into memory
			t.Fatal(err)
		}
	}
	m.together(func(k int) {
		untilNil(t, func() error {
			_, err := m.read.l2.Get(t.Context(), k%movingKeys)
			return err
		})
	})
	m.old.Set(t.Context(), "written", "", 0) // a replica that has nothing to confirm does not
	level(t, m.old)
	return m
}

func direct(t *testing.T, s *redisproc.Server) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: s.Addr()})
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

// together calls f many times at once, so that several connections are in use.
func (m *moving) together(f func(int)) {
	var wg sync.WaitGroup
	for k := range 64 {
		wg.Go(func() { f(k) })
	}
	wg.Wait()
}

// write changes the origin and invalidates everything, until it is told that it is done.
func (m *moving) write(row string) {
	m.t.Helper()
	m.row.Store(&row)
	untilNil(m.t, func() error { return m.writer.space.InvalidateTags(m.t.Context(), "tag") })
}

func untilNil(t *testing.T, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := redisproc.Until(ctx, f); err != nil {
		t.Fatal(err)
	}
}

// never fails the test if the reader has an old value within a while, be it in memory or
// in Redis, and until the new ones are hits again.
func (m *moving) never(old string) {
	m.t.Helper()
	ctx := m.t.Context()
	began := time.Now()
	until := began.Add(1500 * time.Millisecond) // longer than a lease
	var stale, reads atomic.Int64
	for hits := 0; time.Now().Before(until) || hits < movingKeys; {
		m.together(func(k int) {
			k %= movingKeys
			reads.Add(2)
			if e, _ := m.read.l2.Get(ctx, k); e != nil && e.Value == old {
				stale.Add(1)
			}
			inLease := !m.coherent && time.Since(began) < 1100*time.Millisecond // memory may have it
			if v, err := m.loader.Get(ctx, k); err != nil || v == old && !inLease {
				stale.Add(1)
			}
		})
		hits = 0
		for k := range movingKeys {
			if e, _ := m.read.l2.Get(ctx, k); e != nil {
				hits++
			}
		}
		if time.Now().After(until.Add(time.Minute)) {
			m.t.Fatalf("the new primary is not used: %d of %d keys are hits; %+v", hits, movingKeys, m.read.space.Problems())
		}
	}
	if stale.Load() > 0 {
		m.t.Errorf("%d of %d reads were old", stale.Load(), reads.Load())
	}
}

// Connections that were open when an address moved lead to the old primary, which answers
// as the replica that it has become.
func TestSwitch_APrimaryThatWasDemotedBehindItsAddressIsNotRead(t *testing.T) {
	for name, demote := range map[string]func(*moving) error{
		"its link is down": func(m *moving) error { return m.old.SlaveOf(m.t.Context(), "127.0.0.1", "1").Err() },
		"its link is up, and it has to copy everything": func(m *moving) error {
			host, port, _ := net.SplitHostPort(m.nextAddr)
			return errors.Join(
				m.next.ConfigSet(m.t.Context(), "repl-diskless-sync-delay", "5").Err(),
				m.old.ConfigSet(m.t.Context(), "repl-backlog-size", "16384").Err(),
				m.old.SlaveOf(m.t.Context(), host, port).Err())
		},
	} {
		for how, coherent := range map[string]bool{"": false, ", and writers wait": true} {
			t.Run(name+how, func(t *testing.T) {
				m := newMoving(t, redisstore.Options{WaitCoherent: coherent})
				if err := errors.Join(m.next.SlaveOf(t.Context(), "no", "one").Err(), demote(m)); err != nil {
					t.Fatal(err)
				}
				m.proxy.Lead(m.nextAddr)
				m.write("new")
				m.never("old")
			})
		}
	}
}

// Without a bus there is nothing but the reads themselves to notice it by.
func TestSwitch_WithoutABusADemotedPrimaryIsNotReadEither(t *testing.T) {
	m := newMoving(t, redisstore.Options{NoBus: true})
	if err := errors.Join(m.next.SlaveOf(t.Context(), "no", "one").Err(), m.old.SlaveOf(t.Context(), "127.0.0.1", "1").Err()); err != nil {
		t.Fatal(err)
	}
	m.proxy.Lead(m.nextAddr)
	m.write("new")
	for range 100 {
		m.together(func(k int) {
			if e, _ := m.read.l2.Get(t.Context(), k%movingKeys); e != nil && e.Value == "old" {
				t.Error("Redis has the old value")
			}
		})
	}
}

// As soon as one connection leads to another server, none leads to the one before, even
// if that is still a primary.
func TestSwitch_TheFirstConnectionToAnotherServerEndsThoseToTheOneBefore(t *testing.T) {
	m := newMoving(t, redisstore.Options{})
	if err := m.next.SlaveOf(t.Context(), "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
	m.proxy.Lead(m.nextAddr)
	// Subscriptions connect again, and so meet the new one.
	if err := m.old.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	untilNil(t, func() error {
		if n, err := m.next.PubSubNumSub(t.Context(), "shop:c:{shop:0}").Result(); err != nil || n["shop:c:{shop:0}"] < 2 {
			return errors.Join(errors.New("not all have met the new one"), err)
		}
		return nil
	})
	m.write("new")
	m.never("old")
}

func TestOpen_AReplicaIsRefused(t *testing.T) {
	primary := redistest.Private(t)
	host, port, _ := net.SplitHostPort(primary.Addr())
	replica := direct(t, redistest.Private(t, "--replicaof", host+" "+port))
	untilNil(t, func() error {
		if role, err := replica.Do(t.Context(), "role").Slice(); err != nil || role[0] != "slave" {
			return errors.Join(errors.New("no replica yet"), err)
		}
		return nil
	})
	check := func(t *testing.T, rdb redis.UniversalClient) {
		space, err := redisstore.Open(t.Context(), rdb, "shop", nil)
		if err == nil {
			space.Close(t.Context())
			t.Fatal("a replica is accepted")
		}
		if !errors.Is(err, cache.ErrUnavailable) || !strings.Contains(err.Error(), "replica") || !strings.Contains(err.Error(), "address of the primary") {
			t.Errorf("%v", err)
		}
	}
	t.Run("which is the address", func(t *testing.T) { check(t, replica) })
	t.Run("by a user who may not ask", func(t *testing.T) {
		if err := replica.Do(t.Context(), "acl", "setuser", "shy", "on", "nopass", "~*", "&*", "+@all", "-@dangerous").Err(); err != nil {
			t.Fatal(err)
		}
		rdb := redis.NewClient(&redis.Options{Addr: replica.Options().Addr, Username: "shy", Password: "x"})
		defer rdb.Close()
		check(t, rdb)
	})
	t.Run("of a sentinel", func(t *testing.T) {
		s := redistest.Sentinel(t)
		rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: s.MasterName(), SentinelAddrs: s.Addrs(), ReplicaOnly: true})
		defer rdb.Close()
		check(t, rdb)
	})
}
