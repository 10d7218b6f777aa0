package staleness

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/fleet"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// way is a way to keep memory in front of Redis true.
type way struct {
	name, title string
	open        func(ctx context.Context, s setup) (user, error)
	// library says that it is ours, and keeps what it promises; coherent that nothing
	// old is read after an acknowledgement, in any process. Otherwise that is so a lease
	// later.
	library, coherent bool
}

// setup is what a user is made of.
type setup struct {
	// rdb is the way to Redis, heard the one for what others invalidate.
	rdb, heard redis.UniversalClient
	namespace  string
	read       func(ctx context.Context, key uint32) (simdb.Row, error)
	lease, ttl time.Duration
	patience   time.Duration // with Redis; 0 is the default
}

// user reads and invalidates in one way.
type user interface {
	Read(ctx context.Context, key uint32) (simdb.Row, error)
	Invalidate(ctx context.Context, key uint32) error
	Close(ctx context.Context) error
}

var ways = []way{
	{"larder", "Larder, WaitCoherent", openCached(true), true, true},
	{"lease", "Larder, as it comes", openCached(false), true, false},
	{"pubsub", "DEL and PUBLISH", openNaive(true), false, false},
	{"ttl", "DEL, and a TTL in memory", openNaive(false), false, false},
}

func wayOf(name string) *way {
	for i := range ways {
		if ways[i].name == name {
			return &ways[i]
		}
	}
	return nil
}

// cached is the library: memory in front of Redis.
type cached struct {
	rows  *aside.Loader[uint32, simdb.Row]
	space *redisstore.Space
}

func openCached(coherent bool) func(context.Context, setup) (user, error) {
	return func(ctx context.Context, s setup) (user, error) {
		// All of it goes the way that is cut: the library has no other for what it hears.
		space, err := redisstore.Open(ctx, s.heard, s.namespace, &redisstore.Options{Timeout: s.patience, Lease: s.lease, WaitCoherent: coherent})
		if err != nil {
			return nil, err
		}
		in := cache.Tiered(memstore.New[uint32, simdb.Row](space.Domain, 10_000, nil), redisstore.New[uint32, simdb.Row](space, "rows", nil))
		return &cached{aside.New(in, s.read, invalidation.TTL(time.Hour), nil), space}, nil
	}
}

func (c *cached) Read(ctx context.Context, key uint32) (simdb.Row, error) {
	return c.rows.Get(ctx, key)
}

func (c *cached) Invalidate(ctx context.Context, key uint32) error {
	return c.rows.Invalidate(ctx, key)
}

func (c *cached) Close(ctx context.Context) error {
	err := c.rows.Close(ctx)
	if err1 := c.space.Close(ctx); err == nil {
		err = err1
	}
	return err
}

// naive is what people build themselves: a map with a TTL in front of GET and SET with a
// TTL, DEL when a row has changed, and perhaps PUBLISH to empty the maps of others.
type naive struct {
	setup
	sub  *redis.PubSub // nil if nobody publishes
	done sync.WaitGroup

	mu     sync.Mutex
	memory map[uint32]stored
}

// stored is a value with its end in it, since the embedded server ends none.
type stored struct {
	Until int64
	Row   simdb.Row
}

func openNaive(publish bool) func(context.Context, setup) (user, error) {
	return func(ctx context.Context, s setup) (user, error) {
		n := &naive{setup: s, memory: map[uint32]stored{}}
		if !publish {
			return n, nil
		}
		n.sub = s.heard.Subscribe(ctx, n.channel())
		if _, err := n.sub.Receive(ctx); err != nil {
			n.sub.Close()
			return nil, err
		}
		messages := n.sub.Channel()
		n.done.Go(func() {
			for m := range messages {
				if key, err := strconv.ParseUint(m.Payload, 10, 32); err == nil {
					n.mu.Lock()
					delete(n.memory, uint32(key))
					n.mu.Unlock()
				}
			}
		})
		return n, nil
	}
}

func (n *naive) channel() string { return n.namespace + ":changed" }

func (n *naive) key(key uint32) string { return n.namespace + ":" + strconv.Itoa(int(key)) }

func (n *naive) Read(ctx context.Context, key uint32) (simdb.Row, error) {
	n.mu.Lock()
	s, ok := n.memory[key]
	n.mu.Unlock()
	if ok && fleet.Now() < s.Until {
		return s.Row, nil
	}
	text, err := n.rdb.Get(ctx, n.key(key)).Bytes()
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil || fleet.Now() >= s.Until {
		row, err := n.read(ctx, key)
		if err != nil {
			return row, err
		}
		s = stored{fleet.Now() + int64(n.ttl), row}
		if text, err = json.Marshal(s); err != nil {
			return row, err
		}
		if err := n.rdb.Set(ctx, n.key(key), text, n.ttl).Err(); err != nil {
			return row, err
		}
	}
	s.Until = fleet.Now() + int64(n.ttl)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.memory[key] = s
	return s.Row, nil
}

func (n *naive) Invalidate(ctx context.Context, key uint32) error {
	if err := n.rdb.Del(ctx, n.key(key)).Err(); err != nil {
		return err
	}
	if n.sub == nil {
		return nil
	}
	return n.rdb.Publish(ctx, n.channel(), strconv.Itoa(int(key))).Err()
}

func (n *naive) Close(context.Context) (err error) {
	if n.sub != nil {
		err = n.sub.Close()
		n.done.Wait()
	}
	return err
}
