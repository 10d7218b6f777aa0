package policy

import "github.com/larder-cache/larder/memstore"

// Names of the policies in the catalog.
const (
	// LRU evicts the entry whose last request is longest ago.
	LRU = "lru"
	// Memstore is the store in memory of the library, as it is by default.
	Memstore = "memstore"
	// TwoQueue and Adaptive are the same with another eviction policy.
	TwoQueue = "2q"
	Adaptive = "adaptive"
	// Optimum knows the future; no policy has more hits.
	Optimum = "optimum"
)

// catalog lists the policies in the order of report columns, Optimum last. A
// new policy is one line here.
var catalog = []Kind{
	{LRU, newLRU},
	{Memstore, memstoreWith(Memstore, memstore.LRU)},
	{TwoQueue, memstoreWith(TwoQueue, memstore.TwoQueue)},
	{Adaptive, memstoreWith(Adaptive, memstore.Adaptive)},
	{Optimum, newOptimum},
}

// Catalog returns every policy, in the order in which reports show them.
// Optimum is the last.
func Catalog() []Kind {
	return append([]Kind(nil), catalog...)
}
