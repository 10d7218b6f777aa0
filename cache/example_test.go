package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
)

// A value that was loaded before an invalidation is never stored after it.
func Example() {
	ctx := context.Background()
	store := storetest.Reference().Store // in earnest: memstore or redisstore

	fill, _ := store.Reserve(ctx, cache.Slot[string]{Key: "user:42"})
	name := "the old name"           // read from the database
	store.Invalidate(ctx, "user:42") // while somebody else changes it
	end := cache.Now().Add(time.Minute)
	outcomes, _ := fill.Commit(ctx, &cache.Entry[string]{Value: name, Fresh: end, Expires: end})

	e, err := store.Get(ctx, "user:42")
	fmt.Println(outcomes, e == nil, err)
	// Output: [refused] true <nil>
}

func ExamplePut() {
	ctx := context.Background()
	store := storetest.Reference().Store

	end := cache.Now().Add(time.Hour)
	stored, _ := cache.Put(ctx, store, "session", &cache.Entry[string]{Value: "Ada", Fresh: end, Expires: end})
	e, _ := store.Get(ctx, "session")
	fmt.Println(stored, e.Value)
	// Output: true Ada
}

func ExampleTiered() {
	ctx := context.Background()
	memory, shared := storetest.Reference().Store, storetest.Reference().Store
	store := cache.Tiered(memory, shared)

	end := cache.Now().Add(time.Hour)
	cache.Put(ctx, shared, "k", &cache.Entry[string]{Value: "v", Fresh: end, Expires: end})
	store.Get(ctx, "k")
	e, _ := memory.Get(ctx, "k")
	fmt.Println("in memory:", e.Value)

	store.Invalidate(ctx, "k")
	e, _ = memory.Get(ctx, "k")
	fmt.Println("in memory:", e)
	// Output:
	// in memory: v
	// in memory: <nil>
}

func ExampleCounter() {
	var seen cache.Counter
	var o cache.Observer = &seen // give it to a store

	o.Observe(cache.Event{Kind: cache.Hit, N: 3})
	o.Observe(cache.Event{Kind: cache.MissTag, N: 1})
	fmt.Println(seen.Count(cache.Hit), "hits,", seen.Misses(), "miss")
	// Output: 3 hits, 1 miss
}

func ExampleSchemaOf() {
	type user struct{ Name string }
	type account struct{ Name string }
	type person struct{ FullName string }
	fmt.Println(cache.SchemaOf[user]() == cache.SchemaOf[account](), cache.SchemaOf[user]() == cache.SchemaOf[person]())
	// Output: true false
}
