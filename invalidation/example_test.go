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

// The row, and the lists it is in, are taken away before the transaction commits.
func ExampleDomain_Mutate() {
	ctx := context.Background()
	domain := invalidation.NewDomain()
	users := memstore.New[int, string](domain, 100, nil)
	lists := memstore.New[string, int](domain, 100, nil)

	in := cache.Now().Add(time.Minute)
	cache.Put(ctx, users, 42, &cache.Entry[string]{Value: "Ada", Fresh: in, Expires: in})
	cache.Put(ctx, lists, "acme", &cache.Entry[int]{Value: 7, Tags: []string{"org:acme"}, Fresh: in, Expires: in})

	targets := []invalidation.Target{invalidation.Keys(users, 42), invalidation.Tag("org:acme")}
	err := domain.Mutate(ctx, targets, func(ctx context.Context) error {
		return nil // tx.Commit()
	})
	u, _ := users.Get(ctx, 42)
	l, _ := lists.Get(ctx, "acme")
	fmt.Println(u, l, err)
	// Output: <nil> <nil> <nil>
}
