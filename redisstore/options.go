package redisstore

import (
	"cmp"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Options change what a Space does. The zero Options are the defaults.
type Options struct {
	// Timeout bounds each operation on Redis, whatever the caller's context
	// and the client's settings allow. The default depends on how far away the
	// servers are: it is 100ms and four times the round trip, which connections
	// measure, but a second at most. What is set is kept to, also where a round trip
	// takes longer, which is a Problem then, ProblemFar.
	//
	// Connections are made in the background, in up to 5s each. An operation waits for
	// one for as long as Timeout allows, and whoever comes later finds it made.
	Timeout time.Duration
	// Slow is how long an operation may take before it counts as failed for the
	// breaker of its server: when five operations in a row have failed, or eight were
	// slow, or a half of the last 64, readers do not ask that server any more, and are
	// told at once that it is unavailable, so that Loaders ask the origin. In a cluster
	// each master has a breaker. Probes in the background, about one a second, find out
	// when it is well again, whether anybody reads or not. What is written or invalidated is tried nevertheless. The default is 25ms and twice
	// the round trip or, with Timeout, a quarter of that and twice the round trip, but
	// no more than Timeout; operations on large values, or on many keys, have more time.
	Slow time.Duration
	// NoBreaker asks Redis always, however it is.
	NoBreaker bool
	// Lease is for how long memory in front of the space may be served after the
	// process last made sure that it has heard of every invalidation: no process
	// serves from memory what was invalidated more than a Lease ago, whatever
	// happens to the network. The process asks four times in that time. A lease
	// must be at least 20ms; the default is 1s.
	Lease time.Duration
	// NoBus does not listen to other processes, and memory has no lease: what
	// they invalidate is served from it until it expires.
	NoBus bool
	// Behind is for how long after the end of a lease memory is served
	// nevertheless, while the process cannot hear from Redis. It gives up, for
	// that case, the promise of Lease. By default it is not served: reads go to
	// Redis and, if that is down, to the origin.
	Behind time.Duration
	// Refuse makes a read of what is in memory, but without a lease, an error
	// that wraps cache.ErrApart, which Loaders hand to their callers: for origins
	// that could not bear all reads at once.
	Refuse bool
	// WaitCoherent makes every invalidation and write wait, before it returns,
	// until the memory of no process serves the old value: see
	// invalidation.Domain.WaitCoherent.
	WaitCoherent bool
	// LockWait is for how long a fill waits at most, in Reserve, for others that
	// load the same keys already, in this process or another: that is what a
	// process which dies in a load costs those who wait for it. Then it loads too.
	// A load that takes longer than LockWait is therefore made by each process that
	// wants it. The default is 1s, the most is a minute; if it is negative, nobody
	// waits, and each process that misses a key loads it.
	LockWait time.Duration
	// Replicas has invalidations wait for replicas.
	Replicas Replicas
	// Regress says what to do when a server has come back that may have older
	// data.
	Regress Regress
	// Observer is told of everything that the stores of the space do, unless
	// they have their own, and of what they share, such as trips: see Space.Stats.
	Observer cache.Observer
}

// Replicas says how many replicas must have received an invalidation before it
// returns nil. It makes it less likely, and not impossible, that an invalidation
// is lost when a replica is promoted: see the command WAIT of Redis.
type Replicas struct {
	N int
	// Timeout bounds the wait. The default is that of the space.
	Timeout time.Duration
}

// wait is by how much a command may take longer.
func (r Replicas) wait() time.Duration {
	if r.N == 0 {
		return 0
	}
	return r.Timeout
}

// Regress is what to do when a connection meets a server that was restarted, or
// promoted, and may have lost the last invalidations.
type Regress uint8

const (
	// Replay repeats what this process has invalidated in the last 30 seconds.
	// What another process has invalidated, which died since, stays until it
	// expires.
	Replay Regress = iota
	// Flush clears the space.
	Flush
)

const (
	defaultTimeout  = 100 * time.Millisecond
	defaultLease    = time.Second
	minLease        = 20 * time.Millisecond
	defaultLockWait = time.Second
)

func (o Options) defaults() (Options, error) {
	for _, f := range []struct {
		name      string
		d         *time.Duration
		byDefault time.Duration
	}{
		{"Timeout", &o.Timeout, 0}, {"Lease", &o.Lease, defaultLease}, {"Behind", &o.Behind, 0},
		{"Replicas.Timeout", &o.Replicas.Timeout, defaultTimeout},
	} {
		if *f.d < 0 {
			return o, fmt.Errorf("larder: redisstore: Options.%s is %v: it cannot be negative", f.name, *f.d)
		}
		if *f.d == 0 {
			*f.d = f.byDefault
		}
	}
	if o.LockWait == 0 {
		o.LockWait = defaultLockWait
	}
	switch {
	case o.Slow < 0 || o.Slow > cmp.Or(o.Timeout, timeoutMost):
		return o, fmt.Errorf("larder: redisstore: Options.Slow is %v: it must be between 0 and Options.Timeout, %v", o.Slow, cmp.Or(o.Timeout, timeoutMost))
	case o.LockWait > fillLife:
		return o, fmt.Errorf("larder: redisstore: Options.LockWait is %v: it must be at most %v, as what is loaded then is not stored", o.LockWait, fillLife)
	case o.Lease < minLease:
		return o, fmt.Errorf("larder: redisstore: Options.Lease is %v: it must be at least %v", o.Lease, minLease)
	case o.Replicas.N < 0:
		return o, fmt.Errorf("larder: redisstore: Options.Replicas.N is %d: it cannot be negative", o.Replicas.N)
	case o.Regress > Flush:
		return o, fmt.Errorf("larder: redisstore: Options.Regress is %d: use Replay or Flush", o.Regress)
	case o.Refuse && o.Behind > 0:
		return o, fmt.Errorf("larder: redisstore: Options.Refuse is set and Options.Behind is %v: memory without a lease can be refused or served", o.Behind)
	case o.NoBus && (o.Behind > 0 || o.Refuse || o.WaitCoherent):
		return o, fmt.Errorf("larder: redisstore: Options.NoBus is set, and one of Behind, Refuse and WaitCoherent: without a bus there are no leases")
	}
	return o, nil
}
