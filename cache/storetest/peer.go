package storetest

import "github.com/larder-cache/larder/cache/storetest/internal/reference"

var peerRules = []Rule{
	rule("peer/shares", "What is stored through one handle is read through the other.", reference.HandlesApart, peer, func(p *probe) {
		q := p.peer()
		p.store("a", an("1", "t"))
		q.has("a", "1")
		q.store("b", an("2"))
		p.has("b", "2")
	}),
	rule("peer/fills", "What one handle invalidates refuses the open fills of the other.", reference.PeerUnseenByFills, peer, func(p *probe) {
		q := p.peer()
		f := p.reserve(slot("k"))
		q.invalidate("k")
		p.refused(f, an("old"))
		p.misses("k")
		q.misses("k")
		f = q.reserve(slot("k"))
		p.invalidate("k")
		q.refused(f, an("old"))
		p.misses("k")
		q.misses("k")
	}),
	rule("peer/invalidates", "Store returns no entry after Peer invalidated its key.", reference.PeerUnseenByReads, upToDate, func(p *probe) {
		q := p.peer()
		p.store("k", an("v"))
		p.has("k", "v")
		q.invalidate("k")
		p.misses("k")
		q.store("k", an("w"))
		p.has("k", "w")
	}),
	rule("peer/is-told", "Peer returns no entry after Store invalidated its key.", reference.PeerNotTold, peer, func(p *probe) {
		q := p.peer()
		q.store("k", an("v"))
		q.has("k", "v")
		p.has("k", "v")
		p.invalidate("k")
		q.misses("k")
		p.misses("k")
	}),
	rule("peer/tags", "The invalidation of a tag reaches the entries and the open fills of both handles.", reference.PeerUnseenInTags, peer|tags, func(p *probe) {
		q := p.peer()
		q.store("a", an("1", "t"))
		q.has("a", "1")
		p.stored(p.reserve(late("b")), an("2", "t"))
		q.has("b", "2")
		mine, theirs := p.reserve(slot("c", "t")), q.reserve(slot("d", "t"))
		p.invalidateTags("t")
		p.misses("a", "b")
		q.misses("a", "b")
		p.refused(mine, an("old", "t"))
		q.refused(theirs, an("old", "t"))
		p.misses("c", "d")
		q.misses("c", "d")
	}),
	rule("peer/quarantine", "The quarantine of one handle holds the fills of the other.", reference.PeerHoldsAlone, peer, func(p *probe) {
		q := p.peer()
		for i, w := range []*probe{q, p} {
			r := [](*probe){p, q}[i]
			early := r.reserve(slot("k"))
			f := w.quarantine(slot("k"))
			r.keptOut(early, an("old"))
			r.keptOut(r.reserve(slot("k")), an("old"))
			p.misses("k")
			q.misses("k")
			during := r.reserve(slot("k"))
			rival := r.quarantine(slot("k"))
			w.keptOut(f, an("1"))
			r.keptOut(rival, an("2"))
			r.keptOut(during, an("old"))
			p.misses("k")
			q.misses("k")
		}
	}),
}
