package invalidation_test

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

func ExamplePolicy() {
	p := invalidation.Policy{Fresh: time.Minute, Stale: time.Hour}
	fresh, expires := p.Value(cache.Moment(0))
	fmt.Println(fresh.Sub(0), expires.Sub(0))

	p.Negative = -time.Second
	fmt.Println(p.Validate())
	// Output:
	// 1m0s 1h1m0s
	// larder: Policy.Negative is -1s: it cannot be negative
}

// Stores that share a Domain lose together what carries a tag.
func ExampleDomain() {
	ctx := context.Background()
	domain := invalidation.NewDomain()
	users := memstore.New[int, string](domain, 100, nil)
	orders := memstore.New[string, int](domain, 100, nil)

	in := cache.Now().Add(time.Minute)
	cache.Put(ctx, users, 42, &cache.Entry[string]{Value: "Ada", Tags: []string{"org:acme"}, Fresh: in, Expires: in})
	cache.Put(ctx, orders, "A-1", &cache.Entry[int]{Value: 7, Tags: []string{"org:acme", "open"}, Fresh: in, Expires: in})

	fmt.Println(domain.InvalidateTags(ctx, "org:acme"))
	u, _ := users.Get(ctx, 42)
	o, _ := orders.Get(ctx, "A-1")
	fmt.Println(u, o)
	// Output:
	// <nil>
	// <nil> <nil>
}
