// Command shop is a whole program on Larder: a repository over a SQL database,
// and in front of it a cache in memory and, with -redis, in Redis. It fills a
// shop, reads and changes it, and says what the database was asked for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func main() {
	var db, url string
	flag.StringVar(&db, "db", "", "`file` of the database; without it, one that is removed in the end")
	flag.StringVar(&url, "redis", "", "`URL` of a Redis server, such as redis://localhost:6379; without it, memory is all the cache there is")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, db, url); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

// run opens what the flags name, and tells the story.
func run(ctx context.Context, out io.Writer, db, redisURL string) (err error) {
	if db == "" {
		dir, err := os.MkdirTemp("", "shop")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		db = filepath.Join(dir, "shop.db")
	}
	repo, err := OpenRepo(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	var far cache.Counter
	var space *redisstore.Space
	if redisURL != "" {
		o, err := redis.ParseURL(redisURL)
		if err != nil {
			return err
		}
		rdb := redis.NewClient(o)
		defer rdb.Close()
		if space, err = redisstore.Open(ctx, rdb, "larder-example-shop", &redisstore.Options{Observer: &far}); err != nil {
			return err
		}
		defer space.Close(ctx)
		// Ids of a new database begin at 1 again: what Redis has from an earlier
		// run is of other products.
		if err := space.Clear(ctx); err != nil {
			return err
		}
	}
	var near cache.Counter
	if err := tell(ctx, out, repo, NewShop(repo, Options{Space: space, Observer: &near})); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nqueries: %d\nin memory: %d hits, %d misses\n", repo.Queries(), near.Count(cache.Hit), near.Misses())
	if space != nil {
		fmt.Fprintf(out, "in Redis: %d hits, %d misses\n", far.Count(cache.Hit), far.Misses())
	}
	return nil
}
