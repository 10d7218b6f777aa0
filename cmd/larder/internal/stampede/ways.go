package stampede

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/fleet"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// way is a way to read what expires.
type way struct {
	name, title string
	open        func(ctx context.Context, s setup) (reader, error)
	// turn, if not nil, returns for how long one load keeps all others from loading, in
	// every process: who takes longer has lost its turn.
	turn func(load time.Duration) time.Duration
	// promised says that others are kept from it in any case. A refresh is made twice if
	// two processes want it while it is stored: who makes it is noted under a key of its
	// own, in a cluster on another server.
	promised bool
}

// setup is what a reader is made of.
type setup struct {
	rdb       redis.UniversalClient
	namespace string
	ttl       time.Duration
	origin    *fleet.Origin
}

// reader reads in one way. Read reports whether it found nothing in the cache, so that
// its caller had to wait for the database.
type reader interface {
	Read(ctx context.Context, key uint32) (waited bool, err error)
	Close(ctx context.Context) error
}

// The times of the lock, by docs/adr/0012-lock.md.
const (
	lockLeast = 50 * time.Millisecond
	lockWait  = time.Second
)

var ways = []way{
	{name: "none", title: "GET and SET", open: openPlain},
	{name: "local", title: "shared in each process", open: open(-1, invalidation.Policy{})},
	{name: "lock", title: "one process loads", open: open(0, invalidation.Policy{}), promised: true,
		turn: func(load time.Duration) time.Duration { return min(max(lockLeast, 4*load), lockWait) }},
	{name: "early", title: "early refresh", open: open(0, invalidation.Policy{Early: 1}), turn: ofRefresh},
	{name: "stale", title: "stale while refreshed", open: open(0, invalidation.Policy{Stale: 1}), turn: ofRefresh},
}

func ofRefresh(time.Duration) time.Duration { return lockWait }

func wayOf(name string) *way {
	for i := range ways {
		if ways[i].name == name {
			return &ways[i]
		}
	}
	return nil
}

// plain is what people write first: GET and, if there is nothing, a query and SET.
type plain struct{ setup }

// stored is a value with its end in it, since the embedded server ends none.
type stored struct {
	Until int64
	Row   simdb.Row
}

func openPlain(_ context.Context, s setup) (reader, error) { return plain{s}, nil }

func (p plain) Read(ctx context.Context, key uint32) (waited bool, err error) {
	name := p.namespace + ":" + strconv.Itoa(int(key))
	text, err := p.rdb.Get(ctx, name).Bytes()
	if err == nil {
		var s stored
		if err := json.Unmarshal(text, &s); err != nil {
			return false, err
		}
		if fleet.Now() < s.Until {
			return false, nil
		}
	} else if err != redis.Nil {
		return false, err
	}
	row, err := p.origin.Read(ctx, key)
	if err != nil {
		return true, err
	}
	if text, err = json.Marshal(stored{fleet.Now() + int64(p.ttl), row}); err != nil {
		return true, err
	}
	return true, p.rdb.Set(ctx, name, text, p.ttl).Err()
}

func (plain) Close(context.Context) error { return nil }

// cached reads through the library, without memory in front, as plain does.
type cached struct {
	rows  *aside.Loader[uint32, simdb.Row]
	space *redisstore.Space
}

// patience is how long Redis may take to answer on a machine that has more to do than a
// server of a cache should have.
const patience = 2 * time.Second

// open returns what opens a cached with a lock that is waited for and a policy, whose
// Stale is in units of the TTL.
func open(wait time.Duration, p invalidation.Policy) func(context.Context, setup) (reader, error) {
	return func(ctx context.Context, s setup) (reader, error) {
		space, err := redisstore.Open(ctx, s.rdb, s.namespace, &redisstore.Options{Timeout: patience, LockWait: wait})
		if err != nil {
			return nil, err
		}
		p.Fresh, p.Stale = s.ttl, p.Stale*s.ttl
		return &cached{aside.New(noted{redisstore.New[uint32, simdb.Row](space, "rows", nil)}, s.origin.Read, p, nil), space}, nil
	}
}

func (c *cached) Read(ctx context.Context, key uint32) (waited bool, err error) {
	_, err = c.rows.Get(context.WithValue(ctx, noteKey{}, &waited), key)
	return waited, err
}

func (c *cached) Close(ctx context.Context) error {
	err := c.rows.Close(ctx)
	if err1 := c.space.Close(ctx); err == nil {
		err = err1
	}
	return err
}

// noted is a store that says, in the context of a read, that it had nothing.
type noted struct{ cache.Cache[uint32, simdb.Row] }

type noteKey struct{}

func (n noted) Get(ctx context.Context, key uint32) (*cache.Entry[simdb.Row], error) {
	e, err := n.Cache.Get(ctx, key)
	if to, ok := ctx.Value(noteKey{}).(*bool); ok && e == nil {
		*to = true
	}
	return e, err
}
