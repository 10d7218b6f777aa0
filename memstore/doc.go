// Package memstore is the store in the memory of one process: a bounded LRU of
// typed values. It serves alone, or in front of a shared store through
// cache.Tiered.
//
// A hit costs one lock of a shard, one map look-up and a few atomic loads, and
// allocates nothing: the value is the one that was stored, not a copy.
package memstore
