package invalidation

import (
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
)

// guard is the cache.Guard of an entry: what was true when it was made, and
// where to see whether it still is. Everything it looks at is reached by a
// pointer; nothing is looked up.
type guard struct {
	first laneMark // of the key, or of the first tag
	key   count    // of a remote key; its n is nil if there is none
	tag   count    // of the first tag, the same
	more  *further // nil if that is all
}

// further is what few entries depend on: other tags, and other lanes.
type further struct {
	tags  []count
	lanes []laneMark
}

// count is a counter and what it was.
type count struct {
	n    *atomic.Uint64
	seen uint64
}

func (c *count) stands() bool { return c.n == nil || c.n.Load() == c.seen }

// mark is the count of a tag. The counter is a part of the cell, so whoever has the
// one keeps the other.
type mark struct {
	count
	cell *cell
}

type laneMark struct {
	lane    *lane
	dropped uint64
}

// Trust costs one atomic load for the key, each tag and each lane, and two for
// each lane's lease.
func (g *guard) Trust(now time.Time) cache.Trust {
	// The leases first: one that is renewed vouches for what was heard of before, which
	// only who looks afterwards can see.
	t := g.first.lane.trust(now)
	if g.more != nil {
		for i := range g.more.lanes {
			t = min(t, g.more.lanes[i].lane.trust(now))
		}
	}
	if !g.stands() {
		return cache.Invalid
	}
	return t
}

// stands reports whether nothing that g depends on was invalidated.
func (g *guard) stands() bool {
	if g.first.lane.dropped.Load() != g.first.dropped || !g.key.stands() || !g.tag.stands() {
		return false
	}
	return g.more == nil || g.more.stand()
}

func (f *further) stand() bool {
	for i := range f.tags {
		if !f.tags[i].stands() {
			return false
		}
	}
	for i := range f.lanes {
		if m := &f.lanes[i]; m.lane.dropped.Load() != m.dropped {
			return false
		}
	}
	return true
}

// Gone is the guard of what must not get into memory.
var Gone cache.Guard = gone{}

type gone struct{}

func (gone) Trust(time.Time) cache.Trust { return cache.Invalid }

var _ cache.Guard = (*guard)(nil)
