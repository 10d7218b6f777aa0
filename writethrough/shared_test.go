package writethrough_test

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

// rowCodec writes rows, whose fields JSON does not see.
type rowCodec struct{}

func (rowCodec) ID() byte       { return 64 }
func (rowCodec) Schema() uint32 { return 0 }

func (rowCodec) Append(dst []byte, r row) ([]byte, error) {
	return append(dst, byte(r.id), byte(r.version>>16), byte(r.version>>8), byte(r.version)), nil
}

func (rowCodec) Decode(data []byte) (row, error) {
	if len(data) != 4 {
		return row{}, errors.New("it is no row")
	}
	return row{int(data[0]), int(data[1])<<16 | int(data[2])<<8 | int(data[3])}, nil
}

// openSpace returns a space on a server of its own.
func openSpace(t *testing.T) *redisstore.Space {
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
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

func rowsIn(space *redisstore.Space) cache.Cache[int, row] {
	return redisstore.New(space, "rows", &redisstore.StoreOptions[int, row]{Codec: rowCodec{}})
}

func TestNoReadIsOlderThanTheLastWriteInRedis(t *testing.T) {
	history(t.Context(), rowsIn(openSpace(t)), seed(t), 60, t.Errorf)
}

func TestNoReadIsOlderThanTheLastWriteInMemoryBeforeRedis(t *testing.T) {
	space := openSpace(t)
	both := cache.Tiered(memstore.New[int, row](space.Domain, 100, nil), rowsIn(space))
	history(t.Context(), both, seed(t), 60, t.Errorf)
}

// credulous is a store without quarantines: it removes the old value before the
// write, and takes the new one after it, whatever happened in between.
type credulous struct{ cache.Cache[int, row] }

func (s credulous) Quarantine(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[row], error) {
	if err := s.Invalidate(ctx, slots[0].Key); err != nil {
		return nil, err
	}
	f, err := s.Cache.Reserve(ctx, slots...)
	return credulousFill{f, s.Cache, slots}, err
}

type credulousFill struct {
	cache.Fill[row]
	store cache.Cache[int, row]
	slots []cache.Slot[int]
}

func (f credulousFill) Commit(ctx context.Context, entries ...*cache.Entry[row]) ([]cache.Outcome, error) {
	if err := f.Cancel(ctx); err != nil {
		return nil, err
	}
	again, err := f.store.Reserve(ctx, f.slots...)
	if err != nil {
		return nil, err
	}
	return again.Commit(ctx, entries...)
}

// A test that cannot fail proves nothing: a store that breaks the contract must
// be found out.
func TestAHistoryFindsOutAStoreWithoutQuarantines(t *testing.T) {
	s := seed(t)
	for try := range uint64(20) {
		var mu sync.Mutex
		found := 0
		history(t.Context(), credulous{memstore.New[int, row](nil, 100, nil)}, s+try, 500, func(string, ...any) {
			mu.Lock()
			found++
			mu.Unlock()
		})
		if found > 0 {
			return
		}
	}
	t.Error("it is not found out")
}
