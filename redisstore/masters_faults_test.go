package redisstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

func TestBreaker_AMasterThatIsReplacedIsForgotten(t *testing.T) {
	t.Run("plain", func(t *testing.T) { replacedMaster(t, nil) })
	t.Run("TLS", func(t *testing.T) { replacedMaster(t, redistest.Authority(t)) })
}

func replacedMaster(t *testing.T, a *redisproc.Authority) {
	ctx := t.Context()
	cluster := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: a, Replicas: 1, Args: []string{
		"--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no"}})
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), TLSConfig: a.ClientTLS()})
	defer rdb.Close()
	space, err := Open(ctx, rdb, "replaced", &Options{Timeout: 500 * time.Millisecond, Slow: 500 * time.Millisecond})
	must(t, err)
	defer space.Close(context.Background())
	s := New[int, int](space, "s", nil)
	old := cluster.Servers()[0]
	k := 0
	for ; ; k++ { // until all that it depends on is at the master
		at, err := space.servers.of(ctx, space, s.key(k))
		must(t, err)
		lane, err := space.servers.of(ctx, space, space.laneKey(space.lane(s.key(k))))
		must(t, err)
		if at == lane && at.breaker.addr == old.Addr() {
			break
		}
	}
	old.Kill()
	poll(t, "the breaker is not open", func() bool {
		s.Get(ctx, k)
		return len(space.Stats().OpenBreakers) > 0
	})
	// The replica is promoted, at another address, and the old master stays away.
	poll(t, "the key cannot be stored", func() bool {
		f, err := s.Reserve(ctx, cache.Slot[int]{Key: k})
		if err != nil {
			return false
		}
		out, err := f.Commit(ctx, anEntry(k))
		return err == nil && out[0] == cache.Stored
	})
	poll(t, "the breaker of the old master stays open", func() bool { return space.Stats().Breaker == cache.BreakerIsClosed })
	if e, err := s.Get(ctx, k); err != nil || e == nil {
		t.Errorf("the key is %+v, %v", e, err)
	}
}

func TestRefusals_OneMasterOfACluster(t *testing.T) {
	ctx := t.Context()
	p := openPartly(t, Options{}, nil)
	rdb := redis.NewClient(&redis.Options{Addr: p.faulty.Addr()})
	defer rdb.Close()
	full := true
	must(t, rdb.ConfigSet(ctx, "maxmemory", "1").Err())
	for k := range 120 {
		if e, err := p.store.Get(ctx, k); err != nil || e == nil || e.Value != k {
			t.Errorf("%d: %+v, %v", k, e, err)
		}
	}
	// New keys depend on it as the old ones do, whose number modulo 120 they have.
	fills := func(base int, keys []int) (stored, refused, skipped int) {
		for _, k := range keys {
			key := p.store.key(base + k)
			onIt := p.at(t, key) == p.faulty.Addr()
			f, err := p.store.Reserve(ctx, cache.Slot[int]{Key: base + k})
			switch {
			case err == nil:
				out, err := f.Commit(ctx, anEntry(k))
				if err != nil || out[0] != cache.Stored || onIt && full {
					t.Fatalf("%s is %v, %v", key, out, err)
				}
				stored++
			case errors.Is(err, cache.ErrBreakerOpen):
				skipped++
			case strings.Contains(err.Error(), "OOM"):
				refused++
			default:
				t.Fatalf("Reserve of %s: %v", key, err)
			}
			if err != nil && !onIt && p.at(t, p.space.laneKey(p.space.lane(key))) != p.faulty.Addr() {
				t.Fatalf("Reserve of %s, which has nothing to do with the master: %v", key, err)
			}
		}
		return stored, refused, skipped
	}
	stored, refused, skipped := fills(1000, append(p.alive, p.dead...))
	if stored < 20 || refused < refusedRow || skipped < 20 {
		t.Errorf("%d stored, %d refused, %d not tried", stored, refused, skipped)
	}
	if state := p.space.Stats().Breaker; state != cache.BreakerIsClosed {
		t.Errorf("the breaker is %v", state)
	}
	full = false
	must(t, rdb.ConfigSet(ctx, "maxmemory", "0").Err())
	poll(t, "fills are still kept from it", func() bool {
		_, refused, skipped := fills(2000, p.dead)
		return refused+skipped == 0
	})
}

func TestBreaker_ASlotThatNobodyHas(t *testing.T) {
	ctx := t.Context()
	p := openPartly(t, Options{}, nil)
	var lost int // only its value is there
	for _, k := range p.dead {
		if p.at(t, p.store.key(k)) == p.faulty.Addr() {
			lost = k
			break
		}
	}
	rdb := redis.NewClient(&redis.Options{Addr: p.faulty.Addr()})
	defer rdb.Close()
	slot, err := rdb.ClusterKeySlot(ctx, p.store.key(lost)).Result()
	must(t, err)
	must(t, rdb.ClusterDelSlots(ctx, int(slot)).Err())
	poll(t, "the slot is still there", func() bool { // a node looks at this ten times a second
		e, err := p.store.Get(ctx, lost)
		return err != nil && e == nil
	})
	for range 20 {
		if e, err := p.store.Get(ctx, lost); err == nil || errors.Is(err, cache.ErrBreakerOpen) {
			t.Fatalf("the key without a slot: %+v, %v", e, err)
		}
	}
	for k := range 120 {
		if slotOf, err := rdb.ClusterKeySlot(ctx, p.store.key(k)).Result(); err != nil || slotOf == slot {
			continue
		}
		if e, err := p.store.Get(ctx, k); err != nil || e == nil {
			t.Errorf("%d: %+v, %v", k, e, err)
		}
	}
	if state := p.space.Stats().Breaker; state != cache.BreakerIsClosed {
		t.Errorf("the breaker is %v", state)
	}
}
