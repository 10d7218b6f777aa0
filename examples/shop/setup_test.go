package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// openRepo returns an empty database in a file.
func openRepo(t testing.TB) *Repo {
	t.Helper()
	repo, err := OpenRepo(t.Context(), filepath.Join(t.TempDir(), "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	return repo
}

// openSpace returns a space on the Redis server of the tests.
func openSpace(t testing.TB, name string) *redisstore.Space {
	t.Helper()
	space, err := redisstore.Open(t.Context(), redistest.Client(t), name, &redisstore.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return space
}

// caches runs a test with memory alone, and with memory before Redis.
func caches(t *testing.T, test func(t *testing.T, repo *Repo, shop *Shop)) {
	t.Run("memory", func(t *testing.T) {
		repo := openRepo(t)
		test(t, repo, NewShop(repo, Options{Fresh: time.Hour}))
	})
	t.Run("redis", func(t *testing.T) {
		repo := openRepo(t)
		test(t, repo, NewShop(repo, Options{Fresh: time.Hour, Space: openSpace(t, "shop-"+rand.Text())}))
	})
}

// add adds products to a category, with the price 100, and returns their ids.
func add(t *testing.T, shop *Shop, category string, names ...string) (ids []int64) {
	t.Helper()
	for _, name := range names {
		p, err := shop.AddProduct(t.Context(), Product{Category: category, Name: name, Price: 100})
		if err != nil {
			t.Fatal(err)
		}
		if want := (Product{p.ID, category, name, 100}); p != want || p.ID == 0 {
			t.Fatalf("added %+v as %+v", want, p)
		}
		ids = append(ids, p.ID)
	}
	return ids
}

// queries returns how often the database is asked when do runs.
func queries(repo *Repo, do func()) int64 {
	before := repo.Queries()
	do()
	return repo.Queries() - before
}

// reloaded reads every page and returns those for which the database was asked.
// Each must be what the database has. It reads twice: a Get may return before
// its value is stored, and the next one waits for that.
func reloaded(t *testing.T, repo *Repo, shop *Shop, pages ...PageKey) (loaded []PageKey) {
	t.Helper()
	for _, key := range pages {
		var got Page
		n := queries(repo, func() {
			for range 2 {
				var err error
				if got, err = shop.Page(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
		})
		if n > 1 {
			t.Errorf("%+v was loaded %d times", key, n)
		}
		if n > 0 {
			loaded = append(loaded, key)
		}
		if want, err := repo.Page(t.Context(), key); err != nil || !slices.Equal(got.Products, want.Products) || got.Next != want.Next {
			t.Errorf("%+v is %+v, and in the database %+v, %v", key, got, want, err)
		}
	}
	return loaded
}

// product reads a product twice, and returns it with the number of queries.
func product(t *testing.T, repo *Repo, shop *Shop, id int64) (p Product, n int64, err error) {
	t.Helper()
	n = queries(repo, func() {
		shop.Product(t.Context(), id)
		p, err = shop.Product(t.Context(), id)
	})
	return p, n, err
}
