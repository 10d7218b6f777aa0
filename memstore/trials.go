package memstore

import (
	"sync"
	"sync/atomic"
)

const (
	// sample is how many entries a miniature has, if the store is not smaller.
	sample = 256
	// memoryOfScores is after how many requests, in capacities of a miniature, what
	// was before counts half.
	memoryOfScores = 4
	// lead is what another share must be ahead: one hit for so many entries of a
	// miniature, but leastLead.
	lead      = 20
	leastLead = 4
	// stale is after how many halvings of the scores, in which it was never ahead of
	// the LRU, a miniature is filled anew: what is in its core may be in nobody's
	// use any more, and keep others from getting there.
	stale = 4
)

// shares are those of the window that are tried, in percent of the capacity. The
// last is an LRU, with which a store begins.
var shares = [...]int{1, 10, everything}

// trials finds the best share of the window for a store: for each it has a miniature
// of the store, to which go the requests of a sample of the keys, and it chooses that
// which had the most hits lately (C. Waldspurger et al., Cache Modeling and
// Optimization using Miniature Simulations, 2017). Nobody waits for it: what comes
// while it is busy is not in the sample.
type trials struct {
	choice atomic.Int32 // in shares
	rate   atomic.Uint64

	mu         sync.Mutex
	miniatures [len(shares)]*miniature
	requests   int
	entries    int // of the store, as it was when rate was set
}

// newTrials returns those of a store of a number of entries. If it is not known,
// it is a guess from above.
func newTrials(entries int) *trials {
	t := &trials{}
	for i, share := range shares {
		t.miniatures[i] = newMiniature(min(sample, entries), share)
	}
	t.choice.Store(int32(len(shares) - 1))
	t.setRate(entries)
	return t
}

func (t *trials) setRate(entries int) {
	t.entries = entries
	t.rate.Store(uint64(float64(t.miniatures[0].capacity) / float64(entries) * (1 << 32)))
}

// fit says how many entries the store has room for now.
func (t *trials) fit(entries int) {
	if !t.mu.TryLock() {
		return
	}
	defer t.mu.Unlock()
	if entries = max(1, entries); 8*max(entries-t.entries, t.entries-entries) <= t.entries {
		return
	}
	for _, m := range t.miniatures {
		m.fit(min(len(m.marks), entries))
	}
	t.setRate(entries)
}

// enter reports whether a hash is in the sample and there is nobody else; then the
// lock is held. The bits that find a bucket do not choose the sample.
func (t *trials) enter(hash uint32) bool {
	return uint64(hash*0x9e3779b1) < t.rate.Load() && t.mu.TryLock()
}

// request notes that a key was asked for.
func (t *trials) request(hash uint32) {
	if !t.enter(hash) {
		return
	}
	defer t.mu.Unlock()
	choice := t.choice.Load()
	best := choice
	for i, m := range t.miniatures {
		m.request(hash)
		if m.score > t.miniatures[best].score {
			best = int32(i)
		}
	}
	capacity := t.miniatures[0].capacity
	if t.miniatures[best].score-t.miniatures[choice].score > max(leastLead, capacity/lead) {
		t.choice.Store(best)
	}
	if t.requests++; t.requests >= memoryOfScores*capacity {
		t.requests = 0
		t.age()
	}
}

// age halves the scores, and renews what is stale. If that was the choice, the store
// is an LRU until it proves better, so that its own core is renewed as well.
func (t *trials) age() {
	lru := len(shares) - 1
	best := t.miniatures[lru].score
	for i, m := range t.miniatures {
		m.behind++
		if m.score > best {
			m.behind = 0
		}
		m.score /= 2
		if m.behind >= stale && i != lru {
			m.behind = 0
			m.renew()
			t.choice.CompareAndSwap(int32(i), int32(lru))
		}
	}
}

// drop notes that a key was invalidated.
func (t *trials) drop(hash uint32) {
	if t.enter(hash) {
		for _, m := range t.miniatures {
			m.drop(hash)
		}
		t.mu.Unlock()
	}
}
