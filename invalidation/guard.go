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
	key   mark     // of a remote key; its n is nil if there is none
	marks []mark   // of tags
	one   [1]mark  // where marks is if there is only one
	more  []laneMark
}

// mark is a counter and what it was.
type mark struct {
	n    *atomic.Uint64
	seen uint64
	cell *cell // of a tag, which it keeps alive
}

type laneMark struct {
	lane    *lane
	dropped uint64
}

// Trust costs one atomic load for the key, each tag and each lane, and two for
// each lane's lease.
func (g *guard) Trust(now time.Time) cache.Trust {
	if !g.stands() {
		return cache.Invalid
	}
	t := g.first.lane.trust(now)
	for i := range g.more {
		t = min(t, g.more[i].lane.trust(now))
	}
	return t
}

// stands reports whether nothing that g depends on was invalidated.
func (g *guard) stands() bool {
	if g.first.lane.dropped.Load() != g.first.dropped {
		return false
	}
	if g.key.n != nil && g.key.n.Load() != g.key.seen {
		return false
	}
	for i := range g.marks {
		if m := &g.marks[i]; m.n.Load() != m.seen {
			return false
		}
	}
	for i := range g.more {
		if m := &g.more[i]; m.lane.dropped.Load() != m.dropped {
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
