package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// What the program prints, with memory as all the cache there is.
func Example() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	repo, err := OpenRepo(ctx, filepath.Join(dir, "shop.db"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer repo.Close()
	if err := tell(ctx, os.Stdout, repo, NewShop(repo, Options{})); err != nil {
		fmt.Println(err)
	}
	// Output:
	// read a product                   queries 1: apple 10
	// read it again                    queries 0: apple 10
	// read all seven at once           queries 1: 7 products
	// two walk through the list        queries 3: apple pear cherry | grape plum fig | melon
	// raise the price of the plum      queries 0: plum 45
	// read the plum                    queries 0: plum 45
	// two walk: one page is new        queries 1: apple pear cherry | grape plum fig | melon
	// ask for a product to come        queries 1: no such product
	// ask again                        queries 0: no such product
	// add it                           queries 0: lime 30
	// read it                          queries 1: lime 30
	// two walk: the last page is new   queries 1: apple pear cherry | grape plum fig | melon lime
	// remove the apple                 queries 0: gone
	// read the apple                   queries 1: no such product
	// two walk: the first page is new  queries 1: pear cherry grape | grape plum fig | melon lime
}
