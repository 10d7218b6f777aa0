package invalidation

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/larder-cache/larder/cache"
)

const (
	stripes = 1024
	shards  = 32
)

// Domain is what is invalidated together: the tags of all stores that share it.
// A Domain alone covers the stores in memory of one process; redisstore makes
// one that covers every process. Its methods may be called at once from many
// goroutines.
type Domain struct {
	remote Remote
	seed   maphash.Seed
	// all counts the calls of ExpireAll; plain is the guard of entries that
	// depend on nothing else.
	all   atomic.Uint64
	plain atomic.Pointer[guard]
	// sequence counts invalidations by tag; last has, for each stripe of tags,
	// the number of the last one.
	sequence atomic.Uint64
	last     [stripes]atomic.Uint64
	shards   [shards]shard
}

// shard is a part of the table of cells. Pointers are weak: a cell lives as
// long as an entry or a fill depends on it, so tags of nothing cost nothing.
type shard struct {
	mu    sync.Mutex
	cells map[string]weak.Pointer[cell]
}

// cell counts the invalidations of one tag. It holds a pointer so that it is not
// allocated together with other small things, which could keep it alive.
type cell struct {
	n   atomic.Uint64
	tag string
}

// Remote is where the tags of a Domain are kept for other processes.
type Remote interface {
	// InvalidateTags returns when no read of the remote store that starts
	// later finds an entry that carried one of the tags.
	InvalidateTags(ctx context.Context, tags []string) error
}

// NewDomain returns a Domain of this process alone.
func NewDomain() *Domain { return &Domain{seed: maphash.MakeSeed()} }

// NewRemoteDomain returns a Domain whose invalidations go to r first.
func NewRemoteDomain(r Remote) *Domain {
	d := NewDomain()
	d.remote = r
	return d
}

// InvalidateTags makes a miss of every entry that carries one of the tags, and
// refuses every fill of such an entry that is open. It costs the same whatever
// the number of entries: nothing but a counter in memory, and one round trip if
// there is a remote store.
//
// After an error from the remote store its entries may still be there; those in
// the memory of this process are gone in any case. An empty tag is an error,
// and then nothing is done.
func (d *Domain) InvalidateTags(ctx context.Context, tags ...string) error {
	for _, t := range tags {
		if t == "" {
			return errors.New("larder: InvalidateTags: a tag is empty")
		}
	}
	var err error
	if d.remote != nil && len(tags) > 0 {
		err = d.remote.InvalidateTags(ctx, tags)
	}
	// Only now: what was refilled from the remote store before it knew is
	// caught here.
	d.Expire(tags...)
	return err
}

// Expire is InvalidateTags for the memory of this process alone.
func (d *Domain) Expire(tags ...string) {
	if len(tags) == 0 {
		return
	}
	n := d.sequence.Add(1)
	for _, t := range tags {
		h := maphash.String(d.seed, t)
		last := &d.last[h%stripes]
		for old := last.Load(); old < n && !last.CompareAndSwap(old, n); old = last.Load() {
		}
		// After last, see Watch.Guard.
		if c := d.find(h, t); c != nil {
			c.n.Add(1)
		}
	}
}

// ExpireAll makes a miss of every entry of the Domain in the memory of this
// process, at the cost of a counter.
func (d *Domain) ExpireAll() { d.all.Add(1) }

func (d *Domain) find(h uint64, tag string) *cell {
	s := &d.shards[h>>32%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cells[tag].Value()
}

// intern returns the cell of a tag, which all who ask for it share.
func (d *Domain) intern(h uint64, tag string) *cell {
	s := &d.shards[h>>32%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.cells[tag].Value(); c != nil {
		return c
	}
	if s.cells == nil {
		s.cells = map[string]weak.Pointer[cell]{}
	}
	c := &cell{tag: tag}
	s.cells[tag] = weak.Make(c)
	track(c, s, tag)
	return c
}

// cells returns the number of tags in the table.
func (d *Domain) cells() (n int) {
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		n += len(s.cells)
		s.mu.Unlock()
	}
	return n
}

// guard says whether an entry still stands.
type guard struct {
	d     *Domain
	all   uint64
	marks []mark
	one   [1]mark // where marks is if there is only one
}

// mark is a cell and its count from before the load.
type mark struct {
	cell *cell
	seen uint64
}

func (g *guard) Valid() bool {
	if g.d.all.Load() != g.all {
		return false
	}
	for i := range g.marks {
		if m := &g.marks[i]; m.cell.n.Load() != m.seen {
			return false
		}
	}
	return true
}

var _ cache.Guard = (*guard)(nil)
