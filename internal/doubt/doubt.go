// Package doubt says which errors of a write leave open whether it was committed,
// and keeps what such a write has put in quarantine until it is decided.
package doubt

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// verdict is what an error says of the writes before it.
type verdict uint8

const (
	silent  verdict = iota // nothing
	decided                // nothing is under way any more
	open                   // something may still be committed
)

// Judge is the user's rule of which errors leave a write in doubt.
type Judge struct {
	Name    string // in errors
	InDoubt func(error) bool
}

// Of returns what the caller is to be told of an error of a write function that
// ran under ctx: nil if nothing can be committed any more. A Judge without a function is
// the default rule. If that, or a method of err, panics or ends its goroutine, hook says
// so, and the write is in doubt: nobody has said that it is not.
func Of(ctx context.Context, err error, judge Judge) (e *cache.InDoubtError, hook *cache.PanicError) {
	name, rule := "a method of the error of the write", judge.InDoubt
	if rule != nil {
		rule = func(err error) bool {
			name = judge.Name
			in := judge.InDoubt(err)
			name = "a method of the error of the write"
			return in
		}
	}
	if bad := contain.Apart(name, func() { e = of(ctx, err, rule) }); bad != nil {
		hook, _ = bad.(*cache.PanicError)
		hook.Function = name
		return &cache.InDoubtError{Err: err}, hook
	}
	return e, nil
}

func of(ctx context.Context, err error, judge func(error) bool) *cache.InDoubtError {
	said, isSaid := errors.AsType[*cache.InDoubtError](err)
	switch {
	case isSaid:
	case errors.Is(err, cache.ErrNotCommitted), errors.Is(err, cache.ErrNotStarted):
		return nil
	case judge != nil:
		if !judge(err) {
			return nil
		}
	default:
		// An error that says nothing, and a context that has ended: the function may
		// have put the error of its COMMIT into words of its own.
		if v := judgeAll(err); v == decided || v == silent && ctx.Err() == nil {
			return nil
		}
	}
	out := &cache.InDoubtError{Err: err}
	if isSaid {
		out.Decided = said.Decided
		if err == error(said) && said.Err != nil {
			out.Err = said.Err
		}
	}
	return out
}

// Open reports whether err leaves open whether something was committed, as far as the
// error alone can say it. An error of which a method panics does.
func Open(err error) bool { return contain.Says(err, isOpen, true) }

func isOpen(err error) bool {
	if errors.Is(err, cache.ErrInDoubt) {
		return true
	}
	return !errors.Is(err, cache.ErrNotCommitted) && !errors.Is(err, cache.ErrNotStarted) && judgeAll(err) == open
}

// Decided reports whether err says that nothing is under way any more. An error of which
// a method panics says nothing.
func Decided(err error) bool { return contain.Says(err, isDecided, false) }

func isDecided(err error) bool {
	if errors.Is(err, cache.ErrInDoubt) {
		return false
	}
	return errors.Is(err, cache.ErrNotCommitted) || errors.Is(err, cache.ErrNotStarted) || judgeAll(err) == decided
}

// judgeAll judges an error and all that it wraps.
func judgeAll(err error) verdict {
	v := judgeTree(err)
	if v == silent && err != nil {
		return judgeText(err.Error())
	}
	return v
}

func judgeTree(err error) verdict {
	if err == nil {
		return silent
	}
	if v := judgeOne(err); v != silent {
		return v
	}
	inner := silent
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		inner = judgeTree(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			inner = max(inner, judgeTree(part))
		}
	}
	if inner == silent && lost(err) {
		return open
	}
	return inner
}

// lost reports whether err is that of a network, or of a time that has passed.
func lost(err error) bool {
	if e, ok := err.(syscall.Errno); ok {
		return e.Timeout()
	}
	if _, ok := err.(net.Error); ok {
		return true
	}
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}

// judgeOne judges an error by itself. What is not silent holds for what it wraps, too.
func judgeOne(err error) verdict {
	switch err {
	case context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe,
		net.ErrClosed, driver.ErrBadConn:
		return open
	}
	if state, ok := err.(interface{ SQLState() string }); ok {
		return judgeState(state.SQLState())
	}
	if labels, ok := err.(interface{ HasErrorLabel(string) bool }); ok && // of MongoDB
		(labels.HasErrorLabel("UnknownTransactionCommitResult") || labels.HasErrorLabel("NetworkError")) {
		return open
	}
	if unsent, ok := err.(interface{ SafeToRetry() bool }); ok && unsent.SafeToRetry() { // of pgx: nothing was sent
		return decided
	}
	switch e := err.(type) {
	case *net.OpError:
		if e.Op == "dial" {
			return decided
		}
		return open
	case *net.DNSError, *net.AddrError:
		return decided
	case syscall.Errno:
		if e == syscall.ECONNRESET || e == syscall.ECONNABORTED || e == syscall.EPIPE {
			return open
		}
	}
	return silent
}

// judgeState judges the SQLSTATE of a server's answer. What a server answers has
// ended, but for what only says that a connection has.
func judgeState(state string) verdict {
	switch {
	case len(state) != 5:
		return silent
	case strings.HasPrefix(state, "08"), // connection exceptions, also of poolers between us and the server
		strings.HasPrefix(state, "57P"), // the server shuts down
		state == "40003":                // statement completion unknown
		return open
	}
	return decided
}

// words are those of errors whose types are lost, or that have none.
var words = []string{
	"context canceled", "context deadline exceeded", "i/o timeout", "connection timed out", "operation timed out", "deadline exceeded",
	"unexpected EOF", "connection reset", "broken pipe", "closed network connection", "forcibly closed",
	"bad connection", "invalid connection", "connection is already closed", "conn closed", "connection closed", "closed pipe",
	"tx is closed", "transaction has already been committed or rolled back", "commit outcome is unknown",
	"code = Unavailable", "code = DeadlineExceeded", "code = Canceled", // of gRPC
}

// refusals are the words of drivers for a COMMIT that the server has answered with a
// rollback.
var refusals = []string{"commit unexpectedly resulted in rollback", "Could not complete operation in a failed transaction"}

func judgeText(text string) verdict {
	has := func(w string) bool { return strings.Contains(text, w) }
	switch {
	case text == "EOF", has(" EOF"), slices.ContainsFunc(words, has):
		return open
	case slices.ContainsFunc(refusals, has):
		return decided
	}
	return silent
}
