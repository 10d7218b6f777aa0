package aside_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
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
	repo := repository{42: {42, "Ada", "acme"}}
	shared(server.Addr(), repo, func(s shop) {
		u, _ := s.users.Get(context.Background(), 42)
		fmt.Println(u.Name, s.err)
	})
	// Output:
	// the database is asked for 42
	// the database is asked for 42
	// Ada L. <nil>
}

// shop is what the code of README has in the end.
type shop struct {
	users *aside.Loader[int64, User]
	save  *writethrough.Writer[int64, User]
	space *redisstore.Space
	u     User
	err   error
}

// shared runs the code of README on a Redis that may be there, and then what is to
// follow.
func shared(addr string, repo repository, then func(shop)) {
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
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
	then(shop{users, save, space, u, err})
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

// reads prints what the reader of a shop reads. How often the database is asked
// for it is not printed: that is what a cache changes.
func reads(s shop, ids ...int64) string {
	var out strings.Builder
	for _, id := range ids {
		u, err := s.users.Get(context.Background(), id)
		fmt.Fprintln(&out, id, u.Name, u.Org, err)
	}
	return out.String()
}

// visit is what the code of README, and who goes on from it, prints and is told.
type visit struct {
	first    string  // what the first line that reads gives
	reads    string  // of what nobody writes
	after    string  // of what README has written, or not
	database string  // what that should be
	errs     []error // of the last line of README, and of a write after it
	saved    User    // what the database has of that
}

func visitOf(addr string) (v visit) {
	repo := repository{42: {42, "Ada", "acme"}, 43: {43, "Bob", "acme"}}
	shared(addr, repo, func(s shop) {
		v.first = fmt.Sprintln(s.u)
		v.reads = reads(s, 43, 43, 44, 44, 43)
		v.after = reads(s, 42)
		v.database = fmt.Sprintln(42, repo[42].Name, repo[42].Org, nil)
		v.errs = []error{s.err, s.save.Save(context.Background(), User{43, "Bob B.", "acme"})}
		v.saved = repo[43]
	})
	return v
}

// Without Redis, README's reads print what they print with it. Its writes do not:
// they are errors, and what they were to change is as it was.
func TestTheCodeOfREADMEReadsTheSameWithoutRedis(t *testing.T) {
	server := redistest.Private(t)
	with := visitOf(server.Addr())
	for range 20 { // on a machine that is too busy, Redis is absent for 100 ms now and then
		if errors.Join(with.errs...) == nil && strings.Contains(with.after, "Ada L.") {
			break
		}
		with = visitOf(server.Addr())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody is there
	without := visitOf(l.Addr().String())

	if with.first != without.first || !strings.Contains(with.first, "Ada acme") {
		t.Errorf("the first read gives %q, and without Redis %q", with.first, without.first)
	}
	if with.reads != without.reads || strings.Count(with.reads, "Bob acme <nil>") != 3 || strings.Count(with.reads, errNoUser.Error()) != 2 {
		t.Errorf("with Redis:\n%swithout:\n%s", with.reads, without.reads)
	}
	for name, v := range map[string]visit{"Ada L.": with, "Ada": without} {
		if v.after != v.database || v.after != "42 "+name+" acme <nil>\n" {
			t.Errorf("after a write a read prints %q, and in the database it is %q", v.after, v.database)
		}
	}
	if err := errors.Join(with.errs...); err != nil || with.saved.Name != "Bob B." {
		t.Errorf("with Redis writes give %v, and the database has %v", err, with.saved)
	}
	if err := without.errs[0]; !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("InvalidateTags without Redis: %v", err)
	}
	if err := without.errs[1]; !errors.Is(err, cache.ErrUnavailable) || !errors.Is(err, cache.ErrNotStarted) || without.saved.Name != "Bob" {
		t.Errorf("Save without Redis: %v, and the database has %v", err, without.saved)
	}
}
