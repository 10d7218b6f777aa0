package redisstore_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// process is what one process has: memory in front of a shared store.
type process struct {
	space *redisstore.Space
	l1    *memstore.Store[int, string]
	l2    *redisstore.Store[int, string]
	both  cache.Cache[int, string]
}

// newProcess returns a process whose memory serves already.
func newProcess(t testing.TB, rdb redis.UniversalClient) process {
	t.Helper()
	p := processIn(open(t, rdb, "shop"))
	fence(t, p)
	return p
}

func processIn(space *redisstore.Space) process {
	p := process{space: space}
	p.l1 = memstore.New[int, string](p.space.Domain, 100, nil)
	p.l2 = redisstore.New[int, string](p.space, "s", nil)
	p.both = cache.Tiered(p.l1, p.l2)
	return p
}

func TestPromotionIntoMemoryKeepsTagsAndTimes(t *testing.T) {
	_, rdb := mini(t)
	a, b := newProcess(t, rdb), newProcess(t, rdb)
	e := entry("v", "tag")
	e.SetLoaded(cache.Now() - 60_001)
	fill(t, a.both, 1, e)
	for _, want := range []cache.Level{cache.Shared, cache.Memory} {
		if got, level, err := cache.Find(t.Context(), b.both, 1); got == nil || level != want || err != nil {
			t.Fatalf("Find is %+v, %v, %v", got, level, err)
		}
	}
	if _, level, _ := cache.Find(t.Context(), a.l2, 1); level != cache.Shared {
		t.Errorf("Redis says that it is %v", level)
	}
	up, _ := b.l1.Get(t.Context(), 1)
	if up == nil || len(up.Tags) != 1 || up.Expires != e.Expires || up.Fresh != e.Fresh || up.Loaded() != e.Loaded() {
		t.Fatalf("in memory it is %+v", up)
	}
	if err := b.space.InvalidateTags(t.Context(), "tag"); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, b.both, 1)
	wantMiss(t, a.l2, 1)
}

func TestMemoryDoesNotOutliveTheEntryInRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := miniredis.NewMiniRedis()
		defer m.Close()
		m.ClockTTL(true)
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Dialer: dialMini(m)})
		defer rdb.Close()
		space, err := redisstore.Open(t.Context(), rdb, "shop", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer space.Close(context.Background())
		l2 := redisstore.New[int, string](space, "s", nil)
		now := cache.Now()
		for k, life := range []time.Duration{time.Millisecond, 300 * time.Millisecond, time.Hour} {
			fill(t, l2, k, &cache.Entry[string]{Value: "v", Fresh: now.Add(life), Expires: now.Add(life)})
		}
		s := cache.Tiered(memstore.New[int, string](space.Domain, 10, nil), l2)
		for k := range 3 {
			want(t, s, k, "v")
		}
		time.Sleep(time.Millisecond)
		wantMiss(t, s, 0)
		want(t, s, 1, "v")
		time.Sleep(299 * time.Millisecond)
		wantMiss(t, s, 1)
		want(t, s, 2, "v")
	})
}

func TestTwoFirstWritersOfATagAreBothInvalidated(t *testing.T) {
	_, rdb := mini(t)
	for range 30 {
		rdb.FlushAll(t.Context())
		a, b := newProcess(t, rdb), newProcess(t, rdb)
		var wg sync.WaitGroup
		for k, p := range []process{a, b} {
			wg.Go(func() {
				f, err := p.l2.Reserve(t.Context(), cache.Slot[int]{Key: k, Tags: []string{"tag"}})
				if err == nil {
					_, err = f.Commit(t.Context(), entry("v", "tag"))
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		want(t, a.l2, 1, "v")
		if err := a.space.InvalidateTags(t.Context(), "unknown", "tag"); err != nil {
			t.Fatal(err)
		}
		wantMiss(t, a.l2, 0)
		wantMiss(t, b.l2, 1)
	}
}

func TestInvalidateWithRedisDownReturnsAnErrorAndMemoryIsSafe(t *testing.T) {
	m, rdb := mini(t)
	p := newProcess(t, rdb)
	fill(t, p.both, 1, entry("old", "tag"))
	fill(t, p.both, 2, entry("old", "tag"))
	loads := 0
	users := aside.New(p.both, func(context.Context, int) (string, error) {
		loads++
		return "new", nil
	}, invalidation.TTL(time.Minute), nil)
	m.SetError("LOADING Redis is loading the dataset in memory")
	if err := users.Invalidate(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("Invalidate: %v", err)
	}
	if err := p.space.InvalidateTags(t.Context(), "tag"); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("InvalidateTags: %v", err)
	}
	for k := 1; k <= 2; k++ {
		if v, err := users.Get(t.Context(), k); v != "new" || err != nil {
			t.Errorf("Get(%d) is %q, %v", k, v, err)
		}
	}
	if loads != 2 {
		t.Errorf("%d loads", loads)
	}
}

// A reader between the two halves of an invalidation must not carry the old
// value from Redis back into memory.
func TestAReaderBetweenTheLevelsDoesNotRefillMemory(t *testing.T) {
	_, rdb := mini(t)
	p := newProcess(t, rdb)
	fill(t, p.l2, 1, entry("old"))
	between := make(chan struct{})
	slow := hooked{Cache: p.l2, afterGet: func() { close(between) }, beforeReturn: make(chan struct{})}
	s := cache.Tiered[int, string](p.l1, slow)
	read := make(chan struct{})
	go func() { // has the old value in its hands when the invalidation comes
		s.Get(t.Context(), 1)
		close(read)
	}()
	<-between
	if err := p.both.Invalidate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	close(slow.beforeReturn)
	<-read
	wantMiss(t, p.both, 1)
}

type hooked struct {
	cache.Cache[int, string]
	afterGet     func()
	beforeReturn chan struct{}
}

func (h hooked) Get(ctx context.Context, k int) (*cache.Entry[string], error) {
	e, err := h.Cache.Get(ctx, k)
	h.afterGet()
	<-h.beforeReturn
	return e, err
}

func TestADamagedValueOnAReadOnlyServerCostsOneLoadARead(t *testing.T) {
	m, rdb := mini(t)
	p := newProcess(t, rdb)
	fill(t, p.l2, 1, entry("old"))
	m.Set("shop:v:s:1", "damaged")
	m.Server().SetPreHook(func(c *server.Peer, cmd string, args ...string) bool {
		switch cmd {
		case "EVAL", "EVALSHA", "SET", "DEL":
			c.WriteError("READONLY You can't write against a read only replica.")
			return true
		}
		return false
	})
	loads := 0
	users := aside.New(p.both, func(context.Context, int) (string, error) {
		loads++
		return "new", nil
	}, invalidation.TTL(time.Minute), nil)
	for i := range 10 {
		if v, err := users.Get(t.Context(), 1); v != "new" || err != nil || loads != i+1 {
			t.Fatalf("read %d is %q, %v after %d loads", i, v, err, loads)
		}
	}
	if err := users.Invalidate(t.Context(), 1); err == nil {
		t.Error("Invalidate on a read-only server returns nil")
	}
}

func TestTwoStoresOfOneSpaceDoNotCollide(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	a, b := redisstore.New[int, string](space, "a", nil), redisstore.New[string, string](space, "b", nil)
	fill(t, a, 1, entry("a"))
	fill(t, b, "1", entry("b"))
	want(t, a, 1, "a")
	want(t, b, "1", "b")
	if err := a.Invalidate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	want(t, b, "1", "b")
}

func dialMini(m *miniredis.Miniredis) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return m.Dial() }
}
