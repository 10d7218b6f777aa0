package storetest

import (
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var vouchRules = []Rule{
	rule("vouched/error", "The commit of a value that the store cannot hold has the error ErrNotStorable, and what is not Stored is a miss.", reference.UnstorableUnsaid, unstorable, func(p *probe) {
		for i, open := range []func(...cache.Slot[string]) fill{p.reserve, p.quarantine} {
			key := fmt.Sprint("k", i)
			out, err := open(slot(key)).Commit(p.ctx, an(p.Unstorable))
			p.is("Commit", err, cache.ErrNotStorable)
			if len(out) != 1 || out[0] == cache.Passed {
				p.fail("outcomes are %v, want one that is refused, vouched or stored", out)
			}
			// Of a pair, the first level may hold it, for a while.
			if e := p.get(key); e != nil && (out[0] != cache.Stored || e.Value != p.Unstorable) {
				p.fail("it is %v, and Get is %s", out[0], shown(e))
			}
			p.invalidate(key)
			p.misses(key)
		}
	}),
	rule("vouched/invalidated", "A value that the store cannot hold is not valid after its key or a tag of it was invalidated.", reference.UnstorableVouched, unstorable|tags, func(p *probe) {
		f := p.reserve(slot("k"))
		p.invalidate("k")
		p.invalid(f, an(p.Unstorable))
		f = p.reserve(slot("k", "t"))
		p.invalidateTags("t")
		p.invalid(f, an(p.Unstorable, "t"))
		f = p.reserve(late("k"))
		p.invalidateTags("t")
		p.invalid(f, an(p.Unstorable, "t"))
		p.misses("k")
	}),
	rule("vouched/held", "A value that the store cannot hold is not valid if a writer holds its key, or has held it since Reserve.", reference.HeldVouched, unstorable, func(p *probe) {
		early := p.reserve(slot("k"))
		w := p.quarantine(slot("k"))
		during, ended := p.reserve(slot("k")), p.reserve(slot("k"))
		p.invalid(early, an(p.Unstorable))
		p.invalid(during, an(p.Unstorable))
		p.cancel(w)
		p.invalid(ended, an(p.Unstorable))
		p.misses("k")
	}),
	rule("vouched/writer", "A value of a writer that the store cannot hold is not valid after the key was invalidated, or another writer held it.", reference.WriterVouched, unstorable, func(p *probe) {
		w := p.quarantine(slot("k"))
		p.invalidate("k")
		p.invalid(w, an(p.Unstorable))
		first, second := p.quarantine(slot("k")), p.quarantine(slot("k"))
		p.invalid(first, an(p.Unstorable))
		p.invalid(second, an(p.Unstorable))
		p.misses("k")
	}),
	rule("vouched/guard", "An entry that is Vouched has a guard, which is Invalid once its key or tag was invalidated or a writer holds it.", reference.VouchedUnguarded, unstorable|tags, func(p *probe) {
		for i, end := range []func(key string){
			func(key string) { p.invalidate(key) },
			func(string) { p.invalidateTags("t") },
			func(key string) { p.cancel(p.quarantine(slot(key))) },
		} {
			key, e := fmt.Sprint("k", i), an(p.Unstorable, "t")
			out, _ := p.reserve(slot(key, "t")).Commit(p.ctx, e)
			if len(out) != 1 || out[0] != cache.Vouched {
				continue
			}
			end(key)
			if now := time.Now(); e.Trust(now) != cache.Invalid {
				p.fail("the guard of the entry says %v after %d", e.Trust(now), i)
			}
		}
	}),
}

// invalid commits an entry that must not be valid; an error is as good.
func (p *probe) invalid(f fill, e *entry) {
	if out, _ := f.Commit(p.ctx, e); len(out) != 0 && out[0].Valid() {
		p.fail("Commit is %v, want it refused", out)
	}
}
