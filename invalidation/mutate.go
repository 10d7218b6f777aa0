package invalidation

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Mutation is a change of the origin and what it makes obsolete.
type Mutation struct {
	// Targets are the keys and tags whose entries the change makes obsolete. One that
	// is malformed, as an empty tag, makes the Mutation an error that wraps
	// cache.ErrNotStarted, also with FailOpen.
	Targets []Target
	// FailOpen runs the change even if the targets could not be quarantined, and
	// invalidates them afterwards. The default is not to run it, and to return
	// an error that wraps cache.ErrNotStarted.
	FailOpen bool
	// Timeout bounds the change, by the deadline of its context. The default is
	// 30s.
	Timeout time.Duration
	// InDoubt reports whether the change may still be committed after it has returned
	// err. It is not asked about errors that wrap cache.ErrInDoubt or
	// cache.ErrNotCommitted, which say so themselves. The default is the function
	// InDoubt and, for an error of which that knows nothing, whether the context of
	// the change has ended.
	InDoubt func(err error) bool
	// DecidedWithin is for how long after the change has returned an error in doubt it
	// may still be committed, at most; if the origin can be asked, for how long after
	// it has last said that the change is under way. The quarantine lasts as long. The
	// default is 2m: a system repeats what was sent on a connection that is closed for
	// 102 s on Linux. Choose more than the time after which your database gives up a
	// transaction that is idle, in PostgreSQL idle_in_transaction_session_timeout, and
	// set that.
	DecidedWithin time.Duration
	// Observer is told when the store could not be asked or told something, and of
	// changes in doubt.
	Observer cache.Observer
}

const (
	mutateTimeout = 30 * time.Second
	decidedWithin = 2 * time.Minute
)

// Mutate runs fn, which changes the origin, such as by the commit of a
// transaction, so that nobody ever reads what it makes obsolete: from the moment
// that fn has committed, and also if this process dies at any moment. Before fn
// runs, the targets are put in quarantine: their entries are gone, readers go to
// the origin, and nobody stores what they load. When fn has returned, the
// quarantine is released. That of a process that has died ends by itself, after
// Timeout and DecidedWithin: two and a half minutes by default.
//
// The context of fn makes reads through a Loader go to the origin; see
// cache.Bypass.
//
// An error that wraps cache.ErrNotStarted means that fn was not called: the
// store could not be reached, or a target is malformed. A *cache.PostCommitError
// means that fn has returned nil, but the store could not be told so: the release is
// repeated in the background, and readers go to the origin meanwhile. A
// *cache.InDoubtError means that fn has failed in a way that does not say whether
// the change was committed, as when the context ends while COMMIT is on its way: the
// targets stay in quarantine until that is decided, see Mutation.InDoubt and
// DecidedWithin. Any other error is that of fn. A panic of fn goes on; if its value is
// an error in doubt, the targets stay in quarantine too. A panic of a store, or of another
// function, is an error of the target or function that it names, and wraps a
// *cache.PanicError: all that concerns the other targets is done.
//
// It costs two round trips to the store, beside fn: all targets go together.
func (d *Domain) Mutate(ctx context.Context, targets []Target, fn func(context.Context) error) error {
	return d.Run(ctx, Mutation{Targets: targets}, fn)
}

// Run is Mutate with options.
func (d *Domain) Run(ctx context.Context, m Mutation, fn func(context.Context) error) error {
	if err := m.complete(); err != nil {
		return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
	}
	held, err := d.quarantineAll(ctx, m.Targets, m.life())
	if err != nil {
		m.observe(err)
		if !m.FailOpen || ctx.Err() != nil {
			m.observe(held.release(ctx))
			return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
		}
	}
	within, cancel := context.WithTimeout(cache.Bypass(ctx), m.Timeout)
	defer cancel()
	returned := false
	defer func() {
		if returned {
			return
		}
		// A panic goes on: what was done before it is unknown, unless its value says
		// more. It is nil for one that ends the goroutine.
		value := recover()
		if doubt := m.doubt(within, value); doubt != nil {
			d.doubt(ctx, m, held, doubt)
		} else {
			m.observe(held.release(ctx))
		}
		if value != nil {
			panic(value)
		}
	}()
	err = fn(within)
	returned = true
	if err != nil {
		if doubt := m.doubt(within, err); doubt != nil {
			return d.doubt(ctx, m, held, doubt)
		}
	}
	told := held.release(ctx)
	m.observe(told)
	if err == nil && told != nil {
		return &cache.PostCommitError{Err: told}
	}
	return err
}

// complete sets the defaults, or says what is wrong.
func (m *Mutation) complete() error {
	switch {
	case m.Timeout < 0:
		return fmt.Errorf("larder: Mutation.Timeout is %v: it cannot be negative", m.Timeout)
	case m.DecidedWithin < 0:
		return fmt.Errorf("larder: Mutation.DecidedWithin is %v: it cannot be negative", m.DecidedWithin)
	}
	if m.Timeout == 0 {
		m.Timeout = mutateTimeout
	}
	if m.DecidedWithin == 0 {
		m.DecidedWithin = decidedWithin
	}
	return check(m.Targets)
}

// life is for how long a quarantine lasts that nobody releases: until the change is
// decided, whenever it was begun.
func (m *Mutation) life() time.Duration { return m.Timeout + m.DecidedWithin }

func (m *Mutation) observe(err error) {
	if err == nil {
		return
	}
	for _, p := range panics(err) {
		m.panicked(p)
	}
	m.tell(cache.Event{Kind: cache.Unavailable, N: 1, Err: err})
}
