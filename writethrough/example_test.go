package writethrough_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/writethrough"
)

// User is what the examples write.
type User struct {
	ID   int64
	Name string
}

// Key returns the key under which a user is cached.
func (u User) Key() int64 { return u.ID }

// database has users, and counts what it is asked.
type database map[int64]User

func (d database) User(_ context.Context, id int64) (User, error) {
	fmt.Println("SELECT", id)
	return d[id], nil
}

func (d database) Save(_ context.Context, u User) error {
	fmt.Println("UPDATE", u.ID)
	d[u.ID] = u
	return nil
}

func Example() {
	ctx := context.Background()
	db := database{42: {42, "Ada"}}
	policy := invalidation.TTL(5 * time.Minute)
	store := memstore.New[int64, User](nil, 10_000, nil)
	users := aside.New(store, db.User, policy, nil)
	save := writethrough.New(store, User.Key, writethrough.Echo(db.Save), policy, nil)

	_, err := save.Write(ctx, User{42, "Ada L."})
	var told *cache.PostCommitError
	switch {
	case errors.As(err, &told): // written; only the cache could not be told
	case err != nil: // the database's error, or cache.ErrNotStarted
		return
	}
	u, err := users.Get(ctx, 42) // a hit
	fmt.Println(u.Name, err)
	// Output:
	// UPDATE 42
	// Ada L. <nil>
}

func ExampleDelete() {
	ctx := context.Background()
	db := database{42: {42, "Ada"}}
	store := memstore.New[int64, User](nil, 10_000, nil)
	users := aside.New(store, db.User, invalidation.TTL(5*time.Minute), nil)
	remove := writethrough.Delete(store, func(_ context.Context, id int64) error {
		fmt.Println("DELETE", id)
		delete(db, id)
		return nil
	}, nil)

	users.Get(ctx, 42)
	err := remove(ctx, 42)
	fmt.Println(err)
	u, _ := users.Get(ctx, 42)
	fmt.Printf("%+v\n", u)
	users.Close(ctx)
	// Output:
	// SELECT 42
	// DELETE 42
	// <nil>
	// SELECT 42
	// {ID:0 Name:}
}
