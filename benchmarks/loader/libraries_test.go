// Package loader compares hits through loading caches, whose values are structs,
// and counts what a miss asks of Redis.
package loader

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Yiling-J/theine-go"
	gorediscache "github.com/go-redis/cache/v9"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/benchmarks/wire"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
	"github.com/viccon/sturdyc"
)

// user is what is cached, by value.
type user struct {
	ID               int64
	Name, Email, Org string
	Role             string
	Age              int
	Active           bool
	Score            float64
	Created, Updated int64
}

const (
	capacity = 100_000
	ttl      = time.Hour
	timeout  = 10 * time.Second // nobody is to give up
)

// origin counts how often it is asked.
type origin struct{ loads atomic.Int64 }

func (o *origin) load(_ context.Context, key string) (user, error) {
	n := o.loads.Add(1)
	return user{ID: n, Name: key, Email: key + "@example.com", Org: "acme", Role: "owner", Age: 36, Active: true,
		Score: 0.5, Created: 1, Updated: n}, nil
}

// opened is a loading cache at work.
type opened struct {
	get  func(ctx context.Context, key string) (user, error)
	wait func() // until no store is under way; nil if it never is after get
}

type library struct {
	name string
	open func(tb testing.TB, o *origin, c *wire.Counter) opened
}

var libraries = []library{
	{"larder", openLarder},
	{"larder-memory-alone", openMemoryAlone},
	{"otter", func(tb testing.TB, o *origin, _ *wire.Counter) opened { return openOtter(tb, o, nil) }},
	{"otter-coarse", func(tb testing.TB, o *origin, _ *wire.Counter) opened {
		clock := otter.NewCoarseClock(10 * time.Millisecond)
		tb.Cleanup(clock.Stop)
		return openOtter(tb, o, clock)
	}},
	{"theine", openTheine},
	{"sturdyc", openSturdyc},
	{"go-redis-cache", openGoRedisCache},
}

func client(tb testing.TB, c *wire.Counter) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), Dialer: c.Dial})
	tb.Cleanup(func() { rdb.Close() })
	return rdb
}

var spaces atomic.Int64

// openLarder is memory over Redis with a live bus, as the README shows it.
func openLarder(tb testing.TB, o *origin, c *wire.Counter) opened {
	return openTiered(tb, o, c, 0, true)
}

func openTiered(tb testing.TB, o *origin, c *wire.Counter, lease time.Duration, late bool) opened {
	name := "bench" + strconv.FormatInt(spaces.Add(1), 10)
	space, err := redisstore.Open(tb.Context(), client(tb, c), name, &redisstore.Options{Timeout: timeout, Lease: lease})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { space.Close(context.Background()) })
	return openAside(cache.Tiered(
		memstore.New[string, user](space.Domain, capacity, nil),
		redisstore.New[string, user](space, "users", nil)), o, late)
}

func openMemoryAlone(_ testing.TB, o *origin, _ *wire.Counter) opened {
	return openAside(memstore.New[string, user](nil, capacity, nil), o, true)
}

// openAside gives every user a tag, which is late if it is known from the value
// alone.
func openAside(store cache.Cache[string, user], o *origin, late bool) opened {
	options := &aside.Options[string, user]{}
	if late {
		options.Tags = func(_ string, u user) []string { return []string{"org:" + u.Org} }
	} else {
		options.KeyTags = func(string) []string { return []string{"org:acme"} }
	}
	l := aside.New(store, o.load, invalidation.TTL(ttl), options)
	return opened{l.Get, func() { l.Close(context.Background()) }}
}

func openOtter(tb testing.TB, o *origin, clock otter.Clock) opened {
	c := otter.Must(&otter.Options[string, user]{
		MaximumSize: capacity, ExpiryCalculator: otter.ExpiryWriting[string, user](ttl), Clock: clock,
	})
	tb.Cleanup(func() { c.StopAllGoroutines() })
	load := otter.LoaderFunc[string, user](o.load)
	return opened{get: func(ctx context.Context, key string) (user, error) { return c.Get(ctx, key, load) }}
}

func openTheine(tb testing.TB, o *origin, _ *wire.Counter) opened {
	c, err := theine.NewBuilder[string, user](capacity).Loading(func(ctx context.Context, key string) (theine.Loaded[user], error) {
		u, err := o.load(ctx, key)
		return theine.Loaded[user]{Value: u, Cost: 1, TTL: ttl}, err
	}).Build()
	if err != nil {
		panic(err)
	}
	tb.Cleanup(c.Close)
	return opened{get: c.Get}
}

func openSturdyc(_ testing.TB, o *origin, _ *wire.Counter) opened {
	c := sturdyc.New[user](capacity, 64, ttl, 1)
	return opened{get: func(ctx context.Context, key string) (user, error) {
		return c.GetOrFetch(ctx, key, func(ctx context.Context) (user, error) { return o.load(ctx, key) })
	}}
}

func openGoRedisCache(tb testing.TB, o *origin, c *wire.Counter) opened {
	rc := gorediscache.New(&gorediscache.Options{Redis: client(tb, c), LocalCache: gorediscache.NewTinyLFU(capacity, ttl)})
	prefix := "cache" + strconv.FormatInt(spaces.Add(1), 10) + ":"
	return opened{get: func(ctx context.Context, key string) (u user, err error) {
		err = rc.Once(&gorediscache.Item{Ctx: ctx, Key: prefix + key, Value: &u, TTL: ttl,
			Do: func(i *gorediscache.Item) (any, error) { return o.load(i.Context(), key) }})
		return u, err
	}}
}
