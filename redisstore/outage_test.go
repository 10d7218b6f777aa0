package redisstore_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// everyVerb calls each verb once and returns the errors by name.
func everyVerb(ctx context.Context, space *redisstore.Space, s cache.Cache[int, string]) map[string]error {
	errs := map[string]error{}
	_, errs["Get"] = s.Get(ctx, 1)
	_, errs["GetMany"] = s.GetMany(ctx, []int{1, 2})
	_, errs["Reserve"] = s.Reserve(ctx, cache.Slot[int]{Key: 1})
	_, errs["Quarantine"] = s.Quarantine(ctx, cache.Slot[int]{Key: 1})
	errs["Invalidate"] = s.Invalidate(ctx, 1)
	errs["InvalidateTags"] = space.InvalidateTags(ctx, "a")
	errs["Clear"] = space.Clear(ctx)
	return errs
}

func TestRedisRefusedIsAnErrorAndNeverAMissOrASilentNil(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	for name, rdb := range map[string]redis.UniversalClient{
		"server":  redis.NewClient(&redis.Options{Addr: addr}),
		"cluster": redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}}),
	} {
		t.Run(name, func(t *testing.T) {
			defer rdb.Close()
			space, err := redisstore.Open(t.Context(), rdb, "shop", nil)
			if err != nil {
				t.Fatalf("Open fails because Redis is down: %v", err)
			}
			defer space.Close(context.Background())
			for verb, err := range everyVerb(t.Context(), space, redisstore.New[int, string](space, "s", nil)) {
				if !errors.Is(err, cache.ErrUnavailable) {
					t.Errorf("%s: %v does not say that the store is unavailable", verb, err)
				}
			}
		})
	}
}

func TestASilentRedisCostsNoMoreThanTheTimeout(t *testing.T) {
	for name, dial := range map[string]func(ctx context.Context, _, _ string) (net.Conn, error){
		"it cannot be dialled": func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
		"it never answers": silent,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Dialer: dial}) // go-redis' own defaults: retries, no deadlines
				defer rdb.Close()
				space, err := redisstore.Open(t.Context(), rdb, "shop", &redisstore.Options{Timeout: 50 * time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				defer space.Close(context.Background())
				s := redisstore.New[int, string](space, "s", nil)
				for _, op := range []func() error{
					func() error { _, err := s.Get(t.Context(), 1); return err },
					func() error { return s.Invalidate(t.Context(), 1) },
					func() error { _, err := s.Reserve(t.Context(), cache.Slot[int]{Key: 1}); return err },
				} {
					start := time.Now()
					err := op()
					if took := time.Since(start); took > 60*time.Millisecond || !errors.Is(err, cache.ErrUnavailable) {
						t.Errorf("it took %v and gave %v", took, err)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
				defer cancel()
				start := time.Now()
				s.Get(ctx, 1)
				if took := time.Since(start); took > 10*time.Millisecond {
					t.Errorf("a caller with 5ms waited %v", took)
				}
				space.Close(t.Context())
				rdb.Close()
				time.Sleep(time.Second) // of the bubble: the client dials on its own for a while
			})
		})
	}
}

// silent dials a server that reads and never answers.
func silent(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	go func() {
		for buf := make([]byte, 1024); ; {
			if _, err := b.Read(buf); err != nil {
				return
			}
		}
	}()
	return a, nil
}

func TestACallerWhoLeavesASilentRedisIsLetGoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Dialer: silent})
		defer rdb.Close()
		space, err := redisstore.Open(t.Context(), rdb, "shop", &redisstore.Options{NoBreaker: true, NoBus: true})
		if err != nil {
			t.Fatal(err)
		}
		defer space.Close(context.Background())
		s := redisstore.New[int, string](space, "s", nil)
		s.Get(t.Context(), 1) // the first one finds out
		many := make([]int, 40)
		for i := range many {
			many[i] = i
		}
		for name, op := range map[string]func(context.Context) error{
			"Get":        func(ctx context.Context) error { _, err := s.Get(ctx, 1); return err },
			"GetMany":    func(ctx context.Context) error { _, err := s.GetMany(ctx, many); return err },
			"Reserve":    func(ctx context.Context) error { _, err := s.Reserve(ctx, cache.Slot[int]{Key: 1}); return err },
			"Invalidate": func(ctx context.Context) error { return s.Invalidate(ctx, 1) },
			"Clear":      space.Clear,
		} {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(5*time.Millisecond, cancel)
			start := time.Now()
			if err := op(ctx); err == nil || time.Since(start) != 5*time.Millisecond {
				t.Errorf("%s: after %v the caller has %v", name, time.Since(start), err)
			}
		}
		space.Close(t.Context())
		rdb.Close()
		time.Sleep(time.Second) // of the bubble: the client dials on its own for a while
	})
}

func TestTTLRunsByTheClockOfTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := miniredis.NewMiniRedis()
		defer m.Close()
		m.ClockTTL(true)
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Dialer: dialMini(m)})
		defer rdb.Close()
		space, err := redisstore.Open(t.Context(), rdb, "shop", &redisstore.Options{NoBus: true})
		if err != nil {
			t.Fatal(err)
		}
		defer space.Close(context.Background())
		s := redisstore.New[int, string](space, "s", nil)
		fill(t, s, 1, entry("a", "tag"))
		time.Sleep(59 * time.Minute)
		want(t, s, 1, "a")
		time.Sleep(time.Minute)
		wantMiss(t, s, 1)
		time.Sleep(2 * time.Hour)
		if keys := m.Keys(); len(keys) != 0 {
			t.Errorf("long after everything expired Redis still has %q", keys)
		}
	})
}

func TestAClosedSpaceSaysSo(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New[int, string](space, "s", nil)
	f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := space.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for verb, err := range everyVerb(t.Context(), space, s) {
		if !errors.Is(err, cache.ErrClosed) {
			t.Errorf("%s: %v", verb, err)
		}
	}
	if _, err := f.Commit(t.Context(), entry("a")); !errors.Is(err, cache.ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
	if err := rdb.Ping(t.Context()).Err(); err != nil {
		t.Errorf("closing the space has closed the caller's client: %v", err)
	}
}

func TestInvalidateWorksWhenRedisIsOutOfMemory(t *testing.T) {
	srv := redistest.Private(t, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr()})
	defer rdb.Close()
	ctx := t.Context()
	space := open(t, rdb, "shop")
	s := redisstore.New[int, string](space, "s", nil)
	fill(t, s, 1, entry("a", "tag"))
	fill(t, s, 2, entry("b", "tag"))
	q, err := s.Quarantine(ctx, cache.Slot[int]{Key: 3})
	if err != nil {
		t.Fatal(err)
	}
	var full error
	for i := 0; i < 10_000 && full == nil; i++ {
		full = rdb.Set(ctx, "filler:"+strings.Repeat("x", i%50)+string(rune('a'+i%26)), strings.Repeat("y", 20_000), 0).Err()
	}
	if full == nil {
		t.Fatal("the server does not fill up")
	}
	if err := s.Invalidate(ctx, 1, 3); err != nil {
		t.Fatalf("Invalidate: %v", err)
	}
	wantMiss(t, s, 1)
	want(t, s, 2, "b")
	if err := space.InvalidateTags(ctx, "tag", "unknown"); err != nil {
		t.Fatalf("InvalidateTags: %v", err)
	}
	wantMiss(t, s, 2)
	out, err := q.Commit(ctx, entry("c"))
	if err != nil || out[0] != cache.Refused {
		t.Fatalf("the value of an invalidated quarantine is %v, %v", out, err)
	}
	q, err = s.Quarantine(ctx, cache.Slot[int]{Key: 4})
	if err != nil {
		t.Logf("Quarantine under OOM: %v", err)
	} else if err := q.Cancel(ctx); err != nil {
		t.Fatalf("release: %v", err)
	}
}

func TestRestartsAndScriptFlushesCostMissesOnly(t *testing.T) {
	srv := redistest.Private(t)
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr()})
	defer rdb.Close()
	space := open(t, rdb, "shop")
	s := redisstore.New[int, string](space, "s", nil)
	ctx := t.Context()
	fill(t, s, 1, entry("a", "tag"))
	if err := rdb.ScriptFlush(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 2, entry("b", "tag"))
	rdb.ScriptFlush(ctx)
	if _, err := cache.Put(ctx, s, 3, entry("c", "tag")); err != nil {
		t.Fatal(err)
	}
	rdb.ScriptFlush(ctx)
	if err := s.Invalidate(ctx, 1); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, s, 1)
	want(t, s, 2, "b")
	want(t, s, 3, "c")
}
