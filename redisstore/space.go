package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
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
	// quarantineLife ends the quarantine of a writer that died.
	quarantineLife = 60 * time.Second
	// minTagLife is the least life of a tag version; it is always at least
	// twice that of the longest-lived entry this process has stored.
	minTagLife = time.Hour
	// maxLife bounds what is kept in Redis. An entry that lives forever is a
	// miss after that.
	maxLife = 30 * 24 * time.Hour
	// clusterLanes is the number of slots over which the tags of a space are
	// spread in a cluster. All processes must agree on it.
	clusterLanes = 16
	// tailsPerLane is the number of tails in a lane: the more, the fewer fills
	// with late tags are refused because of another tag. All processes must
	// agree on it.
	tailsPerLane = 16
)

// Options change what a Space does. The zero Options are the defaults.
type Options struct {
	// Timeout bounds each operation on Redis, whatever the caller's context
	// and the client's settings allow. The default is 100ms.
	Timeout time.Duration
	// Observer is told of everything that the stores of the space do, unless
	// they have their own.
	Observer cache.Observer
}

// Space is a namespace in Redis: stores that share a prefix, a client and their
// tags. Its methods may be called at once from many goroutines.
type Space struct {
	// Domain holds the tags of the space. Give it to the stores in memory that
	// stand in front of this space, so that what is invalidated by tag in this
	// process leaves them too.
	Domain *invalidation.Domain

	rdb      redis.UniversalClient
	own      bool
	ns       string
	lanes    int
	timeout  time.Duration
	observer cache.Observer
	tagLife  atomic.Int64 // milliseconds
	closed   atomic.Bool
}

// Open returns the space of the given name on the servers that rdb leads to. It
// does not connect: it does not fail, nor wait, because Redis is down.
//
// The name is made of letters, digits, '_', '-' and '.'. Every key of the space
// begins with it and a colon, so access can be limited to that pattern.
//
// The space uses a client of its own, made from the options of rdb, since a
// cache needs other timeouts than go-redis has by default; the caller keeps rdb
// and may close it after the space. Hooks of rdb are not carried over: add them
// to Client. A redis.Ring and a client that reads from replicas are refused.
func Open(ctx context.Context, rdb redis.UniversalClient, name string, o *Options) (*Space, error) {
	if o == nil {
		o = &Options{}
	}
	if err := validName(name); err != nil {
		return nil, fmt.Errorf("larder: redisstore.Open: name %q %w", name, err)
	}
	timeout := o.Timeout
	switch {
	case timeout < 0:
		return nil, fmt.Errorf("larder: redisstore: Options.Timeout is %v: it cannot be negative", timeout)
	case timeout == 0:
		timeout = 100 * time.Millisecond
	}
	client, own, err := ownClient(rdb, timeout)
	if err != nil {
		return nil, err
	}
	s := &Space{rdb: client, own: own, ns: name, lanes: 1, timeout: timeout, observer: o.Observer}
	if _, ok := client.(*redis.ClusterClient); ok {
		s.lanes = clusterLanes
	}
	s.tagLife.Store(minTagLife.Milliseconds())
	s.Domain = invalidation.NewRemoteDomain(remote{s})
	return s, nil
}

// Client returns the client of the space, for hooks and pool statistics.
func (s *Space) Client() redis.UniversalClient { return s.rdb }

// Close ends the use of the space: its stores answer ErrClosed from then on.
// Close the Loaders that use it first, which waits for what they have to store.
// Closing again does nothing.
func (s *Space) Close(ctx context.Context) error {
	if s.closed.Swap(true) || !s.own {
		return nil
	}
	return s.rdb.Close()
}

// Clear makes every entry of the space a miss, in Redis and in the memory of
// this process. It costs one round trip, whatever the number of entries; they
// are removed from Redis as they expire.
func (s *Space) Clear(ctx context.Context) error {
	calls := make([]*call, s.lanes)
	for lane := range calls {
		calls[lane] = s.expireTags(ctx, lane, []string{s.starKey(lane)}, []any{""})
	}
	err := s.run(ctx, calls...)
	s.Domain.ExpireAll()
	return err
}

// InvalidateTags makes a miss of every entry of the space that carries one of
// the tags, whatever its store, and refuses every fill of such an entry that is
// open. It costs one round trip, whatever the number of entries. If it returns
// nil, no process reads such an entry from Redis again, nor this one from
// memory. An error means that Redis may still serve them: it is not to be
// ignored.
func (s *Space) InvalidateTags(ctx context.Context, tags ...string) error {
	return s.Domain.InvalidateTags(ctx, tags...)
}

// remote is the side of the Domain that is in Redis.
type remote struct{ s *Space }

func (r remote) InvalidateTags(ctx context.Context, tags []string) error {
	keys, tails := map[int][]string{}, map[int][]any{}
	for _, t := range tags {
		at := r.s.tail(t)
		keys[at.lane] = append(keys[at.lane], r.s.tagKey(t))
		tails[at.lane] = append(tails[at.lane], tailName(at.i))
	}
	var calls []*call
	for lane := range keys {
		calls = append(calls, r.s.expireTags(ctx, lane, keys[lane], tails[lane]))
	}
	if calls == nil {
		return nil
	}
	return r.s.run(ctx, calls...)
}

func (s *Space) expireTags(ctx context.Context, lane int, tagKeys []string, tails []any) *call {
	keys := append([]string{s.laneKey(lane)}, tagKeys...)
	return invalidateTagsScript.call(ctx, keys, append([]any{random(8), s.tagLife.Load()}, tails...)...)
}

// outlive makes tag versions live twice as long as an entry of the given life.
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
