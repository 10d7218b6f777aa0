package invalidation

import (
	"hash/maphash"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
)

// Watch is what a fill remembers of a Domain from before the load, so that it
// can tell at the commit whether something was invalidated since.
type Watch struct {
	d        *Domain
	sequence uint64
	lane     *lane
	key      count
	marks    []mark
}

// Watch begins to watch: the given tags one by one, and all others by the
// stripe they are in. Without tags it costs one atomic load.
func (d *Domain) Watch(tags ...string) Watch {
	w := Watch{d: d, sequence: d.sequence.Load(), lane: &d.lanes[0]}
	w.mark(tags)
	return w
}

// WatchKey is Watch for the entry of a key in the remote store, whose
// invalidations Control.ExpireKeys reports by its Hash.
func (d *Domain) WatchKey(hash uint32, tags ...string) Watch {
	w := Watch{d: d, sequence: d.sequence.Load(), lane: d.laneOf(hash)}
	if d.keys != nil {
		n := d.keys.watch(hash)
		w.key = count{n, n.Load()}
	}
	w.mark(tags)
	return w
}

func (w *Watch) mark(tags []string) {
	if len(tags) == 0 {
		return
	}
	w.marks = make([]mark, len(tags))
	for i, t := range tags {
		c := w.d.intern(maphash.String(w.d.seed, t), t)
		w.marks[i] = mark{count{&c.n, c.n.Load()}, c}
	}
}

// Guard returns the guard of an entry with the given tags. ok is false if one of
// them, the key or everything was invalidated since the Watch began, or if a tag
// is in quarantine. Of tags that the Watch did not name, it is also false if one
// of them may have been invalidated: another in the same of 1024 stripes was.
func (w *Watch) Guard(tags []string) (g cache.Guard, ok bool) {
	d := w.d
	if len(tags) == 0 && w.key.n == nil {
		return d.plainGuard(w.sequence)
	}
	made := &guard{key: w.key}
	lane := w.lane
	if w.key.n == nil {
		lane = d.laneOf(Hash(tags[0]))
	}
	made.first = laneMark{lane, lane.dropped.Load()}
	if made.first.dropped > w.sequence {
		return nil, false
	}
	if len(tags) > 1 {
		made.more = &further{tags: make([]count, 0, len(tags)-1)}
	}
	for i, t := range tags {
		c, ok := w.tag(t)
		if !ok || !made.add(w, d.laneOf(Hash(t))) {
			return nil, false
		}
		if i == 0 {
			made.tag = c
		} else {
			made.more.tags = append(made.more.tags, c)
		}
	}
	if d.holds.n.Load() > 0 && slices.ContainsFunc(tags, d.Held) {
		return nil, false
	}
	return made, made.stands()
}

// Adopt returns a guard for an entry that brought one, as Guard does. The guard
// that a store of the same Domain made before it read the entry watches all that
// the Watch does, and is enough.
func (w *Watch) Adopt(tags []string, brought cache.Guard) (g cache.Guard, ok bool) {
	if b, same := brought.(*guard); same && b.first.lane.domain == w.d {
		return nil, b.stands()
	}
	if brought == Gone {
		return nil, false
	}
	return w.Guard(tags)
}

// Validate reports whether nothing was invalidated since the Watch began, and no
// writer holds anything, of the key, the tags that the Watch names, and more tags;
// with all, of any tag. In a Domain with a remote store nobody can say that of all
// tags: what another process holds is not known here.
func (w *Watch) Validate(now time.Time, more []string, all bool) bool {
	d := w.d
	if all && (d.remote != nil || d.sequence.Load() != w.sequence || d.holds.n.Load() > 0) {
		return false
	}
	tags := make([]string, 0, len(w.marks)+len(more))
	for _, m := range w.marks {
		tags = append(tags, m.cell.tag)
	}
	g, ok := w.Guard(distinct.Of(append(tags, more...)))
	return ok && g.Trust(now) == cache.Valid
}

// tag returns the count of a tag from before the load.
func (w *Watch) tag(t string) (count, bool) {
	// By the names in the cells: the slice given to Watch is its owner's.
	if i := slices.IndexFunc(w.marks, func(m mark) bool { return m.cell.tag == t }); i >= 0 {
		return w.marks[i].count, true
	}
	// Expire writes last and then counts the cell, if it finds one. If it
	// writes before we read last, we see it there. If it writes after, it
	// looks for the cell after we have interned it and read its count, so
	// it finds it and the guard does not stand.
	h := maphash.String(w.d.seed, t)
	c := w.d.intern(h, t)
	m := count{&c.n, c.n.Load()}
	return m, w.d.last[h%stripes].Load() <= w.sequence
}

// add makes g depend on a lane too.
func (g *guard) add(w *Watch, l *lane) bool {
	if g.first.lane == l {
		return true
	}
	if g.more == nil {
		g.more = &further{}
	}
	if slices.ContainsFunc(g.more.lanes, func(m laneMark) bool { return m.lane == l }) {
		return true
	}
	m := laneMark{l, l.dropped.Load()}
	g.more.lanes = append(g.more.lanes, m)
	return m.dropped <= w.sequence
}

// plainGuard returns the guard, shared, of entries that depend on nothing but
// ExpireAll.
func (d *Domain) plainGuard(since uint64) (cache.Guard, bool) {
	m := laneMark{&d.lanes[0], d.lanes[0].dropped.Load()}
	if m.dropped > since {
		return nil, false
	}
	if g := d.plain.Load(); g != nil && g.first == m {
		return g, true
	}
	g := &guard{first: m}
	d.plain.Store(g)
	return g, true
}
