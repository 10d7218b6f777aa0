package invalidation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Remote is where the tags of a Domain are kept for other processes.
type Remote interface {
	// InvalidateTags returns nil when no read of the remote store that starts
	// later finds an entry that carried one of the tags. An error that has a method
	// Unfinished() (keys, tags []string), or wraps one, says of which this does not
	// hold; without it, it may hold of none.
	InvalidateTags(ctx context.Context, tags []string) error
	// QuarantineTags is InvalidateTags, and lets nobody store an entry that
	// carries one of the tags until release is called or, if this process dies,
	// for life at least; if life is 0, for as long as the remote store chooses. After an
	// error it is withdrawn, or ends after that while.
	QuarantineTags(ctx context.Context, tags []string, life time.Duration) (release func(context.Context) error, err error)
	// Retry invalidates keys, by their names in the remote store, and tags, of
	// which an invalidation has failed before. If all is true, it invalidates
	// everything. Its errors are like those of InvalidateTags.
	Retry(ctx context.Context, keys, tags []string, all bool) error
	// Fence returns nil when the memory of this process has dropped everything
	// that was invalidated, in any process, before Fence was called.
	Fence(ctx context.Context) error
	// AtLeast is Fence for what was invalidated before the token was made.
	AtLeast(ctx context.Context, token string) error
	// WaitCoherent returns nil when the memory of no process serves any more
	// what was invalidated before the token was made.
	WaitCoherent(ctx context.Context, token string) error
	// Status adds what the remote store knows of the lanes, and its problems.
	Status(s *Status)
}

// unfinished returns which of keys and tags an error of a Remote is about.
func unfinished(err error, keys, tags []string) (leftKeys, leftTags []string) {
	leftKeys, leftTags = keys, tags
	defer func() { recover() }() // a method of the error says nothing if it panics
	var part interface{ Unfinished() (keys, tags []string) }
	if errors.As(err, &part) {
		leftKeys, leftTags = part.Unfinished()
	}
	return leftKeys, leftTags
}

// RemoteOptions say how a Domain and its Remote work together.
type RemoteOptions struct {
	// Lanes is over how many logs the tags and keys are spread by their Hash: a
	// power of two, at most 64.
	Lanes int
	// Leased says that entries in memory are served only under a lease, which
	// Control.Renew extends.
	Leased bool
	// Behind is for how long after the end of a lease they are served
	// nevertheless.
	Behind time.Duration
	// Refuse makes a read of an entry without a lease an error.
	Refuse bool
}

// Control is the hand of a Remote on its Domain: it passes on what it hears of
// other processes.
type Control struct{ d *Domain }

// NewRemoteDomain returns a Domain whose invalidations go to r first.
func NewRemoteDomain(r Remote, o RemoteOptions) (*Domain, Control) {
	if o.Lanes < 1 || o.Lanes > 64 || o.Lanes&(o.Lanes-1) != 0 {
		panic(fmt.Sprintf("larder: invalidation: RemoteOptions.Lanes is %d: it must be a power of two up to 64", o.Lanes))
	}
	d := newDomain(o.Lanes)
	d.remote, d.refuses, d.leased = r, o.Refuse, o.Leased
	d.keys = new(keyCounts)
	for i := range d.lanes {
		d.lanes[i].behind = o.Behind
		if !o.Leased {
			d.lanes[i].until.Store(unlimited)
		}
	}
	return d, Control{d}
}

// ExpireKeys makes a miss, in memory, of the entries of keys with these hashes.
func (c Control) ExpireKeys(hashes ...uint32) {
	for _, h := range hashes {
		c.d.keys.add(h)
	}
}

// Drop makes a miss, in memory, of every entry that depends on a lane.
func (c Control) Drop(lane int) { c.d.drop(&c.d.lanes[lane]) }

// Renew lets entries that depend on a lane be served until t, which has a
// monotonic reading.
func (c Control) Renew(lane int, t time.Time) { c.d.lanes[lane].renew(t) }

// Apart reports whether a lane is without a lease, so that memory cannot serve what
// depends on it.
func (c Control) Apart(lane int) bool { return c.d.lanes[lane].trust(time.Now()) < cache.Behind }

// End ends all leases for good, and the retries: nobody hears of anything any
// more. Quarantines of changes in doubt end by themselves. It returns the number of invalidations that were still to be repeated.
func (c Control) End() int {
	for i := range c.d.lanes {
		c.d.lanes[i].end()
	}
	c.d.doubts.Stop()
	return c.d.retries.stop()
}

// Leased reports whether entries in memory are served only under a lease.
func (d *Domain) Leased() bool { return d.leased }

// Refuses reports whether a read of an entry that is cache.Apart is an error.
func (d *Domain) Refuses() bool { return d.refuses }

// Apart reports whether a lane is without a lease, so that memory cannot serve.
func (d *Domain) Apart() bool {
	now := time.Now()
	for i := range d.lanes {
		if d.lanes[i].trust(now) < cache.Behind {
			return true
		}
	}
	return false
}
