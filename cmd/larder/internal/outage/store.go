package outage

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

type (
	store  = cache.Cache[uint64, row]
	entry  = cache.Entry[row]
	fill   = cache.Fill[row]
	loader = aside.Loader[uint64, row]
)

// Strategies returns the names of those that can be measured: Redis alone, for
// which every read needs Redis, and memory in front of it.
func Strategies() []string { return []string{"l2", "aside"} }

// budget is for how long a read waits for Redis, by default.
const budget = 100 * time.Millisecond

// cached is a Loader over Redis.
type cached struct {
	rows *loader
	tags *invalidation.Domain
	// space is where both are.
	space *redisstore.Space
}

// openCached opens a strategy. Its options are the defaults, and so are those of
// the client.
func openCached(ctx context.Context, strategy string, c Config, rdb *redis.Client, o *origin) (*cached, error) {
	if !slices.Contains(Strategies(), strategy) {
		return nil, fmt.Errorf("there is no strategy %q", strategy)
	}
	space, err := redisstore.Open(ctx, rdb, "outage-"+strategy, &redisstore.Options{Timeout: c.timeout})
	if err != nil {
		return nil, err
	}
	var in store = redisstore.New[uint64, row](space, "rows", nil)
	if strategy == "aside" {
		in = cache.Tiered(memstore.New[uint64, row](space.Domain, c.Capacity, nil), in)
	}
	return &cached{newLoader(noted{in}, c, o, false), space.Domain, space}, nil
}

func (c *cached) close(ctx context.Context) error {
	err := c.rows.Close(ctx)
	if err1 := c.space.Close(ctx); err == nil {
		err = err1
	}
	return err
}

// newLoader returns a Loader whose values live for longer than a run: only
// invalidations and faults take them away.
func newLoader(in store, c Config, o *origin, control bool) *loader {
	load := func(ctx context.Context, key uint64) (row, error) { return o.load(ctx, key, control) }
	return aside.New(in, load, invalidation.TTL(24*time.Hour), &aside.Options[uint64, row]{
		Tags: func(key uint64, _ row) []string { return []string{c.tag(key)} },
	})
}

// groupSize is about how many keys share a tag.
const groupSize = 10

// groups is how many tags there are. The popular keys, which come first, are in
// different groups.
func (c Config) groups() uint64 { return uint64(c.Keys+groupSize-1) / groupSize }

func (c Config) tag(key uint64) string {
	return "group:" + strconv.FormatUint(key%c.groups(), 10)
}

// noted is a store that says, in the context of a read, what became of it.
type noted struct{ store }

// note is what a store has said to a read.
type note struct{ hit, failed bool }

type noteKey struct{}

func (n noted) Get(ctx context.Context, key uint64) (*entry, error) {
	e, err := n.store.Get(ctx, key)
	if to, ok := ctx.Value(noteKey{}).(*note); ok {
		to.hit, to.failed = e != nil, err != nil
	}
	return e, err
}

// nothing is a store that cannot be asked, and says so at once: what a read costs
// over it is what a read costs that has no Redis at all.
type nothing struct{}

func (nothing) Get(context.Context, uint64) (*entry, error) {
	return nil, cache.ErrUnavailable
}

func (nothing) GetMany(context.Context, []uint64) (map[uint64]*entry, error) {
	return nil, cache.ErrUnavailable
}

func (nothing) Reserve(context.Context, ...cache.Slot[uint64]) (fill, error) {
	return nil, cache.ErrUnavailable
}

func (nothing) Quarantine(context.Context, ...cache.Slot[uint64]) (fill, error) {
	return nil, cache.ErrUnavailable
}

func (nothing) Invalidate(context.Context, ...uint64) error { return cache.ErrUnavailable }
