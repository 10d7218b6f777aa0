package main

import (
	"context"
	"strconv"
	"time"

	"github.com/Yiling-J/theine-go"
	gorediscache "github.com/go-redis/cache/v9"
	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/viccon/sturdyc"
)

// load reads the origin.
type load func(ctx context.Context, key string) (int64, error)

// instance is a library at work in one process of a service.
type instance struct {
	get        func(ctx context.Context, key string) (int64, error)
	invalidate func(ctx context.Context, key string) error
	close      func() // nil if the library has none
}

// library is one that is compared.
type library struct {
	name, module, where string
	redis               bool
	open                func(addr string, l load) (instance, error)
}

const (
	capacity = 10_000
	ttl      = time.Minute
)

var libraries = []library{
	{"Larder", "github.com/larder-cache/larder", "memory and Redis", true, openLarder},
	{"go-redis/cache", "github.com/go-redis/cache/v9", "memory and Redis", true, openGoRedisCache},
	{"rueidis, cache-aside by hand", "github.com/redis/rueidis", "memory and Redis", true, openRueidis},
	{"sturdyc", "github.com/viccon/sturdyc", "memory", false, openSturdyc},
	{"otter", "github.com/maypok86/otter/v2", "memory", false, openOtter},
	{"theine", "github.com/Yiling-J/theine-go", "memory", false, openTheine},
	{"golang-lru, by hand", "github.com/hashicorp/golang-lru/v2", "memory", false, openLRU},
}

func client(addr string) *redis.Client { return redis.NewClient(&redis.Options{Addr: addr}) }

func openLarder(addr string, l load) (instance, error) {
	rdb := client(addr)
	space, err := redisstore.Open(context.Background(), rdb, "survive", nil)
	if err != nil {
		return instance{}, err
	}
	store := cache.Tiered(memstore.New[string, int64](space.Domain, capacity, nil), redisstore.New[string, int64](space, "rows", nil))
	users := aside.New(store, l, invalidation.TTL(ttl), nil)
	return instance{users.Get, func(ctx context.Context, k string) error { return users.Invalidate(ctx, k) }, func() {
		users.Close(context.Background())
		space.Close(context.Background())
		rdb.Close()
	}}, nil
}

func openGoRedisCache(addr string, l load) (instance, error) {
	rdb := client(addr)
	c := gorediscache.New(&gorediscache.Options{Redis: rdb, LocalCache: gorediscache.NewTinyLFU(capacity, ttl)})
	return instance{
		func(ctx context.Context, k string) (v int64, err error) {
			err = c.Once(&gorediscache.Item{Ctx: ctx, Key: k, Value: &v, TTL: ttl,
				Do: func(i *gorediscache.Item) (any, error) { return l(i.Context(), k) }})
			return v, err
		},
		c.Delete,
		func() { rdb.Close() },
	}, nil
}

func openRueidis(addr string, l load) (instance, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
	if err != nil {
		return instance{}, err
	}
	return instance{
		func(ctx context.Context, k string) (int64, error) {
			text, err := c.DoCache(ctx, c.B().Get().Key(k).Cache(), ttl).ToString()
			if err == nil {
				return strconv.ParseInt(text, 10, 64)
			}
			v, err := l(ctx, k)
			if err == nil {
				c.Do(ctx, c.B().Set().Key(k).Value(strconv.FormatInt(v, 10)).Ex(ttl).Build())
			}
			return v, err
		},
		func(ctx context.Context, k string) error { return c.Do(ctx, c.B().Del().Key(k).Build()).Error() },
		c.Close,
	}, nil
}

func openSturdyc(_ string, l load) (instance, error) {
	c := sturdyc.New[int64](capacity, 10, ttl, 10)
	return instance{
		func(ctx context.Context, k string) (int64, error) {
			return c.GetOrFetch(ctx, k, func(ctx context.Context) (int64, error) { return l(ctx, k) })
		},
		func(_ context.Context, k string) error { c.Delete(k); return nil },
		nil,
	}, nil
}

func openOtter(_ string, l load) (instance, error) {
	c, err := otter.New(&otter.Options[string, int64]{MaximumSize: capacity, ExpiryCalculator: otter.ExpiryWriting[string, int64](ttl)})
	if err != nil {
		return instance{}, err
	}
	return instance{
		func(ctx context.Context, k string) (int64, error) {
			return c.Get(ctx, k, otter.LoaderFunc[string, int64](l))
		},
		func(_ context.Context, k string) error { c.Invalidate(k); return nil },
		func() { c.StopAllGoroutines() },
	}, nil
}

func openTheine(_ string, l load) (instance, error) {
	c, err := theine.NewBuilder[string, int64](capacity).Loading(func(ctx context.Context, k string) (theine.Loaded[int64], error) {
		v, err := l(ctx, k)
		return theine.Loaded[int64]{Value: v, Cost: 1, TTL: ttl}, err
	}).Build()
	if err != nil {
		return instance{}, err
	}
	return instance{c.Get, func(_ context.Context, k string) error { c.Delete(k); return nil }, c.Close}, nil
}

func openLRU(_ string, l load) (instance, error) {
	c := expirable.NewLRU[string, int64](capacity, nil, ttl)
	return instance{
		func(ctx context.Context, k string) (int64, error) {
			if v, ok := c.Get(k); ok {
				return v, nil
			}
			v, err := l(ctx, k)
			if err == nil {
				c.Add(k, v)
			}
			return v, err
		},
		func(_ context.Context, k string) error { c.Remove(k); return nil },
		nil,
	}, nil
}
