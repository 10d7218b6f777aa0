package strategy

import (
	"context"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/writethrough"
)

// through is cached, but what it writes is in the cache afterwards.
type through struct {
	*cached
	writer *writethrough.Writer[int64, simdb.Row]
}

func (t *through) Write(ctx context.Context, id uint32) (simdb.Row, error) {
	return t.writer.Write(ctx, simdb.Row{ID: id, Group: t.db.GroupOf(id)})
}

func openWriteThrough(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	space, err := openSpace(ctx, s)
	if err != nil {
		return nil, err
	}
	in := tiered(space, s)
	key := func(row simdb.Row) int64 { return int64(row.ID) }
	write := func(ctx context.Context, row simdb.Row) (simdb.Row, error) { return db.Write(ctx, row.ID) }
	return &through{
		newCached(db, s, in, space.Domain, space.Close),
		writethrough.New(in, key, write, s.policy(), &writethrough.Options[int64, simdb.Row]{
			Tags: func(_ int64, row simdb.Row) []string { return groupTags(row) },
		}),
	}, nil
}
