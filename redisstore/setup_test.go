package redisstore_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

type user struct {
	Name string
	Org  string
}

// mini returns a client of an in-process server.
func mini(t testing.TB) (*miniredis.Miniredis, *redis.Client) {
	m := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { rdb.Close() })
	return m, rdb
}

func open(t testing.TB, rdb redis.UniversalClient, name string) *redisstore.Space {
	space, err := redisstore.Open(t.Context(), rdb, name, &redisstore.Options{
		Timeout: 10 * time.Second, LockWait: 20 * time.Millisecond, // the rules of storetest hold several fills of a key
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return space
}

// entry returns an entry that lives for an hour.
func entry[V any](v V, tags ...string) *cache.Entry[V] {
	now := cache.Now()
	return &cache.Entry[V]{Value: v, Tags: tags, Fresh: now.Add(time.Minute), Expires: now.Add(time.Hour)}
}

// fill loads an entry into s.
func fill[K comparable, V any](t testing.TB, s cache.Cache[K, V], k K, e *cache.Entry[V]) {
	t.Helper()
	f, err := s.Reserve(t.Context(), cache.Slot[K]{Key: k, LateTags: true})
	if err != nil {
		t.Fatalf("Reserve: %v", err)
	}
	out, err := f.Commit(t.Context(), e)
	if err != nil || out[0] != cache.Stored {
		t.Fatalf("Commit is %v, %v", out, err)
	}
}

// want fails the test unless s has v under k.
func want[K, V comparable](t testing.TB, s cache.Cache[K, V], k K, v V) {
	t.Helper()
	e, err := s.Get(t.Context(), k)
	switch {
	case err != nil:
		t.Fatalf("Get(%v): %v", k, err)
	case e == nil:
		t.Fatalf("Get(%v) is a miss, not %v", k, v)
	case e.Value != v:
		t.Fatalf("Get(%v) is %v, not %v", k, e.Value, v)
	}
}

// wantMiss fails the test unless Get of k is a miss.
func wantMiss[K comparable, V any](t testing.TB, s cache.Cache[K, V], k K) {
	t.Helper()
	if e, err := s.Get(t.Context(), k); e != nil || err != nil {
		t.Fatalf("Get(%v) is %+v, %v, not a miss", k, e, err)
	}
}

// trips counts the round trips of a client: commands and pipelines.
type trips struct{ n, commands atomic.Int64 }

func (h *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.n.Add(1)
		h.commands.Add(1)
		return next(ctx, cmd)
	}
}

func (h *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.n.Add(1)
		h.commands.Add(int64(len(cmds)))
		return next(ctx, cmds)
	}
}

// took returns how many trips f makes.
func (h *trips) took(f func()) int64 {
	before := h.n.Load()
	f()
	return h.n.Load() - before
}
