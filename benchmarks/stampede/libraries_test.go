// Package stampede lets many goroutines, in one process or several over one
// Redis, ask for a key that no cache has, and counts loads, commands and how long
// they wait.
package stampede

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	gorediscache "github.com/go-redis/cache/v9"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/benchmarks/wire"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
	"github.com/viccon/sturdyc"
	"golang.org/x/sync/singleflight"
)

const (
	capacity = 10_000
	ttl      = time.Minute
	loadTime = 50 * time.Millisecond
	timeout  = 10 * time.Second // nobody is to give up
)

// origin takes its time, and counts how often it is asked.
type origin struct{ loads atomic.Int64 }

func (o *origin) load(_ context.Context, key string) (string, error) {
	o.loads.Add(1)
	time.Sleep(loadTime)
	return "the value of " + key, nil
}

// reader is a library at work in one process.
type reader func(ctx context.Context, key string) (string, error)

type library struct {
	name string
	open func(rdb *redis.Client, o *origin) (reader, error)
}

var libraries = []library{
	{"larder", openLarder},
	{"sturdyc", openSturdyc},
	{"go-redis-cache", openGoRedisCache},
	{"get-and-singleflight", openByHand},
}

func client(addr string, c *wire.Counter) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, Dialer: c.Dial,
		ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout, DialTimeout: timeout})
}

func openLarder(rdb *redis.Client, o *origin) (reader, error) {
	space, err := redisstore.Open(context.Background(), rdb, "stampede", &redisstore.Options{Timeout: timeout})
	if err != nil {
		return nil, err
	}
	store := cache.Tiered(memstore.New[string, string](space.Domain, capacity, nil), redisstore.New[string, string](space, "rows", nil))
	return aside.New(store, o.load, invalidation.TTL(ttl), nil).Get, nil
}

// shared is sturdyc's second level.
type shared struct{ rdb *redis.Client }

func (s shared) Get(ctx context.Context, key string) ([]byte, bool) {
	v, err := s.rdb.Get(ctx, "sturdyc:"+key).Bytes()
	return v, err == nil
}

func (s shared) Set(ctx context.Context, key string, value []byte) {
	s.rdb.Set(ctx, "sturdyc:"+key, value, ttl)
}

// The benchmark reads one key at a time.
func (s shared) GetBatch(context.Context, []string) map[string][]byte    { return nil }
func (s shared) SetBatch(ctx context.Context, records map[string][]byte) {}

func openSturdyc(rdb *redis.Client, o *origin) (reader, error) {
	c := sturdyc.New[string](capacity, 64, ttl, 1, sturdyc.WithDistributedStorage(shared{rdb}))
	return func(ctx context.Context, key string) (string, error) {
		return c.GetOrFetch(ctx, key, func(ctx context.Context) (string, error) { return o.load(ctx, key) })
	}, nil
}

func openGoRedisCache(rdb *redis.Client, o *origin) (reader, error) {
	c := gorediscache.New(&gorediscache.Options{Redis: rdb, LocalCache: gorediscache.NewTinyLFU(capacity, ttl)})
	return func(ctx context.Context, key string) (v string, err error) {
		err = c.Once(&gorediscache.Item{Ctx: ctx, Key: "cache:" + key, Value: &v, TTL: ttl,
			Do: func(i *gorediscache.Item) (any, error) { return o.load(i.Context(), key) }})
		return v, err
	}, nil
}

// openByHand has no memory: GET and, if there is nothing, one load and SET for
// all who wait in this process.
func openByHand(rdb *redis.Client, o *origin) (reader, error) {
	var flights singleflight.Group
	return func(ctx context.Context, key string) (v string, err error) {
		text, err := rdb.Get(ctx, "hand:"+key).Bytes()
		if err == nil {
			return v, json.Unmarshal(text, &v)
		}
		if err != redis.Nil {
			return "", err
		}
		got, err, _ := flights.Do(key, func() (any, error) {
			v, err := o.load(ctx, key)
			if err != nil {
				return "", err
			}
			text, err := json.Marshal(v)
			if err == nil {
				err = rdb.Set(ctx, "hand:"+key, text, ttl).Err()
			}
			return v, err
		})
		if err != nil {
			return "", err
		}
		return got.(string), nil
	}, nil
}
