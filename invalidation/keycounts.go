package invalidation

import "sync/atomic"

const (
	// keyStripes is the number of counters for the keys of a remote store, a
	// multiple of the number of lanes. An invalidation of a key takes with it
	// the entries in memory that share its counter: of a million, fifteen.
	keyStripes = 1 << 16
	// keyPage is how many of them are made at once.
	keyPage = 64
)

// keyCounts counts the invalidations of the keys of a remote store, each in the stripe
// of its Hash. It takes memory as keys are watched: 8 KiB at first, and half a MiB more
// when many keys are known.
type keyCounts [keyStripes / keyPage]atomic.Pointer[keyCountPage]

type keyCountPage [keyPage]atomic.Uint64

// watch returns the counter of a key, which the key shares with others.
func (k *keyCounts) watch(hash uint32) *atomic.Uint64 {
	at := &k[hash%keyStripes/keyPage]
	p := at.Load()
	if p == nil {
		at.CompareAndSwap(nil, new(keyCountPage)) // or somebody else has just done it
		p = at.Load()
	}
	return &p[hash%keyPage]
}

// add counts an invalidation of a key. If the page of its counter is not there yet, nobody
// watches the key: a Watch makes the page before it reads the counter, so one that makes it
// now begins after the invalidation.
func (k *keyCounts) add(hash uint32) {
	if p := k[hash%keyStripes/keyPage].Load(); p != nil {
		p[hash%keyPage].Add(1)
	}
}
