package invalidation

import (
	"context"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/doubt"
)

// InDoubt reports whether, as far as an error says it, what the function that has
// returned it began may still be committed. It is true for
//
//   - what wraps cache.ErrInDoubt,
//   - the errors of a context that has ended, of a connection that broke, and of a time
//     that has passed: context.Canceled, io.EOF, driver.ErrBadConn, a net.Error and the
//     like, also where only their text is left,
//   - the SQLSTATE of a lost connection (08...), of a server that shuts down (57P..) and
//     40003.
//
// Of what it knows nothing, such as the errors of a program's own rules, it says false.
// A function that tries several times must join the errors of all its attempts.
func InDoubt(err error) bool { return doubt.Open(err) }

// doubt returns what is to be said of an error of the change, or of the value of a
// panic: nil if nothing can be committed any more.
func (m *Mutation) doubt(within context.Context, value any) *cache.InDoubtError {
	err, ok := value.(error)
	if !ok {
		return nil
	}
	e, hook := doubt.Of(within, err, doubt.Judge{Name: "Mutation.InDoubt", InDoubt: m.InDoubt})
	if hook != nil {
		m.panicked(hook)
	}
	return e
}

// doubt keeps what is held until the change is decided.
func (d *Domain) doubt(ctx context.Context, m Mutation, first held, e *cache.InDoubtError) error {
	m.tell(cache.Event{Kind: cache.WriteInDoubt, N: 1, Err: e.Err})
	current := first // one step of a Group follows the other
	renew := func(ctx context.Context) error {
		next, err := d.quarantineAll(ctx, m.Targets, m.life())
		if !next.whole() {
			// What was held before is held on.
			next.failed = nil
			next.release(ctx)
			return err
		}
		last := current
		current = next
		return last.release(ctx)
	}
	if !first.whole() { // FailOpen: the store may be back
		m.observe(held{failed: first.failed}.release(ctx))
		m.observe(renew(context.WithoutCancel(ctx)))
	}
	e.Settled = d.doubts.Add(doubt.Hold{
		Decided: e.Decided,
		Within:  m.DecidedWithin,
		Renew:   renew,
		Release: func(ctx context.Context) error { return current.release(ctx) },
		Report:  m.observe,
		Settled: func(took time.Duration, err error) {
			m.tell(cache.Event{Kind: cache.WriteSettled, N: 1, Took: took, Err: err})
		},
	})
	return e
}
