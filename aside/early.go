package aside

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/larder-cache/larder/cache"
)

// standing is what may be done with what the store says of a key.
type standing uint8

const (
	missing standing = iota // there is nothing that may be served
	beyond                  // the store could not be asked, or is not to be
	fresh                   // to be served
	due                     // to be served, and loaded again before its time
	stale                   // past its time: to be served, and loaded again
	spare                   // to be served if it cannot be loaded again
)

// waits reports whether a caller has to wait for a load.
func (s standing) waits() bool { return s <= beyond || s == spare }

// judge says what may be done with an entry. It looks at the clock only for those
// that can be stale, or if values are loaded before their time.
func (g *engine[K, V]) judge(e *cache.Entry[V]) standing {
	switch {
	case e == nil || !g.serves(e):
		return missing
	case e.Fresh == e.Expires && !g.ahead:
		return fresh
	}
	switch now := cache.Now(); {
	case now < e.Fresh:
		if g.ahead && g.isDue(e, now) {
			return due
		}
		return fresh
	case e.Fresh == e.Expires:
		return fresh // to the store's clock
	case now < g.policy.AtOnce(e.Fresh):
		return stale
	case now < g.policy.AtOnce(e.Fresh).Add(g.policy.IfError):
		return spare
	}
	return missing
}

// mostLog is more than -log of the least number that rand gives.
const mostLog = 37

// isDue reports whether a fresh entry is to be loaded again now: after a fraction
// of its life, or by XFetch (Vattani, Chierichetti, Lowenstein, VLDB 2015), for
// which each read draws by how much it runs ahead of the clock.
func (g *engine[K, V]) isDue(e *cache.Entry[V], now cache.Moment) bool {
	if e.Fresh == cache.Forever {
		return false
	}
	if p := g.policy.Ahead; p > 0 {
		loaded := e.Loaded()
		return loaded > 0 && float64(now-loaded) >= p*float64(e.Fresh-loaded)
	}
	left, scale := float64(e.Fresh.Sub(now)), g.policy.Early*float64(e.Cost)
	if left > mostLog*scale {
		return false
	}
	return -scale*math.Log(1-rand.Float64()) >= left
}

// renew has keys loaded again in the background, but for those that rest, are on
// their way, or find no place. causes[i] is the *cache.Entry that is due, or nil
// if the key is past its time.
func (g *engine[K, V]) renew(ctx context.Context, keys []K, causes []any) {
	for i := 0; i < len(keys); i++ {
		if g.failures.get(keys[i]) == nil {
			continue
		}
		keys[i], causes[i] = keys[len(keys)-1], causes[len(keys)-1]
		keys, causes = keys[:len(keys)-1], causes[:len(keys)-1]
		i--
	}
	begun, refused := g.flights.Refresh(ctx, keys, causes)
	if begun > 0 {
		g.observe(cache.RefreshStarted, begun, 0, nil)
	}
	if refused > 0 {
		g.observe(cache.RefreshSkipped, refused, 0, nil)
	}
}

// cause returns what renew is told of an entry.
func cause[V any](e *cache.Entry[V], s standing) any {
	if s == due {
		return e
	}
	return nil
}

// other reports whether e is not the entry that was due, but one that somebody has
// stored since.
func other[V any](e *cache.Entry[V], cause any) bool {
	c, early := cause.(*cache.Entry[V])
	return !early || e.Loaded() > c.Loaded() || e.Fresh > c.Fresh
}
