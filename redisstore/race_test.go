//go:build race

package redisstore

// underRace reports whether the race detector watches, which takes so much of the
// processors that tests of leases need them for themselves.
const underRace = true
