package stampede

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// expiry is the loads that one expiry has caused, by their begin.
type expiry []load

// gap is how long nobody loads between two expiries, at least.
func (c Config) gap() time.Duration { return c.TTL / 4 }

// expiriesOf puts loads into the expiries that caused them, each of one key.
func expiriesOf(loads []load, gap time.Duration) (all []expiry) {
	sorted := slices.Clone(loads)
	slices.SortFunc(sorted, func(a, b load) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.begin, b.begin)) })
	var end int64
	for i, l := range sorted {
		if i == 0 || l.key != sorted[i-1].key || l.begin-end >= int64(gap) {
			all, end = append(all, nil), 0
		}
		all[len(all)-1] = append(all[len(all)-1], l)
		end = max(end, l.end)
	}
	return all
}

// windows returns for how long somebody waited, at each expiry.
func windows(waits []wait, gap time.Duration) (all []time.Duration) {
	loads := make([]load, len(waits))
	for i, w := range waits {
		loads[i] = load{key: w.Key, begin: w.Begin, end: w.Begin + w.Took}
	}
	for _, e := range expiriesOf(loads, gap) {
		end := e[0].end
		for _, l := range e {
			end = max(end, l.end)
		}
		all = append(all, time.Duration(end-e[0].begin))
	}
	return all
}

// surplus counts the loads that were begun although another had its turn, and returns
// how soon after that the soonest of them was.
func (o *outcome) surplus(c Config) (n int, soonest time.Duration) {
	if o.way.turn == nil {
		return 0, 0
	}
	// Half of it, as a question that is on the way for long comes late.
	soonest = o.way.turn(c.Load) / 2
	for _, e := range o.expiries {
		for i := 1; i < len(e); i++ {
			if after := time.Duration(e[i].begin - e[i-1].begin); after < o.way.turn(c.Load)/2 {
				n++
				soonest = min(soonest, after)
			}
		}
	}
	return n, soonest
}

// judge returns a note if a way has loaded more often than it is to.
func (o *outcome) judge(c Config) (notes []results.Note) {
	if len(o.expiries) == 0 {
		return []results.Note{{Level: results.Warn, Text: o.way.title + ": nothing was loaded, so that this says nothing: give it more --time or a higher --rate"}}
	}
	n, soonest := o.surplus(c)
	if n == 0 {
		return nil
	}
	note := results.Note{Level: results.Fail, Text: fmt.Sprintf("%s: %d of %d loads were begun while another process had its turn, one of them %s after that", o.way.title, n, len(o.loads), results.Brief(soonest))}
	switch {
	case !o.way.promised:
		note.Level = results.Warn
		note.Text += ". A refresh is made twice if two processes want it while it is stored, or if what nobody refreshed in time has expired"
	case o.late > o.way.turn(c.Load)/4:
		note.Level = results.Warn
		note.Text += ". But the machine let nobody run for " + results.Brief(o.late) + ", which is about as long as locks live: that says nothing"
	}
	return []results.Note{note}
}
