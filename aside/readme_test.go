package aside_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/larder-cache/larder/writethrough"
	"github.com/redis/go-redis/v9"
)

// The code of README, between the markers, stands here word for word.

type User struct {
	ID   int64
	Name string
	Org  string
}

func (u User) Key() int64 { return u.ID }

type repository map[int64]User

func (r repository) UserByID(_ context.Context, id int64) (User, error) {
	fmt.Println("the database is asked for", id)
	u, ok := r[id]
	if !ok {
		return u, errNoUser
	}
	return u, nil
}

func (r repository) SaveUser(_ context.Context, u User) error {
	r[u.ID] = u
	return nil
}

var errNoUser = fmt.Errorf("no such user")

func Example_hello() {
	ctx := context.Background()
	repo := repository{42: {42, "Ada", "acme"}}
	// hello:
	users := aside.New(memstore.New[int64, User](nil, 10_000, nil), repo.UserByID, invalidation.TTL(5*time.Minute), nil)

	u, err := users.Get(ctx, 42) // asks the database
	u, err = users.Get(ctx, 42)  // does not

	err = users.Invalidate(ctx, 42) // after you have changed the row
	// :hello
	fmt.Println(u.Name, err)
	// Output:
	// the database is asked for 42
	// Ada <nil>
}

func Example_shared() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	ctx := context.Background()
	repo := repository{42: {42, "Ada", "acme"}}
	// shared:
	space, err := redisstore.Open(ctx, rdb, "shop", nil) // does not fail because Redis is down
	defer space.Close(ctx)
	store := cache.Tiered(
		memstore.New[int64, User](space.Domain, 10_000, nil),
		redisstore.New[int64, User](space, "users", nil))
	policy := invalidation.Policy{Fresh: 5 * time.Minute, Stale: time.Hour, Negative: 30 * time.Second, Jitter: 0.1}
	tags := func(id int64, u User) []string { return []string{"org:" + u.Org} }

	users := aside.New(store, repo.UserByID, policy, &aside.Options[int64, User]{NotFound: errNoUser, Tags: tags})
	save := writethrough.New(store, User.Key, writethrough.Echo(repo.SaveUser), policy, &writethrough.Options[int64, User]{Tags: tags})

	u, err := users.Get(ctx, 42)                                   // memory, then Redis, then the database
	err = save.Save(ctx, User{ID: 42, Name: "Ada L.", Org: u.Org}) // the database, and nobody reads the old row again
	err = space.InvalidateTags(ctx, "org:acme")                    // every user of acme, in O(1)
	// :shared
	u, _ = users.Get(ctx, 42)
	fmt.Println(u.Name, err)
	// Output:
	// the database is asked for 42
	// the database is asked for 42
	// Ada L. <nil>
}

func TestTheCodeOfREADMECompilesAndRuns(t *testing.T) {
	src, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hello", "shared"} {
		_, code, _ := strings.Cut(string(src), "// "+name+":\n")
		code, _, _ = strings.Cut(code, "\t// :"+name)
		var want strings.Builder
		for line := range strings.Lines(code) {
			want.WriteString(strings.TrimPrefix(line, "\t"))
		}
		if want.Len() == 0 || !strings.Contains(string(readme), "```go\n"+want.String()+"```") {
			t.Errorf("README does not have the code of %s:\n%s", name, want.String())
		}
	}
}
