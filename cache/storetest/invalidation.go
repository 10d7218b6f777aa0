package storetest

import (
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var invalidationRules = []Rule{
	rule("invalidate/key", "No entry is returned after its key was invalidated.", reference.KeyKept, nothing, func(p *probe) {
		p.store("k", an("v"))
		p.has("k", "v")
		p.invalidate("k")
		p.misses("k")
	}),
	rule("invalidate/each-tag", "No entry is returned after any one of its tags was invalidated.", reference.FirstTagOnly, tags, func(p *probe) {
		names := []string{"t0", "t1", "t2", "t3"}
		for i, t := range names {
			key := fmt.Sprint("k", i)
			p.store(key, an("v", names...))
			p.has(key, "v")
			p.invalidateTags(t)
			p.misses(key)
		}
	}),
	rule("invalidate/late-tag", "No entry is returned after a tag was invalidated that it got at its commit.", reference.LateTagsDropped, tags, func(p *probe) {
		for _, t := range []string{"known", "late"} {
			p.stored(p.reserve(lateTo("k", "known")), an("v", "known", "late"))
			p.has("k", "v")
			p.invalidateTags(t)
			p.misses("k")
		}
	}),
	rule("invalidate/members", "The invalidation of a tag takes all entries that carry it.", reference.OneMember, tags, func(p *probe) {
		keys := []string{"a", "b", "c", "d"}
		for _, k := range keys {
			p.store(k, an(k, "t", "of:"+k))
		}
		p.invalidateTags("t")
		p.misses(keys...)
	}),
	rule("invalidate/several-keys", "Invalidate takes all of its keys, also if some have no entry.", reference.StopsAtUnknownKey, nothing, func(p *probe) {
		for _, k := range []string{"a", "b", "c"} {
			p.store(k, an(k))
		}
		p.invalidate("unknown", "a", "b", "never", "b", "c")
		p.misses("a", "b", "c")
	}),
	rule("invalidate/several-tags", "The invalidation of several tags takes each, also if nothing carries some.", reference.StopsAtUnknownTag, tags, func(p *probe) {
		for _, k := range []string{"a", "b"} {
			p.store(k, an(k, "of:"+k))
		}
		p.invalidateTags("unknown", "of:a", "never", "of:a", "of:b")
		p.misses("a", "b")
	}),
	rule("invalidate/other-keys", "Invalidate leaves the entries of other keys.", reference.RemovesPrefix, nothing, func(p *probe) {
		keys := []string{"ab", "a:b", "b", "user:1", "user:11"}
		for _, k := range keys {
			p.store(k, an(k))
		}
		p.invalidate("a", "user:", "user:*", "*", "B")
		for _, k := range keys {
			p.has(k, k)
		}
	}),
	rule("invalidate/other-tags", "The invalidation of a tag leaves entries without it.", reference.TagClearsAll, tags, func(p *probe) {
		p.store("a", an("1", "t1"))
		p.store("b", an("2"))
		p.store("c", an("3", "t2", "t3"))
		p.stored(p.reserve(late("d")), an("4", "t4"))
		p.invalidateTags("t", "t5", "*")
		p.has("a", "1")
		p.invalidateTags("t1")
		p.has("b", "2")
		p.has("c", "3")
		p.has("d", "4")
	}),
	rule("invalidate/tag-is-no-key", "A tag and a key of the same name have nothing to do with each other.", reference.TagsAreKeys, tags, func(p *probe) {
		p.store("name", an("1"))
		p.store("other", an("2", "name"))
		p.invalidate("name")
		p.has("other", "2")
		p.store("name", an("3"))
		p.invalidateTags("name")
		p.misses("other")
		p.has("name", "3")
	}),
	rule("invalidate/again", "What was invalidated can be filled again at once.", reference.Tombstone, tags, func(p *probe) {
		for i := range 3 {
			v := fmt.Sprint(i)
			p.store("k", an(v, "t"))
			p.has("k", v)
			if i%2 == 0 {
				p.invalidate("k")
			} else {
				p.invalidateTags("t")
			}
			p.misses("k")
		}
		p.store("k", an("v", "t"))
		p.has("k", "v")
	}),
	rule("invalidate/guard", "The guard of an entry, if it has one, is invalid once a tag of the entry was invalidated.", reference.GuardAsleep, tags, func(p *probe) {
		p.store("k", an("v", "t1", "t2"))
		e := p.get("k")
		if e == nil {
			p.fail("Get is a miss")
		}
		p.invalidateTags("t2")
		if e.Guard != nil && e.Trust(time.Now()) != cache.Invalid {
			p.fail("the guard says that the entry is valid")
		}
		p.store("k", an("w", "t1", "t2"))
		if e.Guard != nil && e.Trust(time.Now()) != cache.Invalid {
			p.fail("the guard says that the entry is valid again")
		}
	}),
}
