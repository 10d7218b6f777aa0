// Package remote compares reads of Redis.
package remote

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	gorediscache "github.com/go-redis/cache/v9"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

var server *redisproc.Server

func TestMain(m *testing.M) {
	ctx := context.Background()
	var err error
	if server, err = redisproc.Start(ctx, redisproc.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

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

func client(b *testing.B) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: server.Addr()})
	b.Cleanup(func() { c.Close() })
	return c
}

// reader reads one key.
type reader func(ctx context.Context, i int) error

type library struct {
	name string
	open func(b *testing.B) reader
}

var libraries = []library{
	{"go-redis", openGoRedis},
	{"larder", func(b *testing.B) reader { return openLarder(b, 1) }},
	{"rueidis", openRueidis},
	{"go-redis-cache", openGoRedisCache},
}

func openGoRedis(b *testing.B) reader {
	c := client(b)
	p := c.Pipeline()
	for _, k := range keys {
		p.Set(b.Context(), "raw:"+k, value, 0)
	}
	if _, err := p.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
	var names [resident]string
	for i, k := range keys {
		names[i] = "raw:" + k
	}
	return func(ctx context.Context, i int) error { return c.Get(ctx, names[i]).Err() }
}

func open(b *testing.B) *redisstore.Space {
	space, err := redisstore.Open(b.Context(), client(b), "bench", &redisstore.Options{Timeout: timeout})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { space.Close(context.Background()) })
	return space
}

var tagNames = []string{"tag:0", "tag:1", "tag:2"}

// filled returns a store that has all keys, with tags.
func filled(b *testing.B, tags int) *redisstore.Store[string, []byte] {
	s := redisstore.New[string, []byte](open(b), "rows"+strconv.Itoa(tags), nil)
	expires := cache.Now().Add(time.Hour)
	for part := 0; part < resident; part += 100 {
		var slots []cache.Slot[string]
		var entries []*cache.Entry[[]byte]
		for _, k := range keys[part : part+100] {
			slots = append(slots, cache.Slot[string]{Key: k, Tags: tagNames[:tags]})
			entries = append(entries, &cache.Entry[[]byte]{Value: value, Tags: tagNames[:tags], Fresh: expires, Expires: expires})
		}
		f, err := s.Reserve(b.Context(), slots...)
		if err == nil {
			_, err = f.Commit(b.Context(), entries...)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func openLarder(b *testing.B, tags int) reader {
	s := filled(b, tags)
	return func(ctx context.Context, i int) error {
		e, err := s.Get(ctx, keys[i])
		if e == nil && err == nil {
			err = redis.Nil
		}
		return err
	}
}

func openRueidis(b *testing.B) reader {
	openGoRedis(b)
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr()}, DisableCache: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return func(ctx context.Context, i int) error {
		_, err := c.Do(ctx, c.B().Get().Key("raw:"+keys[i]).Build()).ToString()
		return err
	}
}

func openGoRedisCache(b *testing.B) reader {
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

func reads(b *testing.B, goroutines int, libraries []library) {
	for _, l := range libraries {
		b.Run("lib="+l.name, func(b *testing.B) {
			read := l.open(b)
			ctx := b.Context()
			var start, failed atomic.Int64
			for i := range resident {
				read(ctx, i) // connections and hints
			}
			b.ReportAllocs()
			b.SetParallelism(goroutines)
			b.ResetTimer()
			if goroutines == 1 {
				for i := 0; b.Loop(); i++ {
					if err := read(ctx, i*7919%resident); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for i := int(start.Add(7919)); pb.Next(); i++ {
					if err := read(ctx, i*7919%resident); err != nil {
						failed.Add(1)
					}
				}
			})
			if n := failed.Load(); n > 0 {
				b.Errorf("%d reads have failed", n)
			}
		})
	}
}

func BenchmarkGet(b *testing.B)              { reads(b, 1, libraries) }
func BenchmarkGet64Goroutines(b *testing.B)  { reads(b, 32, libraries) }
func BenchmarkGet512Goroutines(b *testing.B) { reads(b, 256, libraries) }

func BenchmarkTags(b *testing.B) {
	var all []library
	for _, n := range []int{0, 1, 3} {
		all = append(all, library{strconv.Itoa(n) + "-tags", func(b *testing.B) reader { return openLarder(b, n) }})
	}
	reads(b, 1, all)
}

func BenchmarkGetMany100(b *testing.B) {
	b.Run("lib=go-redis", func(b *testing.B) {
		openGoRedis(b)
		c := client(b)
		names := make([]string, resident)
		for i, k := range keys {
			names[i] = "raw:" + k
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			at := i * 100 % resident
			if err := c.MGet(b.Context(), names[at:at+100]...).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("lib=larder", func(b *testing.B) {
		s := filled(b, 1)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			at := i * 100 % resident
			if got, err := s.GetMany(b.Context(), keys[at:at+100]); err != nil || len(got) != 100 {
				b.Fatal(len(got), err)
			}
		}
	})
}

// BenchmarkInvalidateTag is of a tag that members entries have.
func BenchmarkInvalidateTag(b *testing.B) {
	b.Run("lib=INCR", func(b *testing.B) {
		c := client(b)
		for b.Loop() {
			if err := c.Incr(b.Context(), "counter").Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, members := range []int{10, 1000, 100_000} {
		b.Run("lib=larder/members="+strconv.Itoa(members), func(b *testing.B) {
			s := redisstore.New[int, []byte](open(b), "members", nil)
			tag := "members:" + strconv.Itoa(members)
			expires := cache.Now().Add(time.Hour)
			for at := 0; at < members; at += 1000 {
				var slots []cache.Slot[int]
				var entries []*cache.Entry[[]byte]
				for k := at; k < min(at+1000, members); k++ {
					slots = append(slots, cache.Slot[int]{Key: k, Tags: []string{tag}})
					entries = append(entries, &cache.Entry[[]byte]{Value: value[:64], Tags: []string{tag}, Fresh: expires, Expires: expires})
				}
				f, err := s.Reserve(b.Context(), slots...)
				if err == nil {
					_, err = f.Commit(b.Context(), entries...)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			space := open(b)
			for b.Loop() {
				if err := space.InvalidateTags(b.Context(), tag); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
