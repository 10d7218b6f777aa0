package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// rush is a shop full of people for a second.
type rush struct {
	*testing.T
	shop *Shop
	ids  []int64
	h    history
	ends time.Time
	// looks counts the calls of look.
	looks atomic.Int64
}

// TestNobodySeesAPriceOlderThanTheLastAcknowledgedOne has many readers and
// writers of the same few prices, on pages too, and judges afterwards what they
// have seen.
func TestNobodySeesAPriceOlderThanTheLastAcknowledgedOne(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("LARDER_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("LARDER_SEED: %v", err)
		}
	}
	t.Logf("LARDER_SEED=%d", seed)
	caches(t, func(t *testing.T, repo *Repo, shop *Shop) {
		r := &rush{T: t, shop: shop, ends: time.Now().Add(time.Second)}
		r.ids = add(t, shop, "fruit", "apple", "pear", "cherry", "grape", "plum", "fig", "melon", "lime")
		for _, id := range r.ids {
			r.h.wrote(id, span{100, -2, -1})
		}
		var all sync.WaitGroup
		for who := range uint64(12) {
			draw := rand.New(rand.NewPCG(seed, who))
			all.Go(func() {
				for time.Now().Before(r.ends) && !t.Failed() {
					switch {
					case who < 3:
						r.price(draw)
					case who < 5:
						r.passing(t.Context(), fmt.Sprint("season ", who))
						time.Sleep(time.Duration(draw.IntN(int(10 * time.Millisecond))))
					default:
						r.look(draw)
					}
				}
			})
		}
		all.Wait()
		var reads, writes int
		for _, id := range r.ids {
			reads, writes = reads+len(r.h.reads[id]), writes+len(r.h.writes[id])
		}
		t.Logf("%d prices read in %d calls and %d queries, %d written", reads, r.looks.Load(), repo.Queries(), writes)
		if writes < 20 || reads < 100 || repo.Queries() >= r.looks.Load() {
			t.Error("too few, or too few out of the cache, to say anything")
		}
		for i, v := range r.h.violations() {
			if i == 10 {
				t.Fatal("and so on")
			}
			t.Error(v)
		}
	})
}

// price changes a price.
func (r *rush) price(draw *rand.Rand) {
	id := r.ids[draw.IntN(len(r.ids))]
	begin := r.h.tick()
	price := 1000 + begin
	if _, err := r.shop.SetPrice(r.Context(), id, price); err != nil {
		r.Errorf("SetPrice: %v", err)
	}
	r.h.wrote(id, span{price, begin, r.h.tick()})
	time.Sleep(time.Duration(draw.IntN(int(20 * time.Millisecond)))) // or hardly anything would ever be in the cache
}

// look reads prices in one of the ways that there are.
func (r *rush) look(draw *rand.Rand) {
	r.looks.Add(1)
	id := r.ids[draw.IntN(len(r.ids))]
	begin := r.h.tick()
	seen := map[int64]Product{}
	var err error
	switch draw.IntN(3) {
	case 0:
		seen[id], err = r.shop.Product(r.Context(), id)
	case 1:
		seen, err = r.shop.Products(r.Context(), r.ids)
	default:
		var page Page
		page, err = r.shop.Page(r.Context(), PageKey{"fruit", id - 1, 1 + draw.IntN(3)})
		for _, p := range page.Products {
			seen[p.ID] = p
		}
	}
	end := r.h.tick()
	if err != nil || len(seen) == 0 {
		r.Errorf("read: %v, %v", seen, err)
	}
	for id, p := range seen {
		r.h.read(id, span{p.Price, begin, end})
	}
	time.Sleep(time.Duration(draw.IntN(int(200 * time.Microsecond))))
}

// passing adds a product and takes it out again. Whoever has done so sees it on
// the page, and then no more.
func (r *rush) passing(ctx context.Context, category string) {
	key := PageKey{Category: category, Limit: 10}
	p, err := r.shop.AddProduct(ctx, Product{Category: category, Name: "guest", Price: 1})
	page, pageErr := r.shop.Page(ctx, key)
	if err := errors.Join(err, pageErr); err != nil || len(page.Products) != 1 || page.Products[0] != p {
		r.Errorf("%+v is added, and the page is %+v, %v", p, page, err)
	}
	if got, err := r.shop.Product(ctx, p.ID); got != p || err != nil {
		r.Errorf("%+v is added, and found as %+v, %v", p, got, err)
	}
	err = r.shop.Remove(ctx, p.ID)
	if page, pageErr = r.shop.Page(ctx, key); err != nil || pageErr != nil || len(page.Products) != 0 {
		r.Errorf("%+v is removed, and the page is %+v, %v, %v", p, page, err, pageErr)
	}
	if got, err := r.shop.Product(ctx, p.ID); err != ErrNoProduct {
		r.Errorf("%+v is removed, and found as %+v, %v", p, got, err)
	}
}
