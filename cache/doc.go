// Package cache is the contract that every Larder store keeps, and the few
// things all of them share: entries, codecs, observers, errors and Tiered.
//
// The contract has no Set. Data enters a cache only through a fill: Reserve
// before the origin is read, Commit after. Whatever is invalidated in between
// makes the commit fail, so a value that was loaded before an invalidation can
// never be stored after it. A value that has no origin is stored with Put,
// which is written with the same verbs.
//
// Most programs do not call the verbs themselves: package aside decorates a
// function that reads, package writethrough one that writes. Stores are in
// packages memstore and redisstore; package storetest checks a store of your
// own against every rule below.
//
// The package imports the standard library alone.
package cache
