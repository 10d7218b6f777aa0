package doubt

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/larder-cache/larder/cache"
)

type stateError string

func (e stateError) Error() string    { return "ERROR: no (SQLSTATE " + string(e) + ")" }
func (e stateError) SQLState() string { return string(e) }

type unsentError struct{ err error }

func (e unsentError) Error() string     { return e.err.Error() }
func (e unsentError) Unwrap() error     { return e.err }
func (e unsentError) SafeToRetry() bool { return true }

type labelError string

func (e labelError) Error() string               { return "no" }
func (e labelError) HasErrorLabel(l string) bool { return l == string(e) }

type opaqueError struct{}

func (opaqueError) Error() string { return "the row could not be saved" }

func TestWhichErrorsLeaveAWriteInDoubt(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	read := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	type ended bool
	for _, c := range []struct {
		err   error
		ended ended // the context
		want  bool
	}{
		{context.DeadlineExceeded, true, true},
		{context.DeadlineExceeded, false, true}, // of a context of the function's own
		{context.Canceled, true, true},
		{fmt.Errorf("commit: %w", context.Canceled), false, true},
		{io.EOF, false, true},
		{io.ErrUnexpectedEOF, false, true},
		{driver.ErrBadConn, false, true},
		{sql.ErrConnDone, false, true},
		{sql.ErrTxDone, false, true},
		{net.ErrClosed, false, true},
		{os.ErrDeadlineExceeded, false, true},
		{read, false, true},
		{syscall.EPIPE, false, true},
		{&url.Error{Op: "Post", URL: "http://origin", Err: read}, false, true},
		{errors.Join(errors.New("rollback"), io.EOF), false, true},
		{stateError("08006"), false, true},
		{stateError("08P01"), false, true},
		{stateError("57P01"), true, true},
		{stateError("40003"), false, true},
		{labelError("UnknownTransactionCommitResult"), false, true},
		// Of which only the text is left.
		{fmt.Errorf("commit: %v", context.DeadlineExceeded), false, true},
		{fmt.Errorf("commit: %v", io.EOF), false, true},
		{fmt.Errorf("commit: %v", io.ErrUnexpectedEOF), false, true},
		{fmt.Errorf("commit: %v", driver.ErrBadConn), false, true},
		{fmt.Errorf("commit: %v", read), false, true},
		{errors.New("tx is closed"), false, true},
		{errors.New("rpc error: code = Unavailable desc = transport is closing"), false, true},
		// Of which nothing is known, and the context.
		{opaqueError{}, true, true},
		{opaqueError{}, false, false},
		{errors.New("card declined"), false, false},
		{sql.ErrNoRows, false, false},
		// What says that nothing is under way.
		{stateError("23505"), false, false},
		{stateError("40001"), true, false},
		{fmt.Errorf("save: %w", stateError("23503")), true, false},
		{dial, false, false},
		{&url.Error{Op: "Post", URL: "http://origin", Err: dial}, false, false},
		{unsentError{context.Canceled}, true, false},
		{fmt.Errorf("%w: %w", context.Canceled, cache.ErrNotCommitted), true, false},
		{fmt.Errorf("inner: %w", cache.ErrNotStarted), true, false},
		// Several attempts of which one is in doubt.
		{errors.Join(&cache.InDoubtError{Err: opaqueError{}}, cache.ErrNotCommitted), false, true},
		{errors.Join(io.EOF, stateError("40001")), false, true},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		if c.ended {
			cancel()
		}
		got, hook := Of(ctx, c.err, Judge{})
		if (got != nil) != c.want || hook != nil {
			t.Errorf("%v, context ended: %v: in doubt: %v", c.err, c.ended, got != nil)
		}
		if got != nil && (!errors.Is(got, cache.ErrInDoubt) || !errors.Is(got, c.err)) {
			t.Errorf("%v became %v", c.err, got)
		}
		if Open(c.err) && Decided(c.err) || !bool(c.ended) && Open(c.err) != c.want {
			t.Errorf("%v: open: %v, decided: %v", c.err, Open(c.err), Decided(c.err))
		}
		cancel()
	}
}

func TestTheUsersRuleIsAskedUnlessTheErrorSaysSoItself(t *testing.T) {
	rule := func(err error) bool { return errors.Is(err, opaqueError{}) }
	for err, want := range map[error]bool{
		opaqueError{}: true, io.EOF: false,
		error(&cache.InDoubtError{Err: io.EOF}):                    true,
		fmt.Errorf("%w: %w", opaqueError{}, cache.ErrNotCommitted): false,
	} {
		if e, _ := Of(t.Context(), err, Judge{InDoubt: rule}); (e != nil) != want {
			t.Errorf("%v: in doubt: %v", err, e != nil)
		}
	}
}

func TestHowToAskIsFoundInWhatTheErrorWraps(t *testing.T) {
	said := &cache.InDoubtError{Err: io.EOF, Decided: func(context.Context) (bool, error) { return true, nil }}
	for _, err := range []error{said, fmt.Errorf("save: %w", said)} {
		got, _ := Of(t.Context(), err, Judge{})
		if got == nil || got.Decided == nil || !errors.Is(got, io.EOF) || got == said {
			t.Errorf("%v became %+v", err, got)
		}
	}
	if got, _ := Of(t.Context(), said, Judge{}); got.Err != io.EOF {
		t.Errorf("the error is wrapped twice: %v", got)
	}
}
