package storetest

import (
	"slices"
	"strings"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

// lateTo names a key of which some tags are known, and more may come.
func lateTo(key string, known ...string) cache.Slot[string] {
	return cache.Slot[string]{Key: key, Tags: known, LateTags: true}
}

var refusalRules = []Rule{
	rule("refuse/key", "Commit refuses after the key was invalidated, also if it had no value.", reference.AbsentKeyIgnored, nothing, func(p *probe) {
		f := p.reserve(slot("k"))
		p.invalidate("k")
		p.refused(f, an("old"))
		p.misses("k")
	}),
	rule("refuse/present-key", "Commit refuses after the key was invalidated whose stale value was to be refreshed.", reference.PresentKeyOnlyRemoved, nothing, func(p *probe) {
		p.store("k", stale("older"))
		f := p.reserve(slot("k"))
		p.invalidate("k")
		p.refused(f, an("old"))
		p.misses("k")
	}),
	rule("refuse/known-tag", "Commit refuses after a tag named at Reserve was invalidated.", reference.KnownTagsUnwatched, tags, func(p *probe) {
		p.store("member", an("v", "t1", "t2"))
		f := p.reserve(slot("k", "t1", "t2"))
		p.invalidateTags("t2")
		p.refused(f, an("old", "t1", "t2"))
		p.misses("k")
	}),
	rule("refuse/unused-tag", "Commit refuses after a tag was invalidated that no entry carries yet.", reference.UnusedTagIgnored, tags, func(p *probe) {
		f := p.reserve(slot("k", "t"))
		p.invalidateTags("t")
		p.refused(f, an("old", "t"))
		p.misses("k")
	}),
	rule("refuse/late-tag", "Commit refuses a late tag that was invalidated since Reserve.", reference.LateTagsUnwatched, tags, func(p *probe) {
		p.store("member", an("v", "carried"))
		for _, t := range []string{"carried", "new"} {
			f := p.reserve(late("k"))
			p.invalidateTags(t)
			p.refused(f, an("old", t))
			p.misses("k")
		}
	}),
	rule("refuse/undeclared-tag", "An entry with a tag that its slot did not announce is not stored after that tag was invalidated.", reference.UndeclaredUnwatched, tags, func(p *probe) {
		f := p.reserve(slot("k", "t"))
		p.invalidateTags("undeclared")
		p.notStored(f, an("old", "t", "undeclared"))
		p.misses("k")
	}),
	rule("refuse/malformed-tag", "An entry with a tag that is empty or longer than 4096 bytes, which nobody could invalidate, is refused, and the error is ErrNotStorable.", reference.MalformedTagStored, nothing, func(p *probe) {
		long := strings.Repeat("t", 4096)
		p.stored(p.reserve(late("long")), an("v", long))
		for _, bad := range []string{"", long + "t"} {
			for _, open := range []func(...cache.Slot[string]) fill{p.reserve, p.quarantine} {
				out, err := open(late("k"), slot("other")).Commit(p.ctx, an("v", "good", bad), an("v"))
				p.is("Commit", err, cache.ErrNotStorable)
				if !slices.Equal(out, []outcome{cache.Refused, cache.Stored}) {
					p.fail("outcomes are %v, want only the other stored", out)
				}
				p.misses("k")
				p.has("other", "v")
				p.invalidate("other")
			}
		}
		p.stored(p.reserve(slot("k")), an("v"))
	}),
	rule("refuse/late-tags-stored", "Late tags are stored if nothing was invalidated since Reserve.", reference.LateTagsRefused, tags, func(p *probe) {
		p.invalidateTags("t1")
		p.stored(p.reserve(late("k")), an("1", "t1", "t2"))
		p.has("k", "1")
		p.stored(p.reserve(lateTo("l", "t1")), an("2", "t3", "t1"))
		p.has("l", "2")
		p.stored(p.reserve(late("m")), an("3"))
		p.has("m", "3")
	}),
	rule("refuse/tag-used-again", "Commit refuses a tag that was invalidated since Reserve, also if entries have it again.", reference.TagReborn, tags, func(p *probe) {
		known, unknown := p.reserve(slot("k", "t")), p.reserve(late("l"))
		p.invalidateTags("t")
		p.store("other", an("new", "t"))
		p.stored(p.reserve(late("another")), an("new", "t"))
		p.refused(known, an("old", "t"))
		p.refused(unknown, an("old", "t"))
		p.misses("k", "l")
	}),
	rule("refuse/reserved-again", "Commit refuses after the key was invalidated, also if it was reserved or filled again.", reference.TokenOfClient, nothing, func(p *probe) {
		first, second := p.reserve(slot("k")), p.reserve(slot("l"))
		p.invalidate("k", "l")
		again := p.reserve(slot("k"))
		p.refused(first, an("old"))
		p.misses("k")
		p.stored(again, an("new"))
		p.store("l", an("new"))
		p.refused(second, an("old"))
		p.has("k", "new")
		p.has("l", "new")
	}),
	rule("refuse/every-fill", "An invalidation refuses all open fills of the key.", reference.CutConsumed, nothing, func(p *probe) {
		fills := []fill{p.reserve(slot("k")), p.reserve(slot("k")), p.reserve(slot("k"))}
		p.invalidate("k")
		for _, f := range fills {
			p.refused(f, an("old"))
			p.misses("k")
		}
	}),
	rule("refuse/second-fill", "Of two open fills, the second is refused if the key was invalidated after the first was stored.", reference.StoredEndsWatch, tags, func(p *probe) {
		first, second := p.reserve(slot("k")), p.reserve(slot("k"))
		p.stored(first, an("old"))
		p.invalidate("k")
		p.refused(second, an("older"))
		p.misses("k")
		first, second = p.reserve(slot("l", "t")), p.reserve(slot("l", "t"))
		p.stored(first, an("old", "t"))
		p.invalidateTags("t")
		p.refused(second, an("older", "t"))
		p.misses("l")
	}),
	rule("refuse/not-other-keys", "Commit stores although other keys were invalidated.", reference.KeyEpoch, nothing, func(p *probe) {
		p.store("other", an("v"))
		f := p.reserve(slot("k"))
		p.invalidate("other", "unknown", "kk", "K")
		p.stored(f, an("v"))
		p.has("k", "v")
	}),
	rule("refuse/not-other-tags", "Commit stores known tags although other tags were invalidated.", reference.TagEpoch, tags, func(p *probe) {
		p.store("other", an("v", "t1"))
		f, bare := p.reserve(slot("k", "t2")), p.reserve(slot("l"))
		p.invalidateTags("t1", "t", "t22", "T2")
		p.stored(f, an("v", "t2"))
		p.stored(bare, an("v"))
		p.has("k", "v")
		p.has("l", "v")
	}),
	rule("refuse/slots-apart", "A refused slot does not refuse the other slots of its fill.", reference.AllOrNothing, tags, func(p *probe) {
		f := p.reserve(slot("a", "t1"), slot("b", "t2"), slot("c"), slot("d", "t1", "t2"))
		p.invalidateTags("t2")
		p.invalidate("c")
		out := p.commit(f, an("1", "t1"), an("2", "t2"), an("3"), an("4", "t1", "t2"))
		if want := [4]outcome{cache.Stored}; [4]outcome(out) != want {
			p.fail("outcomes are %v, want %v", out, want)
		}
		p.has("a", "1")
		p.misses("b", "c", "d")
	}),
}
