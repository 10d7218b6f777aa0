package storetest

import (
	"math"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var expiryRules = []Rule{
	rule("expiry/expires", "No entry is returned from the moment it expires.", reference.NeverExpires, nothing, func(p *probe) {
		p.inTime(func() {
			e := an("v", "t")
			e.Fresh = cache.Now().Add(60 * time.Millisecond)
			e.Expires = e.Fresh
			p.commit(p.reserve(slot("k", "t")), e)
			p.until("the entry has not expired", func() bool {
				return cache.Now() >= e.Expires
			})
			p.misses("k")
			if got := p.reserve(slot("k", "t")).Found(0); got != nil {
				p.fail("Found is %s, want nil for an entry that has expired", shown(got))
			}
		})
	}),
	rule("expiry/dead", "An entry that has expired when it is committed is never returned.", reference.ZeroIsForever, nothing, func(p *probe) {
		for _, at := range []cache.Moment{0, 1, -1, math.MinInt64, cache.Now().Add(-time.Hour), cache.Now().Add(-time.Millisecond)} {
			for _, fresh := range []cache.Moment{at, 0, cache.Forever} {
				p.commit(p.reserve(slot("read")), &entry{Value: "v", Fresh: fresh, Expires: at})
				p.misses("read")
				p.commit(p.quarantine(slot("written")), &entry{Value: "v", Fresh: fresh, Expires: at})
				p.misses("written")
			}
		}
	}),
	rule("expiry/stale", "A stale entry is returned until it expires.", reference.FreshIsExpiry, nothing, func(p *probe) {
		p.store("k", stale("v"))
		p.has("k", "v")
		e := an("w")
		e.Fresh = 0
		p.store("l", e)
		p.has("l", "w")
		if got := p.many("k", "l"); len(got) != 2 {
			p.fail("GetMany has %d of 2 stale entries", len(got))
		}
	}),
	rule("expiry/forever", "An entry that does not expire is returned as such.", reference.ForeverOverflows, nothing, func(p *probe) {
		e := an("v")
		e.Fresh, e.Expires = cache.Forever, cache.Forever
		p.store("k", e)
		p.has("k", "v")
		if got := p.get("k"); got == nil || got.Fresh != cache.Forever || got.Expires != cache.Forever {
			p.fail("Get is %+v, want Fresh and Expires Forever", got)
		}
	}),
}
