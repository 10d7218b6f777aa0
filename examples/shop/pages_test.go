package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/larder-cache/larder/cache"
)

// list is seven kinds of fruit on three pages, the last one not full, and pages
// of other cursors, sizes and categories.
type list struct {
	fruit, nuts                 []int64
	first, middle, last         PageKey
	beyond, all, full, nutsLast PageKey
}

func newList(t *testing.T, repo *Repo, shop *Shop) (l list, pages []PageKey) {
	t.Helper()
	l.fruit = add(t, shop, "fruit", "apple", "pear", "cherry", "grape", "plum", "fig", "melon")
	l.nuts = add(t, shop, "nuts", "hazel", "pecan")
	l.first = PageKey{"fruit", 0, 3}
	l.middle = PageKey{"fruit", l.fruit[2], 3}
	l.last = PageKey{"fruit", l.fruit[5], 3}
	l.beyond = PageKey{"fruit", l.fruit[6], 3} // empty
	l.all = PageKey{"fruit", 0, 100}
	l.full = PageKey{"fruit", 0, 7} // exactly full
	l.nutsLast = PageKey{"nuts", 0, 3}
	pages = []PageKey{l.first, l.middle, l.last, l.beyond, l.all, l.full, l.nutsLast}
	if got := reloaded(t, repo, shop, pages...); !slices.Equal(got, pages) {
		t.Fatalf("only %v are loaded at first", got)
	}
	if got := reloaded(t, repo, shop, pages...); got != nil {
		t.Fatalf("%v are not kept", got)
	}
	return l, pages
}

// expect checks which pages are loaded after a change, and that they are kept
// from then on.
func expect(t *testing.T, repo *Repo, shop *Shop, pages []PageKey, want ...PageKey) {
	t.Helper()
	if got := reloaded(t, repo, shop, pages...); !slices.Equal(got, want) {
		t.Errorf("loaded again: %v, want %v", got, want)
	}
	if got := reloaded(t, repo, shop, pages...); got != nil {
		t.Errorf("loaded once more: %v", got)
	}
}

func TestANewProductLoadsThePagesThatItIsOnAndNoOther(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		l, pages := newList(t, repo, shop)
		lime := add(t, shop, "fruit", "lime")[0]
		expect(t, repo, shop, pages, l.last, l.beyond, l.all)
		// The last page is full now, and a product more is not for it.
		add(t, shop, "fruit", "date")
		expect(t, repo, shop, pages, l.last, l.beyond, l.all)
		add(t, shop, "fruit", "kiwi")
		expect(t, repo, shop, pages, l.beyond, l.all)
		page, err := shop.Page(t.Context(), l.last)
		if err != nil || len(page.Products) != 3 || page.Products[1].ID != lime || page.Next != page.Products[2].ID {
			t.Errorf("the last page is %+v, %v", page, err)
		}
	})
}

func TestAnotherPriceLoadsThePagesThatTheProductIsOnAndNoOther(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		l, pages := newList(t, repo, shop)
		for _, c := range []struct {
			id   int64
			want []PageKey
		}{
			{l.fruit[4], []PageKey{l.middle, l.all, l.full}},
			{l.fruit[6], []PageKey{l.last, l.all, l.full}},
			{l.nuts[0], []PageKey{l.nutsLast}},
		} {
			if p, err := shop.SetPrice(t.Context(), c.id, 250); err != nil || p.Price != 250 || p.Name == "" {
				t.Fatalf("%+v, %v", p, err)
			}
			expect(t, repo, shop, pages, c.want...)
		}
	})
}

func TestARemovedProductLoadsThePagesThatItWasOnAndNoOther(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		l, pages := newList(t, repo, shop)
		if err := shop.Remove(t.Context(), l.fruit[1]); err != nil {
			t.Fatal(err)
		}
		// Of seven, six are left: the page of seven now ends with the category.
		expect(t, repo, shop, pages, l.first, l.all, l.full)
		add(t, shop, "fruit", "lime")
		expect(t, repo, shop, pages, l.last, l.beyond, l.all, l.full)
		// A cursor may be a product that is no more.
		if err := shop.Remove(t.Context(), l.fruit[2]); err != nil {
			t.Fatal(err)
		}
		expect(t, repo, shop, pages, l.first, l.all, l.full)
	})
}

func TestAChangeOfNoProductLoadsNoPage(t *testing.T) {
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		_, pages := newList(t, repo, shop)
		if _, err := shop.SetPrice(t.Context(), 99, 1); err != ErrNoProduct {
			t.Errorf("SetPrice: %v", err)
		}
		if err := shop.Remove(t.Context(), 99); err != ErrNoProduct {
			t.Errorf("Remove: %v", err)
		}
		expect(t, repo, shop, pages)
	})
}

func TestAPageOfAnImpossibleSizeIsAnError(t *testing.T) {
	shop := NewShop(openRepo(t), Options{})
	for _, limit := range []int{-1, 0, MaxPage + 1} {
		if page, err := shop.Page(t.Context(), PageKey{"fruit", 0, limit}); err == nil || errors.Is(err, cache.ErrUnavailable) {
			t.Errorf("%d: %+v, %v", limit, page, err)
		}
	}
}
