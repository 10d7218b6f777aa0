package remote

import (
	"context"
	"strconv"
	"testing"
	"time"

	gorediscache "github.com/go-redis/cache/v9"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

const (
	resident = 10_000
	timeout  = 10 * time.Second // nobody is to give up
)

var (
	value = make([]byte, 1024)
	keys  [resident]string
)

func init() {
	for i := range keys {
		keys[i] = "key:" + strconv.Itoa(i)
	}
}

func client(b testing.TB) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: server.Addr()})
	b.Cleanup(func() { c.Close() })
	return c
}

// reader reads one key.
type reader func(ctx context.Context, i int) error

type library struct {
	name string
	open func(b testing.TB) reader
}

var libraries = []library{
	{"go-redis", openGoRedis},
	{"go-redis-mget", openGoRedisMGet},
	{"larder", func(b testing.TB) reader { return openLarder(b, 1) }},
	{"rueidis", openRueidis},
	{"go-redis-cache", openGoRedisCache},
}

// storeRaw stores all keys as plain strings, and returns their names.
func storeRaw(b testing.TB, c *redis.Client) []string {
	names := make([]string, resident)
	p := c.Pipeline()
	for i, k := range keys {
		names[i] = "raw:" + k
		p.Set(b.Context(), names[i], value, 0)
	}
	if _, err := p.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
	return names
}

func openGoRedis(b testing.TB) reader {
	c := client(b)
	names := storeRaw(b, c)
	return func(ctx context.Context, i int) error { return c.Get(ctx, names[i]).Err() }
}

// openGoRedisMGet reads, with each value, two versions of the size that Larder's have:
// the least that a read costs which is to know whether a tag was invalidated.
func openGoRedisMGet(b testing.TB) reader {
	c := client(b)
	names := storeRaw(b, c)
	for _, k := range []string{"version:lane", "version:tag"} {
		if err := c.Set(b.Context(), k, value[:17], 0).Err(); err != nil {
			b.Fatal(err)
		}
	}
	return func(ctx context.Context, i int) error {
		got, err := c.MGet(ctx, names[i], "version:lane", "version:tag").Result()
		if err == nil && got[0] == nil {
			err = redis.Nil
		}
		return err
	}
}

func open(b testing.TB, rdb *redis.Client) *redisstore.Space {
	space, err := redisstore.Open(b.Context(), rdb, "bench", &redisstore.Options{Timeout: timeout})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { space.Close(context.Background()) })
	return space
}

var tagNames = []string{"tag:0", "tag:1", "tag:2"}

// filled returns a store that has all keys, with tags.
func filled(b testing.TB, rdb *redis.Client, tags int) *redisstore.Store[string, []byte] {
	return filledIn(b, open(b, rdb), tags)
}

func filledIn(b testing.TB, space *redisstore.Space, tags int) *redisstore.Store[string, []byte] {
	s := redisstore.New[string, []byte](space, "rows"+strconv.Itoa(tags), nil)
	for part := 0; part < resident; part += 100 {
		put(b, s, keys[part:part+100], value, tagNames[:tags])
	}
	return s
}

// put stores a value under keys, in one fill.
func put[K comparable](b testing.TB, s *redisstore.Store[K, []byte], keys []K, value []byte, tags []string) {
	expires := cache.Now().Add(time.Hour)
	var slots []cache.Slot[K]
	var entries []*cache.Entry[[]byte]
	for _, k := range keys {
		slots = append(slots, cache.Slot[K]{Key: k, Tags: tags})
		entries = append(entries, &cache.Entry[[]byte]{Value: value, Tags: tags, Fresh: expires, Expires: expires})
	}
	f, err := s.Reserve(b.Context(), slots...)
	if err == nil {
		_, err = f.Commit(b.Context(), entries...)
	}
	if err != nil {
		b.Fatal(err)
	}
}

func openLarder(b testing.TB, tags int) reader {
	s := filled(b, client(b), tags)
	return func(ctx context.Context, i int) error {
		e, err := s.Get(ctx, keys[i])
		if e == nil && err == nil {
			err = redis.Nil
		}
		return err
	}
}

func rueidisClient(b testing.TB) rueidis.Client {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}, DisableCache: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}

func openRueidis(b testing.TB) reader {
	names := storeRaw(b, client(b))
	c := rueidisClient(b)
	return func(ctx context.Context, i int) error {
		_, err := c.Do(ctx, c.B().Get().Key(names[i]).Build()).ToString()
		return err
	}
}

func openGoRedisCache(b testing.TB) reader {
	c := gorediscache.New(&gorediscache.Options{Redis: client(b)})
	for _, k := range keys {
		if err := c.Set(&gorediscache.Item{Ctx: b.Context(), Key: "cache:" + k, Value: value, TTL: time.Hour}); err != nil {
			b.Fatal(err)
		}
	}
	return func(ctx context.Context, i int) error {
		var v []byte
		return c.Get(ctx, "cache:"+keys[i], &v)
	}
}
