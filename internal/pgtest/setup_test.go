package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(tests{m})) }

// tests are all tests, and the end of the server that they share.
type tests struct{ *testing.M }

func (t tests) Run() int {
	defer stopShared()
	return t.M.Run()
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// stopShared ends the server that the tests share, if there is one.
func stopShared() {
	if shared.server != nil {
		shared.server.Stop()
	}
}

// server returns the server that the tests share. Each has a table of its own.
func server(t *testing.T) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = Start(context.Background()) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// account is a row.
type account struct {
	ID      int
	Version int
}

// origin is a table of users, which readers reach directly and writers through a proxy
// that can hold the COMMIT.
type origin struct {
	t      *testing.T
	table  string
	direct *sql.DB
	db     *sql.DB
	pool   *pgxpool.Pool
	proxy  *netfault.Proxy
}

var tables atomic.Int64 // that were made

func newOrigin(t *testing.T) *origin {
	t.Helper()
	s := server(t)
	proxy, err := netfault.Start(s.Addr())
	must(t, err)
	o := &origin{t: t, table: fmt.Sprint("users", tables.Add(1)), proxy: proxy}
	o.direct, err = sql.Open("pgx", URL(s.Addr()))
	must(t, err)
	o.db, err = sql.Open("pgx", URL(proxy.Addr()))
	must(t, err)
	o.pool, err = pgxpool.New(t.Context(), URL(proxy.Addr()))
	must(t, err)
	t.Cleanup(func() {
		proxy.Close() // or a connection whose COMMIT is held would not end
		o.pool.Close()
		o.db.Close()
		o.direct.Close()
	})
	o.exec("CREATE TABLE " + o.table + " (id int PRIMARY KEY, version int NOT NULL, email text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
	o.exec("INSERT INTO " + o.table + " SELECT n, 0, 'mail' || n FROM generate_series(1, 20) n")
	must(t, o.db.PingContext(t.Context())) // the connections are there before anything is held
	must(t, o.pool.Ping(t.Context()))
	return o
}

func (o *origin) exec(query string, args ...any) {
	o.t.Helper()
	_, err := o.direct.ExecContext(o.t.Context(), query, args...)
	must(o.t, err)
}

// load is the load function of a Loader.
func (o *origin) load(ctx context.Context, id int) (u account, err error) {
	u.ID = id
	err = o.direct.QueryRowContext(ctx, "SELECT version FROM "+o.table+" WHERE id = $1", id).Scan(&u.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return u, cache.ErrNotFound
	}
	return u, err
}

// hold lets no COMMIT through until the function let is called. The context ends when
// one is held: the client has sent it then, and nobody has answered.
func (o *origin) hold(cut bool) (ctx context.Context, let func()) {
	until := make(chan struct{})
	ctx, cancel := context.WithCancel(o.t.Context())
	before := o.proxy.Counts().Held
	var done sync.WaitGroup
	done.Go(func() {
		for o.proxy.Counts().Held == before && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if !cut {
			cancel()
		}
	})
	o.proxy.Set(netfault.Fault{Hold: []string{"commit"}, HoldCuts: cut, Until: until})
	return ctx, sync.OnceFunc(func() {
		cancel()
		done.Wait()
		close(until)
		o.proxy.Set(netfault.Fault{})
	})
}

// until waits until the row has, or no longer has, a version; -1 is no row.
func (o *origin) until(id, version int) {
	o.t.Helper()
	o.eventually("the row has the version", func() bool {
		u, err := o.load(o.t.Context(), id)
		if errors.Is(err, cache.ErrNotFound) {
			return version == -1
		}
		must(o.t, err)
		return u.Version == version
	})
}

func (o *origin) eventually(what string, is func() bool) {
	o.t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			o.t.Fatalf("it is not so that %s", what)
		}
	}
}

// process is one that caches the rows.
type process struct {
	space *redisstore.Space
	store cache.Cache[int, account]
	users *aside.Loader[int, account]
}

func (o *origin) process() *process {
	o.t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: redistest.Standalone(o.t).Addr()})
	space, err := redisstore.Open(o.t.Context(), rdb, o.table, &redisstore.Options{
		Timeout: 10 * time.Second, NoBreaker: true, // the machine may be slow, and then nothing would be cached
	})
	must(o.t, err)
	p := &process{space: space, store: redisstore.New[int, account](space, "users", nil)}
	p.users = aside.New(p.store, o.load, invalidation.TTL(time.Hour), &aside.Options[int, account]{
		NotFound: cache.ErrNotFound, KeyTags: func(int) []string { return []string{"users"} },
	})
	o.t.Cleanup(func() {
		ctx := context.Background()
		p.users.Close(ctx)
		space.Close(ctx)
		rdb.Close()
	})
	return p
}

// version returns the version that is read, -1 for no row.
func (p *process) version(t *testing.T, id int) int {
	t.Helper()
	u, err := p.users.Get(t.Context(), id)
	if errors.Is(err, cache.ErrNotFound) {
		return -1
	}
	must(t, err)
	return u.Version
}

// stored reports whether Redis has an entry.
func (p *process) stored(t *testing.T, id int) bool {
	t.Helper()
	e, err := p.store.Get(t.Context(), id)
	must(t, err)
	return e != nil
}

// warm has a value stored.
func (p *process) warm(o *origin, id int) {
	o.t.Helper()
	o.eventually("the row is cached", func() bool { p.version(o.t, id); return p.stored(o.t, id) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
