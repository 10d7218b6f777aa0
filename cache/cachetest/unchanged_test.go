package cachetest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/cachetest"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/writethrough"
)

type cart struct {
	ID    int
	Items []string
	By    map[string]*cart
	Any   any
	Self  *cart
	sum   int
}

// changes returns what is reported of a test that uses a store of carts.
func changes(t *testing.T, use func(t *testing.T, store cache.Cache[int, *cart])) []string {
	n := &noted{}
	t.Run("", func(t *testing.T) {
		n.TB = t
		use(t, cachetest.Unchanged[int, *cart](n, memstore.New[int, *cart](invalidation.NewDomain(), 100, nil)))
	})
	return n.errors
}

func TestUnchanged_ASharedValueThatIsChangedFailsTheTest(t *testing.T) {
	ctx := context.Background()
	policy := invalidation.TTL(invalidation.Forever)
	full := func() *cart {
		c := &cart{ID: 7, Items: []string{"a", "b"}, By: map[string]*cart{"x": {ID: 8}}, Any: []int{1}, sum: 3}
		c.Self = c
		return c
	}
	for want, change := range map[string]func(*cart){
		"":                  func(*cart) {},
		"value.ID":          func(c *cart) { c.ID = 9 },
		"value.Items[1]":    func(c *cart) { c.Items[1] = "c" },
		"value.Items has 3": func(c *cart) { c.Items = append(c.Items, "c") },
		`value.By["x"].ID`:  func(c *cart) { c.By["x"].ID = 9 },
		"value.Any[0]":      func(c *cart) { c.Any.([]int)[0] = 2 },
		"value.sum":         func(c *cart) { c.sum++ },
	} {
		for how, use := range map[string]func(t *testing.T, store cache.Cache[int, *cart]){
			"saved": func(t *testing.T, store cache.Cache[int, *cart]) {
				w := writethrough.New(store, func(c *cart) int { return c.ID }, writethrough.Echo(func(context.Context, *cart) error { return nil }), policy, nil)
				c := full()
				if _, err := w.Write(ctx, c); err != nil {
					t.Fatal(err)
				}
				change(c)
			},
			"returned": func(t *testing.T, store cache.Cache[int, *cart]) {
				l := aside.New(store, func(context.Context, int) (*cart, error) { return full(), nil }, policy, nil)
				for range 2 {
					if _, err := l.Get(ctx, 7); err != nil {
						t.Fatal(err)
					}
				}
				c, err := l.Get(ctx, 7)
				if err != nil {
					t.Fatal(err)
				}
				change(c)
			},
		} {
			got := changes(t, use)
			if want == "" && got != nil || want != "" && (len(got) == 0 || !strings.Contains(got[0], want)) {
				t.Errorf("%s: reported are %q, want %q", how, got, want)
			}
		}
	}
}

func TestUnchanged_KeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		s := storetest.Reference()
		s.Store = cachetest.Unchanged(t, s.Store)
		return s
	})
}
