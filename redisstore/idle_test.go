package redisstore

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

const (
	// idleSpace is what a space takes that listens and is not used otherwise: it was about
	// 150 KiB, of which 128 are buffers that go-redis has for two connections.
	idleSpace = 256 << 10
	// idleStore is what a store takes that is not used.
	idleStore = 16 << 10
)

func TestIdle_ASpaceAndAStoreTakeLittle(t *testing.T) {
	server := redistest.Private(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { rdb.Close() })
	open := func(i int) *Space {
		s, err := Open(t.Context(), rdb, fmt.Sprint("idle", i), &Options{Timeout: 10 * time.Second, Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close(context.Background()) })
		if err := s.Fence(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	space := open(0)
	const n = 16
	before := live()
	for i := range n {
		open(1 + i)
	}
	if each := (int64(live()) - int64(before)) / n; each > idleSpace {
		t.Errorf("a space that is not used takes %d bytes, more than %d", each, idleSpace)
	}
	var stores []*Store[int, string]
	before = live()
	for i := range n {
		stores = append(stores, New[int, string](space, fmt.Sprint("s", i), nil))
	}
	if each := (int64(live()) - int64(before)) / n; each > idleStore {
		t.Errorf("a store that is not used takes %d bytes, more than %d", each, idleStore)
	}
	runtime.KeepAlive(stores)
}
