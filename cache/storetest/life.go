package storetest

import (
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var lifeRules = []Rule{
	rule("close", "A closed store answers every call with ErrClosed, and stores nothing.", reference.OpenAfterClose, closing, func(p *probe) {
		p.store("k", an("v"))
		f := p.reserve(slot("l"))
		if err := p.Close(p.ctx); err != nil {
			p.fail("Close: %w", err)
		}
		e, err := p.Store.Get(p.ctx, "k")
		p.is("Get", err, cache.ErrClosed)
		if e != nil {
			p.fail("Get is %s", shown(e))
		}
		_, err = p.Store.GetMany(p.ctx, []string{"k"})
		p.is("GetMany", err, cache.ErrClosed)
		_, err = p.Store.Reserve(p.ctx, slot("k"))
		p.is("Reserve", err, cache.ErrClosed)
		_, err = p.Store.Quarantine(p.ctx, slot("k"))
		p.is("Quarantine", err, cache.ErrClosed)
		p.is("Invalidate", p.Store.Invalidate(p.ctx, "k"), cache.ErrClosed)
		_, err = cache.Put(p.ctx, p.Store, "k", an("w"))
		p.is("Put", err, cache.ErrClosed)
		p.notStored(f, an("w"))
	}),
	rule("concurrent", "No Get that starts after an invalidation returned has a value whose load began before it.",
		reference.CheckThenStore, nothing, func(p *probe) { p.race(false) }),
}
