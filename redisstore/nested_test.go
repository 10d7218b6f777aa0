package redisstore_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// twoLoaders are two Loaders on one store, of which the loads of one ask the other for the same key.
type twoLoaders struct {
	outer, inner *aside.Loader[int, string]
	waited       events
	rdb          *redis.Client
}

func newNested(t *testing.T, during func()) *twoLoaders {
	_, rdb := mini(t)
	space, err := redisstore.Open(t.Context(), rdb, "shop", &redisstore.Options{Timeout: 10 * time.Second, LockWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	n := &twoLoaders{rdb: rdb, waited: events{kind: cache.LockLost}}
	s := redisstore.New(space, "users", &redisstore.StoreOptions[int, string]{Observer: &n.waited})
	n.inner = aside.New[int, string](s, func(context.Context, int) (string, error) { return "v", nil }, invalidation.TTL(time.Hour), nil)
	n.outer = aside.New[int, string](s, func(ctx context.Context, k int) (string, error) {
		during()
		return n.inner.Get(ctx, k)
	}, invalidation.TTL(time.Hour), nil)
	t.Cleanup(func() {
		n.outer.Close(context.Background())
		n.inner.Close(context.Background())
		space.Close(context.Background())
	})
	return n
}

// A process does not wait for the lock of a load that waits for it.
func TestNested_ALoadDoesNotWaitForTheLockOfTheLoadThatItIsIn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	n := newNested(t, func() {})
	if v, err := n.outer.Get(ctx, 1); v != "v" || err != nil {
		t.Fatalf("%q, %v", v, err)
	}
	if got := n.waited.all(); len(got) != 0 {
		t.Errorf("it has waited in vain %v", got[0].Took)
	}
}

// The inner load may have been begun by somebody else, who waits for the lock already.
func TestNested_ALoadThatWaitsForALockGivesUpWhenItsOwnerWaitsForIt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	begun, meet := make(chan struct{}), make(chan struct{})
	n := newNested(t, func() { close(begun); <-meet })
	var wg sync.WaitGroup
	get := func(l *aside.Loader[int, string]) {
		wg.Go(func() {
			if v, err := l.Get(ctx, 1); v != "v" || err != nil {
				t.Errorf("%q, %v", v, err)
			}
		})
	}
	get(n.outer)
	<-begun
	get(n.inner)
	for ctx.Err() == nil && !lockAwaited(n.rdb, "shop:v:users:1") {
		runtime.Gosched()
	}
	close(meet)
	wg.Wait()
}

// lockAwaited reports whether somebody waits for the lock of a key.
func lockAwaited(rdb *redis.Client, key string) bool {
	raw := rdb.Get(context.Background(), key).Val()
	return len(raw) == 34 && raw[33] == '1'
}

func TestNested_ABatchDoesNotWaitForItsOwnProcess(t *testing.T) {
	_, rdb := mini(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	space, err := redisstore.Open(ctx, rdb, "shop", &redisstore.Options{Timeout: 10 * time.Second, LockWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s := redisstore.New[int, string](space, "users", nil)
	load := func(_ context.Context, keys []int) (map[int]string, error) {
		out := map[int]string{}
		for _, k := range keys {
			out[k] = "v"
		}
		return out, nil
	}
	inner := aside.NewBatch(s, load, invalidation.TTL(time.Hour), nil)
	outer := aside.NewBatch(s, func(ctx context.Context, keys []int) (map[int]string, error) { return inner.GetMany(ctx, keys) }, invalidation.TTL(time.Hour), nil)
	t.Cleanup(func() {
		outer.Close(context.Background())
		inner.Close(context.Background())
		space.Close(context.Background())
	})
	if got, err := outer.GetMany(ctx, []int{1, 2, 3}); len(got) != 3 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}
