package cache

import (
	"context"
	"errors"
	"time"
)

// Cache is a store of values by key. All methods may be called at once from
// many goroutines.
//
// Freshness: after Invalidate(key) returned nil, no Get of that key that
// starts later returns a value whose fill was reserved before Invalidate was
// called. The same holds for each tag of an entry and the invalidation of
// that tag in the store's domain. Losing any part of the store's data, at any
// time, costs misses and never freshness.
//
// A store that was closed answers every call with ErrClosed.
type Cache[K comparable, V any] interface {
	// Get returns the valid entry of key, nil if there is none, or an error
	// if the store could not be asked. The entry may be stale (see
	// Entry.Fresh) but is never expired and never invalidated. It is shared:
	// the caller must not change it.
	Get(ctx context.Context, key K) (*Entry[V], error)

	// GetMany is Get for several keys at the cost of one: the result has the
	// keys that have a valid entry, and belongs to the caller. With an error, it
	// has those that could be read nevertheless.
	GetMany(ctx context.Context, keys []K) (map[K]*Entry[V], error)

	// Reserve opens a fill. It is called before the origin is read, once for
	// all keys that will be read together; slots must name distinct keys. A
	// store that processes share may wait in it, for a limited time, for fills
	// of others that load the same keys.
	Reserve(ctx context.Context, slots ...Slot[K]) (Fill[V], error)

	// Quarantine opens the fill of a writer. It is called before the origin
	// is written. When it returns, the old value is gone, and until the fill
	// is committed or cancelled nobody stores a value of these keys, so that
	// readers go to the origin. After an error a quarantine that was begun is
	// withdrawn or, if that is not possible, ends by itself after a while.
	Quarantine(ctx context.Context, slots ...Slot[K]) (Fill[V], error)

	// Invalidate removes keys and refuses every fill of them that is open.
	// It is called after the origin was written. After an error some or all
	// of the keys may not have been invalidated.
	Invalidate(ctx context.Context, keys ...K) error
}

// Slot is one key of a fill.
type Slot[K comparable] struct {
	Key K
	// Tags are those known before the origin is asked. They are watched from
	// Reserve on. The slice stays the caller's.
	Tags []string
	// LateTags says that the entry may be committed with tags that are not in
	// Tags. They cannot be watched one by one, so a store may refuse the
	// commit although none of them was invalidated. Without LateTags, it may
	// refuse any entry with such tags.
	LateTags bool
	// Replicated asks for a fill that is not opened before what was invalidated
	// until then has reached the replicas that the store waits for, so that no
	// older value comes back if one of them is promoted. Linearizable Loaders ask
	// for it. A store that waits for no replicas ignores it.
	Replicated bool
	// Hold is for how long a quarantine lasts, at least, if its writer does not end it,
	// since it has died or cannot reach the store; 0 is as long as the store chooses.
	// Reserve ignores it, and so does a store whose quarantines end with the process.
	Hold time.Duration
	// Refresh says that there is a value, which is or soon will be past its time,
	// and that nobody waits for the next. If another process loads all of the slots
	// that say so, Reserve may return ErrBusy instead of a fill.
	Refresh bool
}

// Fill is the right to store what is about to be read from, or written to,
// the origin. It is used by one goroutine and ends with one Commit or Cancel;
// later calls return ErrFillDone.
type Fill[V any] interface {
	// Found returns the valid entry that Reserve met in slot i, or nil: what
	// a Get would have returned at that moment. It spares the load when
	// somebody else has just done it. It is nil for a quarantine.
	Found(i int) *Entry[V]

	// Commit stores entries[i] in slot i, for which nothing must have been
	// invalidated since Reserve or Quarantine; a nil entry stores nothing. It
	// takes exactly one entry a slot and owns the entries from then on. A nil
	// or expired entry is Refused, and so is one with a tag that cannot be invalidated. After an error, all that is not said to be
	// Stored, Vouched or Passed is Refused.
	//
	// The fill of a quarantine releases it: the entry is stored only if no
	// other writer held the key at any time of the quarantine and nobody
	// invalidated it, otherwise the key is left without a value. Of writers
	// whose quarantines overlap, none stores.
	Commit(ctx context.Context, entries ...*Entry[V]) ([]Outcome, error)

	// Cancel ends the fill without storing anything; it releases a quarantine,
	// and lets others load who wait for the fill.
	Cancel(ctx context.Context) error
}

// Outcome is what a commit did with one slot.
type Outcome uint8

const (
	// Refused: something the entry depends on was invalidated since Reserve,
	// or the store cannot tell. Only callers who asked before the origin was
	// read may have the value.
	Refused Outcome = iota
	// Passed: nothing was invalidated, but the value was not stored because a
	// writer holds the key or a tag in quarantine. Whether it is from before or
	// after the write cannot be told: only callers who asked before the origin
	// was read may have it, and another level must not store it.
	Passed
	// Stored: nothing was invalidated and the value is in the store.
	Stored
	// Vouched: nothing was invalidated, and no writer holds the key or a tag, but the
	// store cannot hold the value, such as one that is too large. Another level may
	// store the entry, which has the Guard of one that is in the store.
	Vouched
)

// Valid reports whether nothing was invalidated, as far as the store can tell: also
// callers who came after the origin was read may have the value, and another level may
// store it.
func (o Outcome) Valid() bool { return o >= Stored }

// String returns the name of the outcome in lower case.
func (o Outcome) String() string {
	switch o {
	case Passed:
		return "passed"
	case Stored:
		return "stored"
	case Vouched:
		return "vouched"
	}
	return "refused"
}

// Put stores a value that has no origin, such as a session or a computed
// result: it quarantines the key, then commits. It reports whether e was
// stored; it is not if another writer was at work on the key at the same time, or
// if a tag of it was invalidated. Of a pair of stores, an entry that only the first can
// hold is stored, and the error, which wraps ErrNotStorable, is that of the second.
// It costs two round trips on a store across a network.
func Put[K comparable, V any](ctx context.Context, c Cache[K, V], key K, e *Entry[V]) (bool, error) {
	if e == nil {
		return false, errors.New("larder: Put of a nil entry: use Invalidate to remove a key")
	}
	fill, err := c.Quarantine(ctx, Slot[K]{Key: key, Tags: e.Tags})
	if err != nil {
		return false, err
	}
	outcomes, err := fill.Commit(ctx, e)
	return len(outcomes) > 0 && outcomes[0] == Stored, err
}
