package cache

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed answers every call on something that was closed.
	ErrClosed = errors.New("larder: closed")
	// ErrFillDone answers a fill that was committed or cancelled before.
	ErrFillDone = errors.New("larder: the fill was already committed or cancelled")
	// ErrNotFound is the answer of a Batch for a key that its origin does not
	// have, unless its options name an error of the origin's own.
	ErrNotFound = errors.New("larder: not found")
	// ErrUnavailable is wrapped by the errors of a store that could not be
	// reached in time.
	ErrUnavailable = errors.New("larder: store unavailable")
	// ErrBreakerOpen is wrapped, beside ErrUnavailable, by the errors of a store that
	// was not asked at all, because it has failed or was slow a moment ago.
	ErrBreakerOpen = errors.New("larder: not asked: it has failed or was slow a moment ago")
	// ErrNotStorable is wrapped by the error of a Commit that did all it should,
	// but for an entry that cannot be encoded or is too large: the store does not have
	// it, and has refused it or vouched for it.
	ErrNotStorable = errors.New("larder: not storable")
	// ErrApart answers a Get of what is in memory, but cannot be trusted because
	// the process has not heard from the servers for too long, if the user has
	// chosen an error for this case.
	ErrApart = errors.New("larder: apart from the servers: memory cannot be trusted")
	// ErrBusy answers a Reserve for a refresh that another process makes already.
	ErrBusy = errors.New("larder: another process loads it")
	// ErrNotModified is returned by a load function that was shown the value from
	// before, see aside.Old, and says that it still holds.
	ErrNotModified = errors.New("larder: not modified")
	// ErrLoadTimeout is wrapped by the error of callers whose load has taken longer
	// than aside.Options.LoadTimeout.
	ErrLoadTimeout = errors.New("larder: the load takes too long")
	// ErrLoadCycle is wrapped by the error of a read within a load that waits, itself or
	// through others, for the answer of that read: it would never come. The text has the
	// loads, in order. It is found by the contexts that load functions are called with:
	// a read with another context waits until Options.LoadTimeout.
	ErrLoadCycle = errors.New("larder: a load waits for itself")
	// ErrOverloaded is wrapped by the error of callers whose load was not begun,
	// because too many wait for the origin: see aside.Limits.
	ErrOverloaded = errors.New("larder: too many loads wait for the origin")
	// ErrNotCached answers a read that may only be answered from the cache: see
	// aside.Wish.
	ErrNotCached = errors.New("larder: not in the cache")
	// ErrInvalidKey is wrapped by the error of every call with a key that no map could
	// hold: one that Go cannot compare, such as a slice in an interface, or one that is
	// not equal to itself, such as NaN. Nothing is done for such a key.
	ErrInvalidKey = errors.New("larder: invalid key")
	// ErrNotStarted is wrapped by the error of a write that did not reach the
	// origin, because the old value could not be quarantined.
	ErrNotStarted = errors.New("larder: write not started")
)

// PostCommitError reports that the origin accepted a write but the cache could
// not be told. The write is done: do not repeat it. Until the store can be
// reached again, or its quarantine of the key runs out, readers of this key go
// to the origin. A redisstore repeats what it could not be told until it succeeds;
// if Redis has lost the quarantine meanwhile, other processes may have the old
// value until then.
type PostCommitError struct {
	Err error // why the cache could not be told
}

func (e *PostCommitError) Error() string {
	return "larder: the write is committed, but the cache could not be told: " + e.Err.Error()
}

func (e *PostCommitError) Unwrap() error { return e.Err }

// PanicError reports that a function of the user's, such as a load function, a codec or
// a tag function, panicked or ended its goroutine. It is what callers get if their answer
// needed the function, and the Err of the events LoadPanic and HookPanic.
type PanicError struct {
	Value    any    // the value given to panic, nil for runtime.Goexit
	Stack    []byte // where
	Function string // which function, such as "Options.Tags"; "" is the load function
}

func (e *PanicError) Error() string {
	name := e.Function
	if name == "" {
		name = "the load function"
	}
	if e.Value == nil {
		return "larder: " + name + " ended its goroutine"
	}
	return fmt.Sprintf("larder: %s panicked: %v", name, e.Value)
}

// Unwrap returns the panic's value if it is an error; but not one that says how a write has
// ended, such as ErrNotStarted: the error that has this one in it says so.
func (e *PanicError) Unwrap() error {
	err, ok := e.Value.(error)
	if !ok || saysHowItEnded(err) {
		return nil
	}
	return err
}

// saysHowItEnded reports whether err says how a write has ended. One of which a method
// panics does not.
func saysHowItEnded(err error) (says bool) {
	defer func() {
		if recover() != nil {
			says = false
		}
	}()
	_, post := errors.AsType[*PostCommitError](err)
	return post || errors.Is(err, ErrNotStarted) || errors.Is(err, ErrNotCommitted) || errors.Is(err, ErrInDoubt)
}
