package redisstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

var namespaces atomic.Int64

// subject returns a store in a namespace of its own, and a second process's
// handle on it.
func subject(t testing.TB, rdb redis.UniversalClient) (storetest.Subject, *redisstore.Space) {
	name := fmt.Sprint("rules", namespaces.Add(1))
	space, other := open(t, rdb, name), open(t, rdb, name)
	return storetest.Subject{
		Store:          redisstore.New(space, "s", &redisstore.StoreOptions[string, string]{MaxValue: largest}),
		Peer:           redisstore.New(other, "s", &redisstore.StoreOptions[string, string]{MaxValue: largest}),
		Unstorable:     strings.Repeat("v", largest+1),
		InvalidateTags: space.InvalidateTags,
		Lose:           func(ctx context.Context) error { return flush(ctx, rdb) },
		Close:          space.Close,
	}, space
}

// largest is the largest value of a subject, in bytes.
const largest = 2 << 20

func flush(ctx context.Context, rdb redis.UniversalClient) error {
	if c, ok := rdb.(*redis.ClusterClient); ok {
		return c.ForEachMaster(ctx, func(ctx context.Context, m *redis.Client) error { return m.FlushDB(ctx).Err() })
	}
	return rdb.FlushDB(ctx).Err()
}

func servers(t *testing.T) map[string]redis.UniversalClient {
	_, m := mini(t)
	return map[string]redis.UniversalClient{
		"Miniredis": m,
		"Redis":     redistest.Client(t),
		"Cluster":   redistest.ClusterClient(t),
	}
}

func TestItKeepsTheContract(t *testing.T) {
	for name, rdb := range servers(t) {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t testing.TB) storetest.Subject {
				s, _ := subject(t, rdb)
				return s
			})
		})
	}
}

func TestMemoryInFrontOfItKeepsTheContract(t *testing.T) {
	for name, rdb := range servers(t) {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t testing.TB) storetest.Subject {
				s, space := subject(t, rdb)
				s.Store = cache.Tiered(memstore.New[string, string](space.Domain, 1000, nil), s.Store)
				s.Behind = true
				s.Lose = nil // memory keeps what it has, and so it should
				s.Close = nil
				return s
			})
		})
	}
}

// Memory keeps what it has when Redis loses its data, so only the rules of writers that
// have lost their quarantine are for it.
func TestMemoryInFrontOfItKeepsOutReadersAfterAQuarantineWasLost(t *testing.T) {
	for name, rdb := range servers(t) {
		for _, rule := range storetest.Rules() {
			if rule.Name != "loss/next-writer" && rule.Name != "loss/writer-beside" {
				continue
			}
			t.Run(name+"/"+rule.Name, func(t *testing.T) {
				s, space := subject(t, rdb)
				s.Store = cache.Tiered(memstore.New[string, string](space.Domain, 1000, nil), s.Store)
				if err := rule.Check(t.Context(), s); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
