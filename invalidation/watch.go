package invalidation

import (
	"hash/maphash"
	"slices"

	"github.com/larder-cache/larder/cache"
)

// Watch is what a fill remembers of a Domain from before the load, so that it
// can tell at the commit whether a tag was invalidated since.
type Watch struct {
	d        *Domain
	all      uint64
	sequence uint64
	marks    []mark
}

// Watch begins to watch: the given tags one by one, and all others by the
// stripe they are in. Without tags it costs two atomic loads.
func (d *Domain) Watch(tags ...string) Watch {
	w := Watch{d: d, all: d.all.Load(), sequence: d.sequence.Load()}
	if len(tags) > 0 {
		w.marks = make([]mark, len(tags))
		for i, t := range tags {
			c := d.intern(maphash.String(d.seed, t), t)
			w.marks[i] = mark{c, c.n.Load()}
		}
	}
	return w
}

// Guard returns the guard of an entry with the given tags. ok is false if one of
// them was invalidated since the Watch began or, of those that the Watch did not
// name, if one may have been: another tag in the same of 1024 stripes was.
func (w *Watch) Guard(tags []string) (g cache.Guard, ok bool) {
	if w.d.all.Load() != w.all {
		return nil, false
	}
	if len(tags) == 0 {
		return w.d.guardOfAll(w.all), true
	}
	made := &guard{d: w.d, all: w.all}
	if made.marks = made.one[:0]; len(tags) > 1 {
		made.marks = make([]mark, 0, len(tags))
	}
	for _, t := range tags {
		// By the names in the cells: the slice given to Watch is its owner's.
		if i := slices.IndexFunc(w.marks, func(m mark) bool { return m.cell.tag == t }); i >= 0 {
			made.marks = append(made.marks, w.marks[i])
			continue
		}
		// Expire writes last and then counts the cell, if it finds one. If it
		// writes before we read last, we see it there. If it writes after, it
		// looks for the cell after we have interned it and read its count, so
		// it finds it and the guard does not stand.
		h := maphash.String(w.d.seed, t)
		c := w.d.intern(h, t)
		made.marks = append(made.marks, mark{c, c.n.Load()})
		if w.d.last[h%stripes].Load() > w.sequence {
			return nil, false
		}
	}
	return made, made.Valid()
}

// Changed reports whether a tag that the Watch names was invalidated, or
// everything was.
func (w *Watch) Changed() bool {
	g := guard{d: w.d, all: w.all, marks: w.marks}
	return !g.Valid()
}

// guardOfAll returns the guard, shared, of entries without tags.
func (d *Domain) guardOfAll(all uint64) *guard {
	if g := d.plain.Load(); g != nil && g.all == all {
		return g
	}
	g := &guard{d: d, all: all}
	d.plain.Store(g)
	return g
}
