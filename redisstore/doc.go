// Package redisstore is the store that processes share: values in Redis, on a
// single server, behind Sentinel, or in a Cluster.
//
// Open names a space, a set of keys that begin with the namespace; New makes
// stores in it. All stores of a space share their tags.
//
// The store keeps the contract of package cache by two rules. Data is added
// only by a compare-and-set on a nonce that Redis minted for this purpose and
// that was never used before. And absence never equals anything: a value, a tag
// version or a fill token that is missing is a miss, so eviction, expiry,
// FLUSHALL and an empty restart cost loads and never bring an old value back.
// A server that comes back with older data, such as a replica that lagged when it
// was promoted, breaks the rules; it is noticed when a connection is made, and
// what was invalidated of late is invalidated again.
//
// Memory in front of the store is coherent: what it returns has a guard, by
// which a store in memory serves it only while this process proves that it has
// heard of every invalidation. See Options.Lease.
//
// A read is one round trip: the value and the versions of its tags come
// together and are compared here. A miss is three, with the load between the
// first and the last two; an invalidation is one, whatever the number of
// entries that carry the tag, or two for keys in a cluster.
package redisstore
