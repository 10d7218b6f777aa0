package reference

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
)

type entry = cache.Entry[string]

// core is the data that all handles share. Time is counted in ticks: every
// invalidation has its own, and a fill knows the tick at which it was opened.
type core struct {
	bug Bug

	mu      sync.Mutex
	closed  bool
	lost    bool
	tick    uint64
	floor   uint64 // fills from before it are refused, for it is not known what they missed
	items   map[string]*item
	keyCuts map[string]uint64 // when a key was last invalidated
	tagCuts map[string]uint64
	holds   map[string]*hold

	anyKey, anyTag uint64          // for KeyEpoch and TagEpoch
	settled        map[string]bool // for StoredEndsWatch
	missing        map[string]int  // for LossLiftsNext: writers that ended and were not counted

	// vouched has entries that are not in the store, and that guards watch.
	vouched map[string][]*item
	// hook is called in place of functions of the user's.
	hook func(name string)
}

// item is a stored entry.
type item struct {
	entry    *entry
	brought  cache.Guard // that it was committed with
	tags     []string
	since    uint64
	gone     bool
	peerOnly bool // for PeerNotTold
}

// hold is a quarantine.
type hold struct {
	writers map[*fill]struct{}
	rivals  bool   // there was more than one writer
	touched bool   // somebody invalidated the key
	changed uint64 // when it began or a writer came or went
	old     *item  // for CancelRestores and NilRestores
}

func (c *core) has(b Bug) bool { return c.bug == b }

func (c *core) next() uint64 {
	c.tick++
	return c.tick
}

func (c *core) key(k string) string {
	if c.has(KeysEndAtNUL) {
		k, _, _ = strings.Cut(k, "\x00")
	}
	return k
}

func (c *core) tag(t string) string {
	if c.has(TagsFolded) {
		t = strings.ToLower(t)
	}
	return t
}

// valid reports whether nothing that it depends on was invalidated since it
// was stored.
func (c *core) valid(it *item, peer bool) bool {
	if it.gone || it.since < c.floor || it.peerOnly && !peer {
		return false
	}
	if c.has(PeerUnseenInTags) && peer {
		return true
	}
	for _, t := range it.tags {
		if c.tagCuts[c.tag(t)] > it.since {
			return false
		}
	}
	return true
}

// carried reports whether an entry has the tag.
func (c *core) carried(tag string) bool {
	for _, it := range c.items {
		if slices.Contains(it.tags, tag) {
			return true
		}
	}
	return false
}

func (c *core) remove(key string) {
	for _, it := range c.vouched[key] {
		it.gone = true
	}
	delete(c.vouched, key)
	if it := c.items[key]; it != nil {
		it.gone = true
		delete(c.items, key)
	}
}

// install makes e the value of the slot's key.
func (c *core) install(sl *slot, e *entry) {
	if c.has(Discards) || c.has(FirstWins) && c.items[sl.key] != nil {
		return
	}
	it := &item{brought: e.Guard, tags: e.Tags, since: c.tick}
	switch {
	case c.has(FirstTagOnly):
		it.tags = it.tags[:min(1, len(it.tags))]
	case c.has(LateTagsDropped):
		it.tags = sl.tags
	case c.has(TagReborn):
		for _, t := range it.tags {
			delete(c.tagCuts, t)
		}
	}
	guarded := c.bent(e).WithGuard(guard{c, it})
	it.entry = &guarded
	c.remove(sl.key)
	c.items[sl.key] = it
	if c.has(StoredEndsWatch) {
		c.settled[sl.key] = true
	}
}

// Unstorable is a value that the store cannot hold.
const Unstorable = "unstorable"

// keep makes e the value of the slot's key or, if the store cannot hold it, vouches for it.
func (c *core) keep(sl *slot, e *entry) cache.Outcome {
	if e.Value == Unstorable {
		return c.vouch(sl, e)
	}
	c.install(sl, e)
	return cache.Stored
}

func (c *core) vouch(sl *slot, e *entry) cache.Outcome {
	it := &item{tags: e.Tags, since: c.tick, entry: e}
	if !c.has(VouchedUnguarded) {
		guarded := e.WithGuard(guard{c, it})
		*e = guarded
	}
	c.vouched[sl.key] = append(c.vouched[sl.key], it)
	return cache.Vouched
}

// bent returns e as it comes back from this store.
func (c *core) bent(e *entry) *entry {
	b := *e
	switch c.bug {
	case CostForgotten:
		b.Cost = 0
	case LoadedForgotten:
		b.SetLoaded(0)
	case SecondsOnly:
		b.Fresh, b.Expires = b.Fresh/1000*1000, b.Expires/1000*1000
	case TextOnly:
		b.Value = strings.ToValidUTF8(b.Value, "\uFFFD")
	case ValuesCapped:
		b.Value = b.Value[:min(len(b.Value), 64<<10)]
	case ZeroIsForever:
		if b.Expires <= cache.Now() {
			b.Expires = cache.Forever
		}
	case ForeverOverflows:
		if b.Expires == cache.Forever {
			b.Expires = math.MinInt64 + 1000
		}
	}
	return &b
}

// pause lets others run while the lock is not held.
func (c *core) pause() {
	c.mu.Unlock()
	for range 20 {
		runtime.Gosched()
	}
	c.mu.Lock()
}

// guard watches an item.
type guard struct {
	c  *core
	it *item
}

func (g guard) Trust(time.Time) cache.Trust {
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	if g.c.has(GuardAsleep) || g.c.valid(g.it, false) {
		return cache.Valid
	}
	return cache.Invalid
}
