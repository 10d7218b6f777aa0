package policy

import "github.com/larder-cache/larder/memstore"

// Names of the policies.
const (
	// LRU evicts the entry whose last request is longest ago.
	LRU = "lru"
	// Memstore is the store in memory of the library, as it is by default.
	Memstore = "memstore"
	// TwoQueue and Adaptive are the same with another eviction policy.
	TwoQueue = "2q"
	Adaptive = "adaptive"
	// Optimum knows the future; no policy has more hits, and one that knows
	// the future too has as many.
	Optimum = "optimum"
	// Bound is what no policy has more hits than, though it may be that none has as
	// many: the optimum of entries that expire or have sizes is too much to compute.
	Bound = "bound"
)

// catalog lists the policies in the order of report columns. A new policy is
// one line here.
var catalog = []Kind{
	of(LRU, newLRU),
	of(Memstore, memstoreWith(memstore.LRU)),
	of(TwoQueue, memstoreWith(memstore.TwoQueue)),
	of(Adaptive, memstoreWith(memstore.Adaptive)),
}
