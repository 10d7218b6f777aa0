package invalidation

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/doubt"
	"github.com/larder-cache/larder/internal/tagname"
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
	lanes  []lane
	// keys counts the invalidations of keys in the remote store. It is nil if there
	// is no remote store.
	keys  *keyCounts
	plain atomic.Pointer[guard]
	// sequence counts what was invalidated; last has, for each stripe of tags,
	// the number of the last one.
	sequence atomic.Uint64
	last     [stripes]atomic.Uint64
	shards   [shards]shard
	holds    holds
	retries  retries
	doubts   doubt.Group
	refuses  bool // entries that are apart are errors
	leased   bool
	opened   time.Time
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

// NewDomain returns a Domain of this process alone.
func NewDomain() *Domain {
	d := newDomain(1)
	d.lanes[0].until.Store(unlimited)
	return d
}

func newDomain(lanes int) *Domain {
	d := &Domain{seed: maphash.MakeSeed(), lanes: make([]lane, lanes), opened: time.Now()}
	for i := range d.lanes {
		d.lanes[i].domain = d
		d.lanes[i].until.Store(math.MinInt64)
	}
	d.retries.d, d.retries.poke = d, make(chan struct{}, 1)
	return d
}

// InvalidateTags makes a miss of every entry that carries one of the tags, and
// refuses every fill of such an entry that is open. It costs the same whatever
// the number of entries: nothing but a counter in memory, and one round trip if
// there is a remote store.
//
// After an error from the remote store its entries may still be there, and other
// processes may read them: it is not to be ignored. In this process they are gone
// in any case, and it reads around the remote store until the invalidation, which
// is repeated in the background, has succeeded. A tag that is empty or longer than 4096
// bytes is an error, and then nothing is done.
func (d *Domain) InvalidateTags(ctx context.Context, tags ...string) error {
	if err := tagname.Check(tags...); err != nil {
		return errTags("InvalidateTags", err)
	}
	if len(tags) == 0 {
		return nil
	}
	var err error
	if d.remote != nil {
		err = contain.DoApart(remoteName, func() error { return d.remote.InvalidateTags(ctx, tags) })
	}
	if err != nil && !contain.Is(err, cache.ErrClosed) {
		_, left := unfinished(err, nil, tags)
		d.retries.add(namesOf(aTag, left))
	}
	// Only now: what was refilled from the remote store before it knew is
	// caught here.
	d.Expire(tags...)
	return err
}

// errTags says which call was given tags that cannot be any.
func errTags(call string, err error) error { return fmt.Errorf("larder: %s: %w", call, err) }

// Expire is InvalidateTags for the memory of this process alone.
func (d *Domain) Expire(tags ...string) {
	if len(tags) == 0 {
		return
	}
	n := d.sequence.Add(1)
	for _, t := range tags {
		h := maphash.String(d.seed, t)
		raise(&d.last[h%stripes], n)
		// After last, see Watch.tag.
		if c := d.find(h, t); c != nil {
			c.n.Add(1)
		}
	}
}

// ExpireAll makes a miss of every entry of the Domain in the memory of this
// process, at the cost of a counter for each lane.
func (d *Domain) ExpireAll() {
	for i := range d.lanes {
		d.drop(&d.lanes[i])
	}
}

// drop makes a miss of every entry that depends on a lane.
func (d *Domain) drop(l *lane) { raise(&l.dropped, d.sequence.Add(1)) }

// raise sets n to at least to.
func raise(n *atomic.Uint64, to uint64) {
	for old := n.Load(); old < to && !n.CompareAndSwap(old, to); old = n.Load() {
	}
}

// laneOf returns the lane of a tag or key.
func (d *Domain) laneOf(hash uint32) *lane { return &d.lanes[hash%uint32(len(d.lanes))] }

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
