package aside_test

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

func ExampleLoader_lookup() {
	ctx := context.Background()
	store := memstore.New[string, Book](nil, 1000, nil)
	shelf := library{"1-55860-190-2": {Title: "Transaction Processing"}}
	books := aside.New(store, shelf.Book, invalidation.Resilient(5*time.Minute), nil)

	show := func(w aside.Wish) {
		a, err := books.Lookup(ctx, "1-55860-190-2", w)
		fmt.Println(a.Value.Title, a.Level, a.Stale, err)
	}
	show(aside.Wish{CacheOnly: true})
	show(aside.Wish{MaxAge: time.Minute})
	books.Close(ctx) // so that it is stored for certain

	books = aside.New(store, shelf.Book, invalidation.Resilient(5*time.Minute), nil)
	show(aside.Wish{CacheOnly: true})
	// Output:
	// origin false larder: not in the cache
	// SELECT 1-55860-190-2
	// Transaction Processing origin false <nil>
	// Transaction Processing memory false <nil>
}

func ExampleOptions_switch() {
	ctx := context.Background()
	shop := cache.NewSwitch(nil) // of all caches in a space
	users := cache.NewSwitch(shop)
	var seen cache.Counter
	names := aside.New(memstore.New[int, string](nil, 1000, nil), func(context.Context, int) (string, error) {
		return "Ada", nil
	}, invalidation.TTL(time.Minute), &aside.Options[int, string]{Switch: users, Observer: &seen})

	shop.Set(cache.ModeBypass, 100) // while the program runs
	for range 3 {
		names.Get(ctx, 42)
	}
	fmt.Println(seen.Count(cache.Direct), "reads of the origin,", seen.Count(cache.FillStored), "fills")
	// Output:
	// 3 reads of the origin, 0 fills
}
