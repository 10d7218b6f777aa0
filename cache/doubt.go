package cache

import (
	"context"
	"errors"
)

var (
	// ErrInDoubt is what errors.Is finds in every *InDoubtError.
	ErrInDoubt = errors.New("larder: it is not known whether the write was committed")
	// ErrNotCommitted, wrapped by the error of a write function, says that nothing
	// the function has begun can still be committed: the transaction was rolled
	// back, or never began. The keys and tags of the write are free at once.
	ErrNotCommitted = errors.New("larder: nothing was committed")
)

// InDoubtError reports that the origin did not say how a write ended: the write
// may be committed now, or later, or never. That happens when the context ends or
// the connection breaks while COMMIT is on its way. Until the write is decided, the
// keys and tags stay in quarantine: readers go to the origin, and nobody stores what
// they load. Then the quarantine is released in the background.
//
// A write function may return one too, to say that its own error leaves the write in
// doubt, and how to ask.
type InDoubtError struct {
	// Err is the error of the write function.
	Err error
	// Decided asks the origin whether the write is decided: true says that it was
	// committed or rolled back for good, false that it is still under way. After an
	// error it is asked again. It runs on other goroutines, after the write function
	// has returned. If it is nil, the origin cannot be asked, and the write counts as
	// decided after a time: see invalidation.Mutation.DecidedWithin.
	Decided func(ctx context.Context) (bool, error)
	// Settled is closed when the quarantine is over. It is nil in an error that a
	// write function has made.
	Settled <-chan struct{}
}

func (e *InDoubtError) Error() string {
	if e.Err == nil {
		return ErrInDoubt.Error()
	}
	return ErrInDoubt.Error() + ": " + e.Err.Error()
}

func (e *InDoubtError) Unwrap() error { return e.Err }

// Is reports whether target is ErrInDoubt.
func (e *InDoubtError) Is(target error) bool { return target == ErrInDoubt }
