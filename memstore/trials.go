package memstore

import (
	"sync"
	"sync/atomic"
)

const (
	// sample is how many entries a miniature has, if the store is not smaller.
	sample = 256
	// slack is by which part a miniature may be larger or smaller than it should be.
	slack = 4
	// memoryOfScores is after how many requests, in capacities of a miniature, what
	// was before counts half.
	memoryOfScores = 4
	// leadOnLRU and lead are what another share must be ahead of the choice, if that is
	// an LRU and if not: one hit for so many entries of a miniature, but leastLead. An
	// LRU is left only for a good reason, as it never does what nobody would expect.
	leadOnLRU = 10
	lead      = 40
	leastLead = 4
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
	choice    atomic.Int32 // in shares
	rate      atomic.Uint64
	residents atomic.Int64 // entries of the store that are in the sample

	mu         sync.Mutex
	miniatures [len(shares)]*miniature
	requests   int
	entries    int  // of the store, as it was when rate was set
	weighed    bool // entries changes
}

// newTrials returns those of a store of a number of entries. If it is not known,
// it is a guess from above.
func newTrials(entries int) *trials {
	t := &trials{}
	for i, share := range shares {
		t.miniatures[i] = newMiniature(min(sample, entries), slack, share)
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
	t.weighed = true
	for _, m := range t.miniatures {
		m.fit(min(sample, entries))
	}
	t.setRate(entries)
}

// sampled reports whether a hash is in the sample. The bits that find a bucket do not
// choose it.
func (t *trials) sampled(hash uint32) bool { return uint64(hash*0x9e3779b1) < t.rate.Load() }

// count notes that the store has by more entries of a hash.
func (t *trials) count(hash uint32, by int64) {
	if t.sampled(hash) {
		t.residents.Add(by)
	}
}

// enter reports whether a hash is in the sample and there is nobody else; then the
// lock is held.
func (t *trials) enter(hash uint32) bool { return t.sampled(hash) && t.mu.TryLock() }

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
	need := capacity / lead
	if int(choice) == len(shares)-1 {
		need = capacity / leadOnLRU
	}
	if t.miniatures[best].score-t.miniatures[choice].score > max(leastLead, need) {
		t.choice.Store(best)
	}
	if t.requests++; t.requests >= memoryOfScores*capacity {
		t.requests = 0
		t.age()
	}
}

// age halves the scores.
func (t *trials) age() {
	for _, m := range t.miniatures {
		m.score /= 2
	}
	t.adjust()
}

// adjust gives the miniatures as many entries as the store really has of the sample. By
// chance it may have more or fewer than the sample should, and then near the length of
// a loop a miniature would have hits, or misses, that the store does not have.
func (t *trials) adjust() {
	if t.weighed {
		return // the sample changes
	}
	nominal, n := min(sample, t.entries), int(t.residents.Load())
	if n < nominal-nominal/slack { // it is not full
		n = nominal
	}
	for _, m := range t.miniatures {
		m.fit(min(n, len(m.marks)))
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
