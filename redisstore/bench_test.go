package redisstore

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

func benchStore(b *testing.B) (*redis.Client, *Store[string, string]) {
	srv := redistest.Private(b)
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr()})
	b.Cleanup(func() { rdb.Close() })
	space, err := Open(b.Context(), rdb, "bench", &Options{Timeout: 10 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { space.Close(context.Background()) })
	return rdb, New[string, string](space, "s", nil)
}

func benchEntry(v string, tags ...string) *cache.Entry[string] {
	now := cache.Now()
	return &cache.Entry[string]{Value: v, Tags: tags, Fresh: now.Add(time.Hour), Expires: now.Add(time.Hour)}
}

// BenchmarkHit compares a hit with a plain GET of the same 1 KiB.
func BenchmarkHit(b *testing.B) {
	rdb, s := benchStore(b)
	ctx := b.Context()
	value := strings.Repeat("x", 1024)
	rdb.Set(ctx, "plain", value, 0)
	for tags := range 4 {
		e := benchEntry(value)
		for i := range tags {
			e.Tags = append(e.Tags, "tag"+strconv.Itoa(i))
		}
		if _, err := cache.Put(ctx, s, "k"+strconv.Itoa(tags), e); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("go-redis GET", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rdb.Get(ctx, "plain").Result()
		}
	})
	for _, tags := range []int{0, 1, 3} {
		b.Run("tags="+strconv.Itoa(tags), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if e, err := s.Get(ctx, "k"+strconv.Itoa(tags)); e == nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFill100 decides whether a fill has many slots: 100 keys are reserved
// and committed at once, one after the other, and by 100 goroutines.
func BenchmarkFill100(b *testing.B) {
	_, s := benchStore(b)
	ctx := b.Context()
	const n = 100
	slots := make([]cache.Slot[string], n)
	entries := make([]*cache.Entry[string], n)
	for i := range slots {
		slots[i] = cache.Slot[string]{Key: strconv.Itoa(i), Tags: []string{"t" + strconv.Itoa(i%10)}}
		entries[i] = benchEntry("value", slots[i].Tags...)
	}
	one := func(i int) {
		f, err := s.Reserve(ctx, slots[i])
		if err != nil {
			b.Error(err)
			return
		}
		if _, err := f.Commit(ctx, entries[i]); err != nil {
			b.Error(err)
		}
	}
	b.Run("slots", func(b *testing.B) {
		for b.Loop() {
			f, err := s.Reserve(ctx, slots...)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := f.Commit(ctx, entries...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("goroutines", func(b *testing.B) {
		for b.Loop() {
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { one(i) })
			}
			wg.Wait()
		}
	})
	b.Run("one by one", func(b *testing.B) {
		for b.Loop() {
			for i := range n {
				one(i)
			}
		}
	})
}
