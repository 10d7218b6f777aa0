package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

const (
	// missingEvery is how many versions of a row that is mostly missing have one that is
	// there.
	missingEvery = 3
	// missingBackoff is for how long a row is not loaded again that is not there, if
	// nobody writes it: for longer than nobody does.
	missingBackoff = 10 * time.Second
)

// noRow is the error of the origin of a row that it does not have. It is an answer as a
// value is: it says in which version that was so.
type noRow struct {
	row     int
	version int64
}

func (e noRow) Error() string {
	return fmt.Sprintf("there is no row %d in version %d", e.row, e.version)
}

// ofMissing returns a Get of a Loader whose tags are known, so that the store can tell
// whether an error still holds, and of a Batch that learns them too late.
func (u *user) ofMissing(store cache.Cache[int, row], p invalidation.Policy, o *aside.Options[int, row]) func(context.Context, int) (row, error) {
	known := *o
	known.Tags = nil
	known.KeyTags = func(k int) []string { return append(o.KeyTags(k), groupTag(k)) }
	one := aside.New(store, u.load, p, &known)
	many := aside.NewBatch(store, func(ctx context.Context, keys []int) (map[int]row, error) {
		r, err := u.load(ctx, keys[0]) // nobody asks for several
		if err != nil {
			return nil, err
		}
		return map[int]row{keys[0]: r}, nil
	}, p, o)
	return func(ctx context.Context, k int) (row, error) {
		if rand.IntN(2) == 0 {
			return many.Get(ctx, k)
		}
		return one.Get(ctx, k)
	}
}
