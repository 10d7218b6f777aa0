package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/meter"
	"github.com/larder-cache/larder/invalidation"
	"github.com/redis/go-redis/v9"
)

var (
	errClosed      = cache.ErrClosed
	errUnavailable = cache.ErrUnavailable
)

const (
	// fillLife is how long a fill token lives: a load that takes longer is not
	// stored.
	fillLife = 60 * time.Second
	// quarantineLife ends the quarantine of a writer that died and has not asked for
	// longer.
	quarantineLife = 60 * time.Second
	// minTagLife is the least life of the hash of a lane; it is always at least
	// twice that of the longest-lived entry this process has stored.
	minTagLife = time.Hour
	// maxLife bounds what is kept in Redis. An entry that lives forever is a
	// miss after that.
	maxLife = 30 * 24 * time.Hour
	// clusterLanes is the number of slots over which the tags of a space are
	// spread in a cluster. All processes must agree on it.
	clusterLanes = 16
)

// Space is a namespace in Redis: stores that share a prefix, a client and their
// tags. Its methods may be called at once from many goroutines.
//
// A Space that is not used takes about 150 KiB of memory, of which go-redis has 128 for the
// buffers of two connections; in a cluster it has two connections to each master. As keys
// are read it takes up to 520 KiB more, however many keys and stores there are.
type Space struct {
	// Domain holds the tags of the space. Give it to the stores in memory that
	// stand in front of this space: what any process invalidates leaves them.
	*invalidation.Domain

	control               invalidation.Control
	given                 redis.UniversalClient // to Open
	rdb                   redis.UniversalClient
	own                   bool
	ns                    string
	id                    string // of this process, among those that use the space
	lanes                 int
	db                    int        // of the server
	tagPrefixes, starKeys []string   // by lane
	times                 []laneTime // by lane
	proofName             any        // the key that is never there: see proof
	pace                  pace
	lease                 time.Duration
	coherent, noBus       bool
	replicas              Replicas
	regress               Regress
	observer              cache.Observer
	meter                 meter.Meter
	places                chan struct{} // of reads while memory cannot serve
	lockWait              time.Duration // 0: nothing is locked
	clock                 clock
	later                 func(time.Duration, func()) (stop func() bool)
	wakes                 wakes
	owners                owners
	errands               errands
	bus                   *bus // nil if there is none
	servers               servers
	reads                 refusals
	problems              problems
	diagnosis             diagnosis
	recent                recent
	connections           connections
	incarnations          incarnations
	probed                turn // of a process without a bus
	agreement             agreement
	greeted               atomic.Pointer[greeting] // how the last connection began
	switches              atomic.Int64             // to other servers
	tagLife               atomic.Int64             // milliseconds
	closed                atomic.Bool
}

// Open returns the space of the given name on the servers that rdb leads to. It asks
// them once, for at most Options.Timeout, and does not fail because Redis is down. If a
// server answers that it is of another kind than the client is for, such as a node of a
// cluster to a redis.Client, or that it is a replica, the error wraps a *cache.Problem that
// says what to do. Open starts to listen for what other processes invalidate, on
// connections of its own, until Close. What it cannot promise there for want of a right is
// in Space.Problems.
//
// The name is made of letters, digits, '_', '-' and '.'. Every key and channel of
// the space begins with it and a colon, so access can be limited to that pattern.
//
// The space uses clients of its own, made from the options of rdb, since a
// cache needs other timeouts than go-redis has by default; the caller keeps rdb
// and may close it after the space. Hooks of rdb are not carried over: add them
// to Client. A redis.Ring and a client that reads from replicas are refused, and so is a
// client of another type, unless it is an Unwrapper.
func Open(ctx context.Context, rdb redis.UniversalClient, name string, o *Options) (*Space, error) {
	if o == nil {
		o = &Options{}
	}
	if err := validName(name); err != nil {
		return nil, fmt.Errorf("larder: redisstore.Open: name %q %w", name, err)
	}
	opts, err := o.defaults()
	if err != nil {
		return nil, err
	}
	if rdb, err = known(rdb); err != nil {
		return nil, fmt.Errorf("larder: redisstore.Open: %w", err)
	}
	s := &Space{ns: name, given: rdb, id: fmt.Sprintf("%x", random(8)), lease: opts.Lease,
		coherent: opts.WaitCoherent, noBus: opts.NoBus, replicas: opts.Replicas, regress: opts.Regress, observer: opts.Observer,
		places: make(chan struct{}, apartReads), lockWait: max(opts.LockWait, 0), clock: realClock, later: afterFunc}
	s.errands.closing = make(chan struct{})
	s.pace.timeout, s.pace.slow = opts.Timeout, opts.Slow
	s.layout(rdb)
	s.times = make([]laneTime, s.lanes)
	s.initServers(&opts)
	s.tagLife.Store(minTagLife.Milliseconds())
	s.Domain, s.control = invalidation.NewRemoteDomain(remote{s}, invalidation.RemoteOptions{
		Lanes: s.lanes, Leased: !opts.NoBus, Behind: opts.Behind, Refuse: opts.Refuse,
	})
	if s.rdb, s.own, err = s.ownClient(rdb, math.MaxInt, s.pace.bound); err != nil {
		return nil, err
	}
	s.watchMasters()
	if err := s.fits(ctx); err != nil {
		s.errands.end()
		s.servers.probers.end()
		return nil, errors.Join(err, s.closeClient())
	}
	if opts.NoBus {
		return s, nil
	}
	if s.bus, err = s.newBus(rdb); err != nil {
		return nil, err
	}
	s.bus.start()
	return s, nil
}

// layout takes from a client how the space is laid out.
func (s *Space) layout(rdb redis.UniversalClient) {
	s.lanes = 1
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		s.lanes = clusterLanes
	case *redis.Client:
		s.db = c.Options().DB
	}
	s.makeKeys()
}

// Client returns the client of the space, for hooks and pool statistics.
func (s *Space) Client() redis.UniversalClient { return s.rdb }

// Close ends the use of the space: its stores answer ErrClosed from then on, and
// memory in front of it serves nothing any more. Close the Loaders that use it
// first, which waits for what they have to store. It returns an error if
// invalidations that have failed are still to be repeated: they are lost. Closing
// again does nothing.
func (s *Space) Close(ctx context.Context) error {
	if s.closed.Swap(true) {
		return nil
	}
	left := s.control.End()
	s.servers.probers.end()
	s.errands.end()
	var err error
	if s.bus != nil {
		err = s.bus.close(ctx)
	}
	err = errors.Join(err, s.closeClient())
	s.connections.close()
	s.servers.probers.wait()
	if left > 0 {
		err = errors.Join(err, fmt.Errorf("larder: redisstore: closed with %d invalidations that have failed and were not repeated: what they were to remove may be served until it expires", left))
	}
	return err
}

// closeClient closes a client of our own.
func (s *Space) closeClient() error {
	if !s.own {
		return nil
	}
	return s.rdb.Close()
}

// Clear makes every entry of the space a miss, in Redis and in the memory of
// every process. It costs one round trip, whatever the number of entries; they
// are removed from Redis as they expire.
func (s *Space) Clear(ctx context.Context) error {
	var n news
	for lane := range s.lanes {
		n.at(lane).all = true
	}
	calls := make([]*call, s.lanes)
	for lane := range calls {
		calls[lane] = s.onTags(ctx, invalidateTagsScript, lane, []string{s.starKey(lane)}, n[lane], []any{""})
	}
	marks, _, err := s.publishOnly(ctx, n.lanes(), calls)
	if err == nil {
		err = s.await(ctx, marks)
	}
	s.ExpireAll()
	if err != nil {
		s.control.RetryAll()
	}
	return err
}

// outlive makes the hashes of lanes live twice as long as an entry of the given life.
func (s *Space) outlive(life time.Duration) {
	want := 2 * min(life, maxLife).Milliseconds()
	for {
		have := s.tagLife.Load()
		if have >= want || s.tagLife.CompareAndSwap(have, want) {
			return
		}
	}
}

// random returns n bytes that nobody can guess or repeat.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return string(b)
}

func validName(name string) error {
	if name == "" {
		return errors.New("is empty")
	}
	for _, r := range name {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-', r == '.':
		default:
			return fmt.Errorf("has a %q: use letters, digits, '_', '-' and '.'", r)
		}
	}
	return nil
}
