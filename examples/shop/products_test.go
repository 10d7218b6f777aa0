package main

import (
	"maps"
	"slices"
	"testing"
)

func TestAProductIsReadOnce(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		id := add(t, shop, "fruit", "apple")[0]
		if p, n, err := product(t, repo, shop, id); p.Name != "apple" || n != 1 || err != nil {
			t.Errorf("%+v with %d queries, %v", p, n, err)
		}
		if _, n, _ := product(t, repo, shop, id); n != 0 {
			t.Errorf("read again: %d queries", n)
		}
	})
}

func TestANewPriceIsInTheCacheAtOnce(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		id := add(t, shop, "fruit", "apple")[0]
		product(t, repo, shop, id)
		if _, err := shop.SetPrice(t.Context(), id, 250); err != nil {
			t.Fatal(err)
		}
		if p, n, err := product(t, repo, shop, id); p != (Product{id, "fruit", "apple", 250}) || n != 0 || err != nil {
			t.Errorf("%+v with %d queries, %v", p, n, err)
		}
	})
}

func TestARemovedProductIsGone(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		id := add(t, shop, "fruit", "apple")[0]
		product(t, repo, shop, id)
		if err := shop.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if p, n, err := product(t, repo, shop, id); n != 1 || err != ErrNoProduct {
			t.Errorf("%+v with %d queries, %v", p, n, err)
		}
		if found, err := shop.Products(t.Context(), []int64{id}); len(found) != 0 || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	})
}

func TestThatThereIsNoSuchProductIsKnownUntilThereIs(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		id := add(t, shop, "fruit", "apple")[0] + 1
		if _, n, err := product(t, repo, shop, id); n != 1 || err != ErrNoProduct {
			t.Errorf("asked twice: %d queries, %v", n, err)
		}
		if n := queries(repo, func() {
			if found, err := shop.Products(t.Context(), []int64{id, id}); len(found) != 0 || err != nil {
				t.Errorf("%v, %v", found, err)
			}
		}); n != 0 {
			t.Errorf("asked with others: %d queries", n)
		}
		if got := add(t, shop, "fruit", "pear")[0]; got != id {
			t.Fatalf("the new product has the id %d, not %d", got, id)
		}
		if p, n, err := product(t, repo, shop, id); p.Name != "pear" || n != 1 || err != nil {
			t.Errorf("%+v with %d queries, %v", p, n, err)
		}
	})
}

func TestManyProductsAreOneQuery(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		ids := add(t, shop, "fruit", "apple", "pear", "cherry", "grape", "plum")
		product(t, repo, shop, ids[0])
		unknown := ids[4] + 1
		for i, want := range []int64{1, 0} {
			if n := queries(repo, func() {
				for range 2 { // the second waits until the first is stored
					found, err := shop.Products(t.Context(), append([]int64{unknown, ids[3]}, ids...))
					if got := slices.Sorted(maps.Keys(found)); err != nil || !slices.Equal(got, ids) {
						t.Errorf("found %v, %v", got, err)
					}
				}
			}); n != want {
				t.Errorf("round %d: %d queries, want %d", i, n, want)
			}
		}
		// What the Batch has read, the Loader finds.
		if p, n, err := product(t, repo, shop, ids[4]); p.Name != "plum" || n != 0 || err != nil {
			t.Errorf("%+v with %d queries, %v", p, n, err)
		}
	})
}

func TestNoProductsAreNoQuery(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		if n := queries(repo, func() {
			if found, err := shop.Products(t.Context(), nil); len(found) != 0 || err != nil {
				t.Errorf("%v, %v", found, err)
			}
		}); n != 0 {
			t.Errorf("%d queries", n)
		}
	})
}
