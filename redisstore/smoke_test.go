package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	m := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { rdb.Close() })
	space, err := redisstore.Open(ctx, rdb, "smoke", &redisstore.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(ctx) })
	var n cache.Counter
	s := redisstore.New(space, "users", &redisstore.StoreOptions[int64, string]{Observer: &n})
	fill, err := s.Reserve(ctx, cache.Slot[int64]{Key: 1, LateTags: true})
	if err != nil {
		t.Fatal(err)
	}
	now := cache.Now()
	out, err := fill.Commit(ctx, &cache.Entry[string]{Value: "one", Tags: []string{"org:a"}, Fresh: now.Add(time.Minute), Expires: now.Add(time.Hour)})
	t.Log(out, err)
	e, err := s.Get(ctx, 1)
	t.Log(e, err)
	if e == nil {
		t.Fatal("miss")
	}
	ok, err := cache.Put(ctx, s, 2, &cache.Entry[string]{Value: "two", Fresh: now.Add(time.Minute), Expires: now.Add(time.Hour)})
	t.Log(ok, err)
	mm, err := s.GetMany(ctx, []int64{1, 2, 3})
	t.Log(mm, err)
	if len(mm) != 2 {
		t.Fatal("many")
	}
	if err := s.Invalidate(ctx, 2); err != nil {
		t.Fatal(err)
	}
	for k := range 17 {
		t.Log(cache.Kind(k), n.Count(cache.Kind(k)))
	}
	t.Log(m.Keys())
}
