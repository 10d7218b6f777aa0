// Package redisproc runs real Redis servers: one, or the nodes of a cluster.
//
// A server is the redis-server or valkey-server of the PATH. It listens on a
// loopback port that was free, works in a temporary directory, persists nothing
// unless told to, and is gone when the process that started it is: on Linux the
// kernel sees to that, even if the process is killed.
//
// The package knows nothing of tests; package redistest does.
package redisproc
