// Package memstore is the store in the memory of one process: a bounded number, or
// weight, of typed values. It serves alone, or in front of a shared store through
// cache.Tiered.
//
// A hit costs one look-up and a few atomic loads. It takes no lock and allocates
// nothing: the value is the one that was stored, not a copy. What leaves a store that
// is full is chosen by Options.Eviction.
package memstore
