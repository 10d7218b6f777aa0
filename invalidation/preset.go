package invalidation

import "time"

// Strict returns a Policy for values of which nobody shall see one that is past its
// time: fresh for d at most, and nothing after that, whatever the origin does. As
// callers then wait for the origin, what is much asked for is loaded before its time.
// See docs/policies.md for all fields and why.
func Strict(d time.Duration) Policy { return Policy{Fresh: d, Jitter: 0.1, Early: 1} }

// Resilient returns a Policy for values of which an old one is better than none:
// fresh for d, then served for as long again while they are loaded in the background,
// and after that, for an hour or d if that is longer, if the origin fails. An origin
// that fails is asked again for a key after a sixtieth of d, but no sooner than
// after 100ms and no later than after 10s, less what is left out at random. See
// docs/policies.md for all fields and why.
func Resilient(d time.Duration) Policy {
	return Policy{Fresh: d, Stale: d, IfError: max(d, time.Hour), Jitter: 0.1, Early: 1,
		Backoff: min(max(d/60, 100*time.Millisecond), 10*time.Second)}
}

// presets are the policies that have a name, in order.
var presets = []struct {
	name string
	of   func(time.Duration) Policy
}{{"ttl", TTL}, {"strict", Strict}, {"resilient", Resilient}}
