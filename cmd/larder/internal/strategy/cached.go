package strategy

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
)

// store is any store of rows.
type store = cache.Cache[int64, simdb.Row]

// patience is how long Redis may take to answer. It is longer than the default:
// while load, database and server share the processors of a small machine, a
// wait is not an outage.
const patience = 2 * time.Second

// cached reads rows through a store, in which they carry the tag of their
// group, and invalidates what it has written.
type cached struct {
	db    *simdb.DB
	rows  *aside.Loader[int64, simdb.Row]
	many  *aside.Batch[int64, simdb.Row] // the same store, for those who ask for several
	tags  *invalidation.Domain
	close func(context.Context) error
}

func newCached(db *simdb.DB, s Setup, in store, tags *invalidation.Domain, close func(context.Context) error) *cached {
	load := func(ctx context.Context, id int64) (simdb.Row, error) { return db.Read(ctx, uint32(id)) }
	loadMany := func(ctx context.Context, ids []int64) (map[int64]simdb.Row, error) {
		keys := make([]uint32, len(ids))
		for i, id := range ids {
			keys[i] = uint32(id)
		}
		rows, err := db.ReadMany(ctx, keys)
		found := make(map[int64]simdb.Row, len(rows))
		for _, row := range rows {
			found[int64(row.ID)] = row
		}
		return found, err
	}
	o := &aside.Options[int64, simdb.Row]{
		Tags: func(_ int64, row simdb.Row) []string { return groupTags(row) },
		TTL:  s.ttl(),
	}
	return &cached{db, aside.New(in, load, s.policy(), o), aside.NewBatch(in, loadMany, s.policy(), o), tags, close}
}

func groupTags(row simdb.Row) []string { return []string{groupTag(row.Group)} }

func groupTag(group uint32) string { return "group:" + strconv.Itoa(int(group)) }

func (c *cached) Get(ctx context.Context, id uint32) (simdb.Row, error) {
	return c.rows.Get(ctx, int64(id))
}

func (c *cached) GetMany(ctx context.Context, ids []uint32) ([]simdb.Row, error) {
	keys := make([]int64, len(ids))
	for i, id := range ids {
		keys[i] = int64(id)
	}
	found, err := c.many.GetMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	rows := make([]simdb.Row, len(ids))
	for i, key := range keys {
		rows[i] = found[key]
	}
	return rows, nil
}

func (c *cached) Write(ctx context.Context, id uint32) (simdb.Row, error) {
	row, err := c.db.Write(ctx, id)
	if err != nil {
		return row, err
	}
	return row, c.rows.Invalidate(ctx, int64(id))
}

func (c *cached) UpdateGroup(ctx context.Context, group uint32) ([]simdb.Row, error) {
	rows, err := c.db.UpdateGroup(ctx, group)
	if err != nil {
		return nil, err
	}
	return rows, c.tags.InvalidateTags(ctx, groupTag(group))
}

func (c *cached) Close(ctx context.Context) error {
	return cmp.Or(c.rows.Close(ctx), c.many.Close(ctx), c.close(ctx))
}

func openL1(_ context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	tags := invalidation.NewDomain()
	l1 := memstore.New[int64, simdb.Row](tags, s.Capacity, nil)
	return newCached(db, s, l1, tags, func(context.Context) error { return nil }), nil
}

func openL2(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	space, err := openSpace(ctx, s)
	if err != nil {
		return nil, err
	}
	return newCached(db, s, shared(space, s), space.Domain, space.Close), nil
}

func openAside(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	space, err := openSpace(ctx, s)
	if err != nil {
		return nil, err
	}
	return newCached(db, s, tiered(space, s), space.Domain, space.Close), nil
}

func openSpace(ctx context.Context, s Setup) (*redisstore.Space, error) {
	return redisstore.Open(ctx, s.Redis, s.Namespace, &redisstore.Options{Timeout: patience})
}

func shared(space *redisstore.Space, s Setup) store {
	return redisstore.New[int64, simdb.Row](space, "rows", &redisstore.StoreOptions[int64, simdb.Row]{Key: s.key()})
}

func tiered(space *redisstore.Space, s Setup) store {
	return cache.Tiered(memstore.New[int64, simdb.Row](space.Domain, s.Capacity, nil), shared(space, s))
}
