package redisstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func Example() {
	server, err := miniredis.Run() // in place of a real Redis
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()

	ctx := context.Background()
	space, err := redisstore.Open(ctx, rdb, "shop", nil)
	if err != nil {
		panic(err)
	}
	defer space.Close(ctx)
	names := redisstore.New[int64, string](space, "names", nil)

	now := cache.Now()
	cache.Put(ctx, names, 42, &cache.Entry[string]{
		Value: "Ada", Tags: []string{"org:acme"},
		Fresh: now.Add(time.Minute), Expires: now.Add(time.Hour),
	})
	e, _ := names.Get(ctx, 42)
	fmt.Println(e.Value)

	space.InvalidateTags(ctx, "org:acme")
	e, _ = names.Get(ctx, 42)
	fmt.Println(e)
	// Output:
	// Ada
	// <nil>
}
