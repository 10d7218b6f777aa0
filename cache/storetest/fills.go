package storetest

import (
	"slices"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

// notStored commits an entry that must not be stored; an error is as good as a
// refusal.
func (p *probe) notStored(f fill, e *entry) {
	if out, err := f.Commit(p.ctx, e); err == nil && (len(out) != 1 || out[0] == cache.Stored) {
		p.fail("Commit is %v, want it not stored", out)
	}
}

var fillRules = []Rule{
	rule("fill/slots", "Commit stores each entry under the key of its slot.", reference.SlotsMixed, nothing, func(p *probe) {
		out := p.commit(p.reserve(slot("a", "t"), slot("b"), late("c")), an("1", "t"), an("2"), an("3", "u"))
		if !slices.Equal(out, []outcome{cache.Stored, cache.Stored, cache.Stored}) {
			p.fail("outcomes are %v, want stored three times", out)
		}
		p.has("a", "1")
		p.has("b", "2")
		p.has("c", "3")
	}),
	rule("fill/nil", "A nil entry stores nothing.", reference.NilIsAbsent, nothing, func(p *probe) {
		out := p.commit(p.reserve(slot("a"), slot("b"), slot("c")), nil, an("2"), nil)
		if out[0] == cache.Stored || out[1] != cache.Stored || out[2] == cache.Stored {
			p.fail("outcomes are %v, want only the second stored", out)
		}
		p.misses("a", "c")
		p.has("b", "2")
	}),
	rule("fill/count", "A commit of more or fewer entries than slots is an error and stores nothing.", reference.CountUnchecked, nothing, func(p *probe) {
		for _, n := range []int{0, 1, 3} {
			open := []func(...cache.Slot[string]) fill{p.reserve, p.quarantine}
			for i, verb := range open {
				f := verb(slot("a"), slot("b"))
				if out, err := f.Commit(p.ctx, slices.Repeat([]*entry{an("v")}, n)...); err == nil {
					p.fail("Commit of %d entries to 2 slots of verb %d is %v and no error", n, i, out)
				}
				p.misses("a", "b")
			}
		}
	}),
	rule("fill/done", "A fill that was committed or cancelled answers ErrFillDone.", reference.NeverDone, nothing, func(p *probe) {
		for i, open := range []func(...cache.Slot[string]) fill{p.reserve, p.quarantine} {
			for _, first := range []string{"Commit", "Commit nil", "Cancel"} {
				f := open(slot("k"))
				switch first {
				case "Commit":
					p.commit(f, stale("v"))
				case "Commit nil":
					p.commit(f, nil)
				case "Cancel":
					p.cancel(f)
				}
				what := []string{"Reserve, ", "Quarantine, "}[i] + first
				for range 2 {
					_, err := f.Commit(p.ctx, an("w"))
					p.is(what+", Commit", err, cache.ErrFillDone)
					p.is(what+", Cancel", f.Cancel(p.ctx), cache.ErrFillDone)
				}
			}
		}
	}),
	rule("fill/done-stores-nothing", "A commit of a fill that has ended stores nothing.", reference.StoresWhenDone, nothing, func(p *probe) {
		f := p.reserve(slot("k"))
		p.cancel(f)
		f.Commit(p.ctx, an("v"))
		p.misses("k")
		f = p.reserve(slot("l"))
		p.stored(f, an("v"))
		f.Commit(p.ctx, an("w"))
		p.has("l", "v")
	}),
	rule("fill/cancel", "Cancel stores nothing, and the key can be filled again.", reference.CancelStores, nothing, func(p *probe) {
		p.cancel(p.reserve(slot("a"), slot("b")))
		p.misses("a", "b")
		p.store("a", an("v"))
		p.has("a", "v")
	}),
}

var foundRules = []Rule{
	rule("found/hit", "Found is the entry that Get would have returned.", reference.FoundNothing, nothing, func(p *probe) {
		missed := p.reserve(slot("b"))
		p.store("a", an("1", "t"))
		p.store("c", stale("3"))
		f := p.reserve(slot("a", "t"), slot("b"), slot("c"))
		if a, b, c := f.Found(0), f.Found(1), f.Found(2); shown(a) != `"1"` || b != nil || shown(c) != `"3"` {
			p.fail("Found is %s, %s, %s, want 1, nil, 3", shown(a), shown(b), shown(c))
		}
		p.cancel(f)
		p.has("a", "1")
		p.cancel(missed)
	}),
	rule("found/miss", "Found is nil for a key without an entry.", reference.FoundGhost, nothing, func(p *probe) {
		if e := p.reserve(slot("k", "t")).Found(0); e != nil {
			p.fail("Found is %s, want nil", shown(e))
		}
		if e := p.reserve(late("k")).Found(0); e != nil {
			p.fail("Found is %s for a slot that was reserved before, want nil", shown(e))
		}
	}),
	rule("found/valid", "Found is nil for an entry that was invalidated.", reference.FoundUnchecked, tags, func(p *probe) {
		p.store("a", an("1", "t"))
		p.store("b", an("2", "t"))
		p.store("c", an("3"))
		p.invalidateTags("t")
		p.invalidate("c")
		f := p.reserve(slot("a", "t"), late("b"), slot("c"))
		for i := range 3 {
			if e := f.Found(i); e != nil {
				p.fail("Found(%d) is %s, want nil", i, shown(e))
			}
		}
		if out := p.commit(f, an("4", "t"), an("5", "t"), an("6")); slices.Contains(out, cache.Refused) {
			p.fail("outcomes are %v, want all stored", out)
		}
	}),
}
