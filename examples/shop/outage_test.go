package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// outage returns a shop with one product, on a Redis that has died.
func outage(t *testing.T, o Options) (repo *Repo, shop *Shop, id int64) {
	t.Helper()
	server := redistest.Private(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { rdb.Close() })
	space, err := redisstore.Open(t.Context(), rdb, "shop", &redisstore.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	o.Space = space
	repo = openRepo(t)
	shop = NewShop(repo, o)
	id = add(t, shop, "fruit", "apple")[0]
	server.Kill()
	return repo, shop, id
}

func TestWithoutRedisEverythingCanBeRead(t *testing.T) {
	repo, shop, id := outage(t, Options{})
	if p, n, err := product(t, repo, shop, id); p.Name != "apple" || n != 2 || err != nil {
		t.Errorf("%+v with %d queries, %v", p, n, err)
	}
	if found, err := shop.Products(t.Context(), []int64{id, id + 1}); len(found) != 1 || err != nil {
		t.Errorf("%v, %v", found, err)
	}
	if page, err := shop.Page(t.Context(), PageKey{"fruit", 0, 3}); len(page.Products) != 1 || err != nil {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := shop.Product(t.Context(), id+1); err != ErrNoProduct {
		t.Errorf("%v is not the database's own error", err)
	}
}

// What a customer of the shop reads is the same, line by line, whether Redis is
// there or not. How often the database is asked is not: that is what is left out.
func TestReadsPrintTheSameWithoutRedis(t *testing.T) {
	printed := func(server *redisproc.Server) string {
		rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
		defer rdb.Close()
		space, err := redisstore.Open(t.Context(), rdb, "shop", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer space.Close(context.Background())
		repo := openRepo(t)
		ids := add(t, NewShop(repo, Options{}), "fruit", "apple", "pear", "cherry", "grape") // past the cache
		shop := NewShop(repo, Options{Space: space})
		var out strings.Builder
		for range 2 {
			for _, id := range append(ids, ids[3]+1) {
				p, err := shop.Product(t.Context(), id)
				fmt.Fprintln(&out, p, err)
			}
			found, err := shop.Products(t.Context(), ids)
			fmt.Fprintln(&out, found, err)
			for _, after := range []int64{0, ids[2]} {
				page, err := shop.Page(t.Context(), PageKey{"fruit", after, 3})
				fmt.Fprintln(&out, page, err)
			}
		}
		return out.String()
	}
	server := redistest.Private(t)
	with := printed(server)
	server.Kill()
	if without := printed(server); without != with || strings.Count(with, "apple") != 6 || strings.Count(with, ErrNoProduct.Error()) != 2 {
		t.Errorf("with Redis:\n%swithout:\n%s", with, without)
	}
}

func TestWithoutRedisNothingIsWritten(t *testing.T) {
	repo, shop, id := outage(t, Options{})
	_, addErr := shop.AddProduct(t.Context(), Product{Category: "fruit", Name: "pear"})
	_, priceErr := shop.SetPrice(t.Context(), id, 250)
	for what, err := range map[string]error{"AddProduct": addErr, "SetPrice": priceErr, "Remove": shop.Remove(t.Context(), id)} {
		if !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, cache.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	page, err := repo.Page(t.Context(), PageKey{"fruit", 0, 3})
	if err != nil || len(page.Products) != 1 || page.Products[0].Price != 100 {
		t.Errorf("the database has %+v, %v", page, err)
	}
}

func TestAShopThatFailsOpenWritesWithoutRedisAndSaysSo(t *testing.T) {
	_, shop, id := outage(t, Options{FailOpen: true})
	var told *cache.PostCommitError
	p, err := shop.SetPrice(t.Context(), id, 250)
	if !errors.As(err, &told) || p.Price != 250 {
		t.Errorf("SetPrice: %+v, %v", p, err)
	}
	pear, err := shop.AddProduct(t.Context(), Product{Category: "fruit", Name: "pear"})
	if !errors.As(err, &told) || pear.ID == 0 {
		t.Errorf("AddProduct: %+v, %v", pear, err)
	}
	// This process at least has seen it.
	for _, want := range []Product{p, pear} {
		if got, err := shop.Product(t.Context(), want.ID); got != want || err != nil {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	if err := shop.Remove(t.Context(), id); !errors.As(err, &told) {
		t.Errorf("Remove: %v", err)
	}
	if got, err := shop.Product(t.Context(), id); err != ErrNoProduct {
		t.Errorf("after Remove: %+v, %v", got, err)
	}
}
