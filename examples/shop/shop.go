package main

import (
	"context"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/larder-cache/larder/writethrough"
)

// Options change what a Shop does. The zero Options are the defaults.
type Options struct {
	// Space is the cache that the processes of the shop share. Without one,
	// there is only memory, which is right as long as there is only one process.
	Space *redisstore.Space
	// Fresh is how long a product or a page may be served from a cache if nobody says that
	// it has changed. What another process changes leaves memory at once, or at the end of
	// the lease of the Space. The default is 30s.
	Fresh time.Duration
	// FailOpen takes orders for new products, prices and removals also while
	// Redis is away. Other processes may then show the old price for as long as Fresh,
	// and the caller is told so by a *cache.PostCommitError. The default is to
	// refuse, with cache.ErrNotStarted.
	FailOpen bool
	// Observer is told of what happens in memory, and of loads.
	Observer cache.Observer
}

// Shop is a Repo behind a cache. What it returns is shared: it is not to be
// changed. After a change has returned nil, nobody who asks this Shop later sees
// what was before.
type Shop struct {
	products *aside.Batch[int64, Product]
	page     *aside.Loader[PageKey, Page]
	add      *writethrough.Writer[int64, Product]
	setPrice *writethrough.Writer[int64, Product]
	remove   func(context.Context, int64) error
}

// NewShop returns a Shop that sells what is in repo.
func NewShop(repo *Repo, o Options) *Shop {
	if o.Fresh == 0 {
		o.Fresh = 30 * time.Second
	}
	policy := invalidation.TTL(o.Fresh)
	policy.Negative = o.Fresh

	domain := invalidation.NewDomain()
	if o.Space != nil {
		domain = o.Space.Domain
	}
	products := openStore[int64, Product](o, domain, "products", 10_000)
	pages := openStore[PageKey, Page](o, domain, "pages", 1_000)

	// A Batch reads single products too, so that all reads of products share their loads.
	byID := &aside.Options[int64, Product]{Name: "products", NotFound: ErrNoProduct, Observer: o.Observer}
	return &Shop{
		products: aside.NewBatch(products, repo.Products, policy, byID),
		page: aside.New(pages, repo.Page, invalidation.TTL(o.Fresh), &aside.Options[PageKey, Page]{
			Name: "pages", Tags: pageTags, Observer: o.Observer,
		}),
		// A new product has no id when its Write begins. With the one that it
		// gets, the Writer takes away the answer that there is no such product.
		add: writethrough.New(products, key, repo.Insert, policy, &writethrough.Options[int64, Product]{
			Invalidates: func(_ int64, p Product) []string { return []string{endTag(p.Category)} },
			Domain:      domain,
			FailOpen:    o.FailOpen,
		}),
		setPrice: writethrough.New(products, key, func(ctx context.Context, p Product) (Product, error) {
			return repo.SetPrice(ctx, p.ID, p.Price)
		}, policy, &writethrough.Options[int64, Product]{
			Invalidates: func(id int64, _ Product) []string { return []string{productTag(id)} },
			Domain:      domain,
			FailOpen:    o.FailOpen,
		}),
		remove: writethrough.Delete(products, repo.Delete, &writethrough.DeleteOptions[int64]{
			Invalidates: func(id int64) []string { return []string{productTag(id)} },
			Domain:      domain,
			FailOpen:    o.FailOpen,
		}),
	}
}

// openStore returns memory in front of Redis, or memory alone.
func openStore[K comparable, V any](o Options, domain *invalidation.Domain, name string, capacity int) cache.Cache[K, V] {
	near := memstore.New(domain, capacity, &memstore.Options[K, V]{Name: name, Observer: o.Observer})
	if o.Space == nil {
		return near
	}
	return cache.Tiered[K, V](near, redisstore.New[K, V](o.Space, name, nil))
}

func key(p Product) int64 { return p.ID }

// Product returns a product, or ErrNoProduct.
func (s *Shop) Product(ctx context.Context, id int64) (Product, error) {
	return s.products.Get(ctx, id)
}

// Products returns those of the products that exist. Those that no cache has
// are read in one query.
func (s *Shop) Products(ctx context.Context, ids []int64) (map[int64]Product, error) {
	return s.products.GetMany(ctx, ids)
}

// Page returns a page of the list of a category.
func (s *Shop) Page(ctx context.Context, key PageKey) (Page, error) { return s.page.Get(ctx, key) }

// AddProduct adds a product and returns it with its id. The pages at the end of
// the list of its category are loaded again when somebody asks for them; all
// others stay.
//
// A *cache.PostCommitError beside the product says that it is added, but that a
// cache may not know it yet.
func (s *Shop) AddProduct(ctx context.Context, p Product) (Product, error) {
	p.ID = 0
	return s.add.Write(ctx, p)
}

// SetPrice changes the price of a product and returns all of the product, or
// ErrNoProduct. The pages that it is on are loaded again when somebody asks for
// them. The error may be a *cache.PostCommitError, as in AddProduct.
func (s *Shop) SetPrice(ctx context.Context, id, price int64) (Product, error) {
	return s.setPrice.Write(ctx, Product{ID: id, Price: price})
}

// Remove takes a product out of the shop, or returns ErrNoProduct. The page that
// it was on is loaded again, and ends with a product more than before; those
// behind it are named by cursors, so they are what they were. The error may be a
// *cache.PostCommitError, as in AddProduct.
func (s *Shop) Remove(ctx context.Context, id int64) error { return s.remove(ctx, id) }
