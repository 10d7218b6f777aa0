package cache

import (
	"sync/atomic"
	"time"
)

// Observer is told what a cache does. It is called on the caller's goroutine,
// from many at once, and must return fast. A nil Observer costs nothing.
//
// An Observer that panics changes no answer: its panic is counted as HookPanic in the
// Stats of the cache, and written to slog.Default, one line in ten seconds. One that
// ends its goroutine, as the FailNow of a test does, ends that of the caller; where that
// is a goroutine of Larder's, those who still wait for it get a *PanicError.
type Observer interface {
	Observe(Event)
}

// Event is one thing that happened. It grows: ignore kinds and fields that you
// do not know.
type Event struct {
	Kind Kind
	// Cache is the name given to the store or loader, "" if it has none.
	Cache string
	// Level is where it happened.
	Level Level
	// Server is the address of the master of a cluster that the event is about, "" if
	// it is about no single one.
	Server string
	// N is how many keys the event is about, at least 1.
	N int
	// Took is how long it took, where that was measured.
	Took time.Duration
	// Err is the error of failures.
	Err error
}

// Kind is what happened.
type Kind uint8

// The kinds of events.
const (
	Hit            Kind = iota // a valid entry was returned
	Miss                       // nothing was there
	MissExpired                // there was a value past its time
	MissTag                    // there was a value of which a tag was invalidated or lost
	MissWriter                 // a writer holds the key in quarantine, or another load is under way
	MissCorrupt                // there was something that is no entry of this key: damaged, foreign, or of another format
	MissSchema                 // there was a value of a codec, a compression or a shape of the Go type that this process does not read
	MissKey                    // the key has no text in the store, as its Key function says: it is not cached
	MissApart                  // there was a value in memory, but the process is apart from the servers
	Load                       // the origin was asked; Took, Err
	LoadPanic                  // the load function panicked; Err is a *PanicError
	FillStored                 // a loaded value was stored
	FillRefused                // a loaded value was not stored, since something was invalidated meanwhile; Err: why
	FillPassed                 // a loaded value was not stored, since a writer holds the key
	Unavailable                // the store could not be asked; Err
	EncodeFailed               // a value could not be encoded or is too large; Err
	BehindServed               // a value in memory was returned although the process is apart from the servers
	StaleServed                // a stale value was returned while it is being refreshed
	Evicted                    // entries left a full store
	QuarantineLost             // a writer ended, and the store had lost its quarantine: readers may have had the old value meanwhile
	Skipped                    // the store was not asked, since its breaker is open
	BreakerOpened              // the store fails or is slow, and is not asked for a while; Err
	BreakerClosed              // the store is asked again; Took: for how long it was not
	Trip                       // a round trip to the servers: N keys; Took, Err
	Heard                      // an invalidation of this process has come back over the bus; Took
	LockWaited                 // a fill has waited for the load of another process; Took
	LockLost                   // a fill has waited so in vain, and loads itself; Took
	Invalidated                // keys or tags were invalidated: N; Took, Err
	RefreshStarted             // a value that is, or soon will be, past its time is loaded again in the background
	RefreshSkipped             // it is not, since enough others are, or another process does it
	StaleOnError               // a value past its time was returned because the load failed, took too long or was not begun; Err
	NotModified                // the load function said that the value it was shown still holds
	LoadTimeout                // callers were told that a load takes too long; Took
	LoadRefused                // a load was not begun, since too many wait for the origin; Err
	LoadSpared                 // a load was not begun, since one of the key has just failed; Err: how
	Direct                     // the origin was asked although there is a cache, as a Switch or the caller wanted
	ShadowAgreed               // the cache would have said what the origin said
	ShadowDiffered             // the cache would have said something else
	ProblemFound               // the servers, or the rights there, keep the store from a promise or cost it more; Err is a *Problem
	ProblemSolved              // they do not any more; Took: for how long they did; Err is the *Problem
	HookPanic                  // a function of the user's other than the load function panicked; Err is a *PanicError, which names it
	WriteInDoubt               // a write has failed in a way that does not say whether it was committed; Err
	WriteSettled               // it is decided, and its quarantine over; Took: how long that has taken; Err: the store could not be told
	kinds
)

var kindNames = [kinds]string{"hit", "miss", "miss expired", "miss tag", "miss writer", "miss corrupt", "miss schema",
	"miss key", "miss apart", "load", "load panic", "fill stored", "fill refused", "fill passed", "unavailable", "encode failed",
	"behind served", "stale served", "evicted", "quarantine lost",
	"skipped", "breaker opened", "breaker closed", "trip", "heard", "lock waited", "lock lost", "invalidated", "refresh started",
	"refresh skipped", "stale on error", "not modified", "load timeout", "load refused", "load spared", "direct", "shadow agreed",
	"shadow differed", "problem found", "problem solved", "hook panic", "write in doubt", "write settled"}

// String returns the name of the kind, in lower case.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "unknown"
}

// Counter is an Observer that counts events by kind. The zero Counter is ready
// for use.
type Counter struct{ n [kinds]atomic.Int64 }

// Observe adds the event's N to the count of its kind.
func (c *Counter) Observe(e Event) {
	if e.Kind < kinds {
		c.n[e.Kind].Add(int64(max(e.N, 1)))
	}
}

// Count returns how often a kind of event has happened.
func (c *Counter) Count(k Kind) int64 {
	if k < kinds {
		return c.n[k].Load()
	}
	return 0
}

// Misses returns the number of misses of all kinds.
func (c *Counter) Misses() (n int64) {
	for k := Miss; k <= MissApart; k++ {
		n += c.n[k].Load()
	}
	return n
}
