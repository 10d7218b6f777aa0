package memstore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
)

func Example() {
	ctx := context.Background()
	names := memstore.New[int64, string](nil, 10_000, nil)
	now := cache.Now()
	cache.Put(ctx, names, 42, &cache.Entry[string]{
		Value: "Ada", Tags: []string{"org:acme"},
		Fresh: now.Add(time.Minute), Expires: now.Add(time.Minute),
	})
	e, _ := names.Get(ctx, 42)
	fmt.Println(e.Value)

	names.Domain().InvalidateTags(ctx, "org:acme")
	e, _ = names.Get(ctx, 42)
	fmt.Println(e)
	// Output:
	// Ada
	// <nil>
}
