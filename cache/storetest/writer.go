package storetest

import (
	"slices"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var writerRules = []Rule{
	rule("writer/alone", "The commit of a quarantine that nobody touched stores.", reference.WriterNeverStores, nothing, func(p *probe) {
		p.stored(p.quarantine(slot("k", "t")), an("1", "t"))
		p.has("k", "1")
		p.stored(p.quarantine(slot("k")), an("2"))
		p.has("k", "2")
		p.stored(p.quarantine(late("k")), an("3", "t"))
		p.has("k", "3")
	}),
	rule("writer/last", "Of writers at the same time, the last to commit does not store.", reference.LastWriterWins, nothing, func(p *probe) {
		for i := range 2 {
			first, second := p.quarantine(slot("k")), p.quarantine(slot("k"))
			if i == 1 {
				first, second = second, first
			}
			p.commit(first, nil)
			p.keptOut(second, an("2"))
			p.misses("k")
		}
	}),
	rule("writer/first", "Of writers at the same time, the first to commit does not store.", reference.FirstWriterWins, nothing, func(p *probe) {
		for i := range 2 {
			first, second := p.quarantine(slot("k")), p.quarantine(slot("k"))
			if i == 1 {
				first, second = second, first
			}
			p.keptOut(first, an("1"))
			p.misses("k")
			p.keptOut(second, an("2"))
			p.misses("k")
		}
	}),
	rule("writer/invalidated", "The commit of a quarantine leaves no value after the key was invalidated.", reference.InvalidateSpares, nothing, func(p *probe) {
		w := p.quarantine(slot("k"))
		p.invalidate("k")
		p.keptOut(w, an("new"))
		p.misses("k")
	}),
	rule("writer/cancel", "Cancel of a quarantine leaves no value.", reference.CancelRestores, nothing, func(p *probe) {
		p.store("k", an("old"))
		p.cancel(p.quarantine(slot("k")))
		p.misses("k")
	}),
	rule("writer/nil", "A nil entry leaves a key in quarantine without a value.", reference.NilRestores, nothing, func(p *probe) {
		p.store("k", an("old"))
		if out := p.commit(p.quarantine(slot("k")), nil); out[0] == cache.Stored {
			p.fail("Commit of nil is stored")
		}
		p.misses("k")
	}),
	rule("writer/known-tag", "The commit of a quarantine stores nothing after a tag named at Quarantine was invalidated.", reference.WriterTagsUnwatched, tags, func(p *probe) {
		w := p.quarantine(slot("k", "t1", "t2"))
		p.invalidateTags("t2")
		p.keptOut(w, an("new", "t1", "t2"))
		p.misses("k")
	}),
	rule("writer/late-tag", "The commit of a quarantine stores nothing with a late tag that was invalidated.", reference.WriterLateUnwatched, tags, func(p *probe) {
		w := p.quarantine(late("k"))
		p.invalidateTags("t")
		p.keptOut(w, an("new", "t"))
		p.misses("k")
		w = p.quarantine(slot("l"))
		p.invalidateTags("undeclared")
		p.notStored(w, an("new", "undeclared"))
		p.misses("l")
	}),
	rule("writer/slots-apart", "A key touched by another writer does not refuse the other keys of a quarantine.", reference.TaintSpreads, nothing, func(p *probe) {
		w := p.quarantine(slot("a"), slot("b"), slot("c"))
		other := p.quarantine(slot("b"))
		p.invalidate("c")
		out := p.commit(w, an("1"), an("2"), an("3"))
		if !slices.Equal(out, []outcome{cache.Stored, cache.Refused, cache.Refused}) {
			p.fail("outcomes are %v, want only the first stored", out)
		}
		p.cancel(other)
		p.has("a", "1")
		p.misses("b", "c")
	}),
	rule("writer/put", "Put stores, and replaces what is there.", reference.PutKeepsOld, nothing, func(p *probe) {
		for _, v := range []string{"1", "2", "3"} {
			if !p.put("k", an(v, "t")) {
				p.fail("Put of %s reports that it did not store", v)
			}
			p.has("k", v)
		}
	}),
	rule("writer/put-at-once", "Put reports that it did not store while another writer is at work on the key.", reference.WriterTakesOver, nothing, func(p *probe) {
		w := p.quarantine(slot("k"))
		if p.put("k", an("put")) {
			p.fail("Put reports that it stored")
		}
		p.misses("k")
		p.keptOut(w, an("new"))
		p.misses("k")
		if !p.put("k", an("put")) {
			p.fail("Put does not store after the other writer has ended")
		}
		p.has("k", "put")
	}),
}

func (p *probe) put(key string, e *entry) bool {
	ok, err := cache.Put(p.ctx, p.Store, key, e)
	if err != nil {
		p.fail("Put(%s): %w", key, err)
	}
	return ok
}
