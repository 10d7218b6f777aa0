package policy

// Names of the policies in the catalog.
const (
	// LRU evicts the entry whose last request is longest ago.
	LRU = "lru"
	// Memstore is the store in memory of the library.
	Memstore = "memstore"
	// Optimum knows the future; no policy has more hits.
	Optimum = "optimum"
)

// catalog lists the policies in the order of report columns, Optimum last. A
// new policy is one line here.
var catalog = []Kind{
	{LRU, newLRU},
	{Memstore, newMemstore},
	{Optimum, newOptimum},
}

// Catalog returns every policy, in the order in which reports show them.
// Optimum is the last.
func Catalog() []Kind {
	return append([]Kind(nil), catalog...)
}
