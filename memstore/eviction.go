package memstore

import "fmt"

// Eviction is how a store that is full chooses what has to leave.
type Eviction uint8

const (
	// LRU lets an entry go that was not used for a long time, by a clock. It costs
	// no memory, and nothing but a mark in an entry when that is used.
	LRU Eviction = iota
	// TwoQueue is 2Q (T. Johnson and D. Shasha, 2Q: A Low Overhead High Performance
	// Buffer Management Replacement Algorithm, 1994) on the lists of golang-lru.
	// What was asked for once waits in a quarter of the store and leaves first, so
	// that a scan does not take all of it. It costs 100 to 150 bytes an entry.
	TwoQueue
	// Adaptive keeps what is used often, or what was used last, whichever has more
	// hits: it tries both on a sample of the keys and does the same with all. It is
	// hardly ever worse than LRU, and on most loads better. It costs 13 bytes an
	// entry, at most 32 KiB a store, and a bit of time for the hits of the sample,
	// which do not wait either. See docs/adr/0008-eviction.md.
	Adaptive
)

// String returns the name of the policy in lower case.
func (e Eviction) String() string {
	switch e {
	case LRU:
		return "lru"
	case TwoQueue:
		return "2q"
	case Adaptive:
		return "adaptive"
	}
	return fmt.Sprintf("Eviction(%d)", uint8(e))
}

// check panics unless e is one of the policies.
func (e Eviction) check() {
	if e > Adaptive {
		panic(fmt.Sprintf("larder: memstore.New: Options.Eviction is %v: it must be LRU, TwoQueue or Adaptive", e))
	}
}
