package storetest

import (
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

// doubts fails unless Validate is false for the i-th slot of a fill, before and after
// its end. An error is as good.
func (p *probe) doubts(f fill, i int) {
	for _, when := range []string{"before", "after"} {
		if valid, err := cache.Validate(p.ctx, f); err == nil && i < len(valid) && valid[i] {
			p.fail("Validate is %v %s the end of the fill, want slot %d false", valid, when, i)
		}
		f.Cancel(p.ctx)
	}
}

// validateRules are also kept by a store whose fills have no method Validate, for which
// cache.Validate is always false.
var validateRules = []Rule{
	rule("validate/key", "Validate is false for a slot whose key was invalidated since Reserve.", reference.ValidatesKeys, nothing, func(p *probe) {
		f := p.reserve(slot("a"), slot("b"))
		p.invalidate("b")
		p.doubts(f, 1)
		p.store("c", stale("v"))
		f = p.reserve(slot("c"))
		p.invalidate("c")
		p.doubts(f, 0)
	}),
	rule("validate/known-tag", "Validate is false for a slot of which a known tag was invalidated since Reserve.", reference.ValidatesKnownTags, tags, func(p *probe) {
		f := p.reserve(slot("a", "t"), lateTo("b", "u"))
		p.invalidateTags("t")
		p.doubts(f, 0)
		f = p.reserve(lateTo("b", "u"))
		p.invalidateTags("u")
		p.doubts(f, 0)
	}),
	rule("validate/late-tag", "Validate is false for a slot with late tags of which nothing was found, if any tag was invalidated since Reserve.", reference.ValidatesLateTags, tags, func(p *probe) {
		f := p.reserve(late("a"))
		p.invalidateTags("never used")
		p.doubts(f, 0)
		p.stored(p.reserve(late("b")), an("v", "t"))
		p.invalidateTags("t")
		f = p.reserve(lateTo("b", "known"))
		p.invalidateTags("t")
		p.doubts(f, 0)
	}),
	rule("validate/found-tag", "Validate is false for a slot if a tag of the entry that was found was invalidated since Reserve.", reference.ValidatesFoundTags, tags, func(p *probe) {
		p.store("a", stale("1", "t", "u"))
		p.stored(p.reserve(late("b")), stale("2", "t"))
		f := p.reserve(slot("a", "t"), late("b"))
		p.invalidateTags("u")
		p.doubts(f, 0)
		f = p.reserve(late("b"))
		p.invalidateTags("t")
		p.doubts(f, 0)
	}),
	rule("validate/writer", "Validate is false for a slot whose key a writer holds, or has held since Reserve.", reference.ValidatesHeld, nothing, func(p *probe) {
		early := p.reserve(slot("k"))
		w := p.quarantine(slot("k"))
		p.doubts(early, 0)
		during, ended := p.reserve(slot("k")), p.reserve(slot("k"))
		p.doubts(during, 0)
		p.cancel(w)
		p.doubts(ended, 0)
		p.doubts(p.quarantine(slot("k")), 0)
	}),
	rule("validate/peer", "Validate is false for a slot whose key or tag was invalidated through the other handle.", reference.ValidatesPeers, peer|tags, func(p *probe) {
		q := p.peer()
		f := p.reserve(slot("a"), slot("b", "t"))
		q.invalidate("a")
		p.doubts(f, 0)
		f = q.reserve(slot("b", "t"))
		p.invalidateTags("t")
		q.doubts(f, 0)
	}),
	rule("validate/loss", "Validate is false for a slot whose key or tag was invalidated since Reserve, also if that was lost.", reference.LossValidates, loss|tags, func(p *probe) {
		f := p.reserve(slot("a"), slot("b", "t"), late("c"))
		p.invalidate("a")
		p.invalidateTags("t")
		p.lose()
		for i := range 3 {
			p.doubts(f, i)
		}
		f = p.reserve(slot("a"), slot("b", "t"), late("c"))
		p.lose()
		p.invalidate("a")
		p.invalidateTags("t")
		for i := range 3 {
			p.doubts(f, i)
		}
	}),
}
