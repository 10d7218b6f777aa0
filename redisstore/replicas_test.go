package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// replicated returns two processes on a master that has a replica, and the replica.
func replicated(t *testing.T) (a, b process, replica *redisproc.Server) {
	master := redistest.Private(t, "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
	host, port, _ := strings.Cut(master.Addr(), ":")
	replica = redistest.Private(t, "--replicaof", host+" "+port)
	rdb := redis.NewClient(&redis.Options{Addr: master.Addr()})
	t.Cleanup(func() { rdb.Close() })
	rdb.Set(t.Context(), "written", "", 0) // a replica that has nothing to confirm does not
	level(t, rdb)
	// Nobody beats in between, since a beat is a write too.
	o := redisstore.Options{Timeout: 10 * time.Second, Lease: time.Hour, Replicas: redisstore.Replicas{N: 1, Timeout: 100 * time.Millisecond}}
	return withOptions(t, rdb, "replicas", o), withOptions(t, rdb, "replicas", o), replica
}

// level waits until the replica has confirmed all that was written.
func level(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := redisproc.Until(ctx, func() error {
		info, err := rdb.Info(ctx, "replication").Result()
		if err != nil {
			return err
		}
		_, offset, _ := strings.Cut(info, "master_repl_offset:")
		offset, _, _ = strings.Cut(offset, "\r")
		if offset == "0" || !strings.Contains(info, ",offset="+offset+",") {
			return errors.New("the replica lags behind")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func halt(t *testing.T, s *redisproc.Server) {
	t.Helper()
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Resume() })
}

// An invalidation that the replica lacks has failed, and the old value is back if
// the replica is promoted. Until then an ordinary read may have the new one, and a
// linearizable read may not.
func TestALinearizableReadSeesNothingThatAPromotionWouldUndo(t *testing.T) {
	writer, p, replica := replicated(t)
	value := "old"
	load := func(context.Context, int) (string, error) { return value, nil }
	options := &aside.Options[int, string]{Linearizable: true, Tags: func(int, string) []string { return []string{"tag"} }}
	policy := invalidation.TTL(time.Minute)
	strict := aside.New(p.l2, load, policy, options)
	loose := aside.New(p.l2, load, policy, nil)
	for k := range 3 {
		if v, err := strict.Get(t.Context(), k); v != "old" || err != nil {
			t.Fatalf("%q, %v", v, err)
		}
	}
	halt(t, replica)
	if v, err := strict.Get(t.Context(), 0); v != "old" || err != nil {
		t.Errorf("a hit is %q, %v", v, err)
	}
	value = "new"
	if err := writer.space.InvalidateTags(t.Context(), "tag"); !errors.Is(err, cache.ErrUnavailable) {
		t.Fatalf("InvalidateTags: %v", err)
	}
	if v, err := strict.Get(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("a linearizable read is %q, %v", v, err)
	}
	if v, err := loose.Get(t.Context(), 2); v != "new" || err != nil {
		t.Errorf("an ordinary read is %q, %v", v, err)
	}
	if err := replica.Resume(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := redisproc.Until(ctx, func() error {
		v, err := strict.Get(t.Context(), 1)
		if err == nil && v != "new" {
			t.Fatalf("a linearizable read is %q", v)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A server that has lost the scripts is sent them again, and what is waited for
// then is what they write.
func TestReplicasAreWaitedForAfterTheScriptsWereLost(t *testing.T) {
	p, _, replica := replicated(t)
	if err := p.l2.Invalidate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := p.space.Client().ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	level(t, p.space.Client())
	halt(t, replica)
	if err := p.l2.Invalidate(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
