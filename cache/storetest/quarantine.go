package storetest

import (
	"slices"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var quarantineRules = []Rule{
	rule("quarantine/old-value", "When Quarantine returns, the old value is gone.", reference.OldValueKept, nothing, func(p *probe) {
		p.store("a", an("old"))
		p.store("b", an("old"))
		f := p.quarantine(slot("a"), slot("b"), slot("c"))
		p.misses("a", "b", "c")
		r := p.reserve(slot("a"))
		if e := r.Found(0); e != nil {
			p.fail("Found is %s for a reader during the quarantine, want nil", shown(e))
		}
		p.cancel(r)
		p.cancel(f)
	}),
	rule("quarantine/early-fills", "A fill that was open when its key was quarantined never stores.", reference.EarlyFillsStore, nothing, func(p *probe) {
		during, after := p.reserve(slot("k")), p.reserve(slot("k"))
		w := p.quarantine(slot("k"))
		p.keptOut(during, an("old"))
		p.misses("k")
		p.commit(w, nil)
		p.refused(after, an("old"))
		p.misses("k")
	}),
	rule("quarantine/late-fills", "A fill that is reserved during a quarantine of its key never stores.", reference.LateFillsStore, nothing, func(p *probe) {
		w := p.quarantine(slot("k"))
		during, later := p.reserve(slot("k")), p.reserve(late("k"))
		p.keptOut(during, an("old"))
		p.misses("k")
		p.cancel(w)
		p.keptOut(later, an("old"))
		p.misses("k")
	}),
	rule("quarantine/passes", "The fill of a reader in quarantine passes while nothing changes.", reference.NothingPasses, nothing, func(p *probe) {
		w := p.quarantine(slot("k"))
		for range 2 {
			p.ends(p.reserve(slot("k", "t")), an("v", "t"), cache.Passed)
		}
		out := p.commit(p.reserve(slot("k"), slot("free")), an("v"), an("v"))
		if !slices.Equal(out, []outcome{cache.Passed, cache.Stored}) {
			p.fail("outcomes are %v, want passed for the key in quarantine and stored for the other", out)
		}
		p.cancel(w)
	}),
	rule("quarantine/ended", "The fill of a reader in quarantine is refused once the writer has committed.", reference.PassesAfterRelease, nothing, func(p *probe) {
		for _, e := range []*entry{nil, an("new")} {
			w := p.quarantine(slot("k"))
			f := p.reserve(slot("k"))
			p.commit(w, e)
			p.refused(f, an("old"))
			if e == nil {
				p.misses("k")
			} else {
				p.has("k", "new")
			}
		}
	}),
	rule("quarantine/invalidated", "The fill of a reader in quarantine is refused after its key or a tag of it was invalidated.", reference.PassesInvalidated, tags, func(p *probe) {
		w := p.quarantine(slot("k"))
		byKey := p.reserve(slot("k"))
		p.invalidate("k")
		p.refused(byKey, an("old"))
		byTag := p.reserve(slot("k", "t"))
		p.invalidateTags("t")
		p.refused(byTag, an("old", "t"))
		p.cancel(w)
		p.misses("k")
	}),
	rule("quarantine/found", "Found of a quarantine is nil.", reference.WriterFinds, nothing, func(p *probe) {
		p.store("k", an("old"))
		w := p.quarantine(slot("k"), slot("l"))
		if a, b := w.Found(0), w.Found(1); a != nil || b != nil {
			p.fail("Found is %s and %s, want nil", shown(a), shown(b))
		}
		p.cancel(w)
	}),
	rule("quarantine/invalidate-holds", "Invalidate does not end a quarantine.", reference.InvalidateLifts, nothing, func(p *probe) {
		w := p.quarantine(slot("k"))
		p.invalidate("k")
		p.keptOut(p.reserve(slot("k")), an("old"))
		p.misses("k")
		p.cancel(w)
	}),
	rule("quarantine/committed", "Commit ends a quarantine: the key can be filled again.", reference.HoldsForever, nothing, func(p *probe) {
		for _, e := range []*entry{nil, stale("new")} {
			p.commit(p.quarantine(slot("k")), e)
			p.store("k", stale("newer"))
			p.has("k", "newer")
		}
	}),
	rule("quarantine/cancelled", "Cancel ends a quarantine: the key can be filled again.", reference.CancelHolds, nothing, func(p *probe) {
		p.cancel(p.quarantine(slot("k")))
		p.store("k", an("new"))
		p.has("k", "new")
	}),
	rule("quarantine/first-release", "A quarantine of several writers lasts until the last of them has ended.", reference.FirstReleaseLifts, nothing, func(p *probe) {
		first, second := p.quarantine(slot("k")), p.quarantine(slot("k"))
		p.commit(first, an("1"))
		f := p.reserve(slot("k"))
		p.keptOut(f, an("old"))
		p.misses("k")
		f = p.reserve(slot("k"))
		p.commit(second, an("2"))
		p.refused(f, an("old"))
		p.misses("k")
		p.store("k", an("new"))
		p.has("k", "new")
	}),
}
