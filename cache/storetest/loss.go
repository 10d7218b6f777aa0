package storetest

import (
	"fmt"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var lossRules = []Rule{
	rule("loss/misses", "A loss costs misses and no errors, and keys can be filled again.", reference.LossIsError, loss|tags, func(p *probe) {
		p.store("a", an("1", "t"))
		p.store("b", an("2"))
		p.lose()
		for _, k := range []string{"a", "b"} {
			p.get(k)
			p.invalidate(k)
			p.store(k, an("new", "t"))
			p.has(k, "new")
		}
		p.invalidateTags("t")
		p.misses("a", "b")
	}),
	rule("loss/key", "A fill is refused whose key was invalidated before a loss.", reference.LossForgetsKeys, loss, func(p *probe) {
		again := []func(){func() {}, func() { p.cancel(p.reserve(slot("k"))) }, func() { p.store("k", an("new")) }}
		for _, then := range again {
			f := p.reserve(slot("k"))
			p.invalidate("k")
			p.lose()
			then()
			p.refused(f, an("old"))
			p.isNot("k", "old")
			p.invalidate("k")
		}
	}),
	rule("loss/before", "A fill is refused whose key was invalidated after a loss.", reference.LossBlindsKeys, loss, func(p *probe) {
		f, g := p.reserve(slot("k")), p.reserve(slot("l"))
		p.lose()
		p.invalidate("k", "l")
		p.refused(f, an("old"))
		p.misses("k")
		p.lose()
		p.refused(g, an("old"))
		p.misses("l")
	}),
	rule("loss/known-tag", "A fill is refused of which a known tag was invalidated before a loss.", reference.LossForgetsTags, loss|tags, func(p *probe) {
		for i, again := range []bool{false, true} {
			key := fmt.Sprint("k", i)
			f := p.reserve(slot(key, "t"))
			p.invalidateTags("t")
			p.lose()
			if again {
				p.store("other", stale("new", "t"))
			}
			p.refused(f, an("old", "t"))
			p.misses(key)
		}
		f := p.reserve(slot("k", "t"))
		p.lose()
		p.invalidateTags("t")
		p.refused(f, an("old", "t"))
		p.misses("k")
	}),
	rule("loss/late-tag", "A fill is refused of which a late tag was invalidated before a loss.", reference.LossForgetsLateTags, loss|tags, func(p *probe) {
		for i, again := range []bool{false, true} {
			key := fmt.Sprint("k", i)
			f := p.reserve(late(key))
			p.invalidateTags("t")
			p.lose()
			if again {
				p.stored(p.reserve(late("other")), stale("new", "t"))
			}
			p.refused(f, an("old", "t"))
			p.misses(key)
		}
		f := p.reserve(late("k"))
		p.lose()
		p.invalidateTags("t")
		p.refused(f, an("old", "t"))
		p.misses("k")
	}),
	rule("loss/revives", "An entry that was invalidated by tag is not returned after a loss.", reference.LossRevives, loss|tags, func(p *probe) {
		p.store("a", an("1", "t"))
		p.stored(p.reserve(late("b")), an("2", "t"))
		p.invalidateTags("t")
		p.lose()
		p.misses("a", "b")
		p.store("c", an("3", "t"))
		p.misses("a", "b")
	}),
	rule("loss/early-fills", "A fill from before a quarantine is not stored after the quarantine was lost.", reference.LossFreesEarlyFills, loss, func(p *probe) {
		f := p.reserve(slot("k"))
		w := p.quarantine(slot("k"))
		p.lose()
		p.keptOut(f, an("old"))
		p.misses("k")
		p.commit(w, nil)
		p.misses("k")
	}),
	rule("loss/rival", "A writer whose quarantine was lost leaves no value, neither its own nor that of another writer.", reference.LossKeepsRivals, loss, func(p *probe) {
		w := p.quarantine(slot("k"))
		p.lose()
		rival := p.quarantine(slot("k"))
		p.commit(rival, an("2"))
		p.keptOut(w, an("1"))
		p.misses("k")
	}),
	rule("loss/fills", "A writer whose quarantine was lost refuses the fills that are open when it ends, and removes what was stored.", reference.LossFreesFills, loss, func(p *probe) {
		for _, e := range []*entry{nil, an("new")} {
			w := p.quarantine(slot("a"), slot("b"))
			p.lose()
			f := p.reserve(slot("a"))
			p.commit(p.reserve(slot("b")), an("old"))
			if out := p.commit(w, e, e); out[0] == cache.Stored && e == nil {
				p.fail("Commit of nil is stored")
			}
			p.refused(f, an("old"))
			p.isNot("a", "old")
			p.isNot("b", "old")
			p.invalidate("a", "b")
		}
	}),
	rule("loss/next-writer", "A writer whose quarantine was lost does not end, or weaken, a quarantine that begins after it has ended.",
		reference.LossLiftsNext, loss, func(p *probe) {
			// A level that has kept the quarantine may install the value.
			for _, end := range []func(fill){p.cancel, func(f fill) { p.commit(f, nil) }, func(f fill) { p.commit(f, an("1")) }} {
				lost := p.quarantine(slot("k"))
				during := p.reserve(slot("k"))
				p.lose()
				after := p.reserve(slot("k"))
				end(lost)
				ended := p.reserve(slot("k"))
				p.held("k", during, after, ended)
			}
		}),
	rule("loss/writer-beside", "A writer whose quarantine was lost does not end the quarantine of another writer.",
		reference.LossLiftsRival, loss, func(p *probe) {
			for _, end := range []func(fill){p.cancel, func(f fill) { p.commit(f, nil) }, func(f fill) { p.keptOut(f, an("1")) }} {
				lost := p.quarantine(slot("k"))
				p.lose()
				next := p.quarantine(slot("k"))
				early := p.reserve(slot("k"))
				end(lost)
				late := p.reserve(slot("k"))
				p.keptOut(early, an("old"))
				p.keptOut(late, an("old"))
				p.misses("k")
				p.cancel(next)
				p.misses("k")
			}
		}),
	rule("loss/concurrent", "No Get that starts after an invalidation returns a value loaded before it, whatever is lost meanwhile.",
		reference.CheckThenStoreOnLoss, loss, func(p *probe) { p.race(true) }),
}

// held fails the rule unless a quarantine that begins now keeps out the fills that were
// opened before it and one that is opened during it.
func (p *probe) held(key string, early ...fill) {
	w := p.quarantine(slot(key))
	for _, f := range early[1:] {
		p.keptOut(f, an("old"))
		p.misses(key)
	}
	p.keptOut(p.reserve(slot(key)), an("old"))
	p.misses(key)
	p.commit(w, nil)
	p.refused(early[0], an("old"))
	p.misses(key)
}

// isNot fails the rule if key has the value, and allows any other and a miss.
func (p *probe) isNot(key, value string) {
	if e := p.get(key); e != nil && e.Value == value {
		p.fail("Get(%s) is %s, which was invalidated", short(key), short(value))
	}
}
