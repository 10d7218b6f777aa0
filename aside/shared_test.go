package aside_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// openSpace returns a space on server, as a process of its own has it.
func openSpace(t *testing.T, server *miniredis.Miniredis) *redisstore.Space {
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	space, err := redisstore.Open(t.Context(), rdb, "test", &redisstore.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(space.Close(context.Background()), rdb.Close()); err != nil {
			t.Error(err)
		}
	})
	return space
}

func TestNoReadIsOlderThanTheLastInvalidationInMemoryBeforeRedis(t *testing.T) {
	space := openSpace(t, miniredis.RunT(t))
	both := cache.Tiered(memstore.New[int, int](space.Domain, 1000, nil), redisstore.New[int, int](space, "rows", nil))
	subject{both, both, space.InvalidateTags, nil}.history(t.Context(), seed(t), 60, t.Errorf)
}

func TestNoReadIsOlderThanTheLastInvalidationAmongProcesses(t *testing.T) {
	server := miniredis.RunT(t)
	here, there := openSpace(t, server), openSpace(t, server)
	subject{
		redisstore.New[int, int](here, "rows", nil), redisstore.New[int, int](there, "rows", nil), here.InvalidateTags, nil,
	}.history(t.Context(), seed(t), 60, t.Errorf)
}

// credulous is a store that takes whatever it is given, whatever was invalidated
// since it was read: a fill of it is reserved when it is committed.
type credulous struct{ cache.Cache[int, int] }

func (s credulous) Reserve(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[int], error) {
	f, err := s.Cache.Reserve(ctx, slots...)
	return credulousFill{f, s.Cache, slots}, err
}

type credulousFill struct {
	cache.Fill[int]
	store cache.Cache[int, int]
	slots []cache.Slot[int]
}

func (f credulousFill) Commit(ctx context.Context, entries ...*cache.Entry[int]) ([]cache.Outcome, error) {
	if err := f.Fill.Cancel(ctx); err != nil {
		return nil, err
	}
	again, err := f.store.Reserve(ctx, f.slots...)
	if err != nil {
		return nil, err
	}
	return again.Commit(ctx, entries...)
}

// deaf is a store that does not hear that keys are invalidated.
type deaf struct{ cache.Cache[int, int] }

func (deaf) Invalidate(context.Context, ...int) error { return nil }

// A test that cannot fail proves nothing: stores that break the contract must be
// found out.
func TestAHistoryFindsOutAStoreThatBreaksTheContract(t *testing.T) {
	for name, broken := range map[string]func(*memstore.Store[int, int]) subject{
		"accepts what was invalidated meanwhile": func(m *memstore.Store[int, int]) subject {
			return subject{credulous{m}, credulous{m}, m.Domain().InvalidateTags, nil}
		},
		"does not invalidate keys": func(m *memstore.Store[int, int]) subject {
			return subject{deaf{m}, deaf{m}, m.Domain().InvalidateTags, nil}
		},
		"does not invalidate tags": func(m *memstore.Store[int, int]) subject {
			return subject{m, m, func(context.Context, ...string) error { return nil }, nil}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := seed(t)
			for try := range uint64(20) {
				var mu sync.Mutex
				found := 0
				broken(memstore.New[int, int](nil, 1000, nil)).history(t.Context(), s+try, 500, func(string, ...any) {
					mu.Lock()
					found++
					mu.Unlock()
				})
				if found > 0 {
					return
				}
			}
			t.Error("it is not found out")
		})
	}
}
