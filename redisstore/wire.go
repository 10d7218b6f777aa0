package redisstore

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// wire is a connection of a link, as the client sees it: made, greeted and ready for
// commands. What the client says first, a HELLO, is answered here.
//
// An exchange is what is sent until something is answered. A wire knows whether an
// exchange has failed before the first byte of an answer, which is what may be sent
// again on another wire, and does not begin one if other wires of its age have failed
// like that: what lies between has forgotten them, or the server has gone.
type wire struct {
	net.Conn
	link *link
	age  uint64 // of the link when this was made

	greeted atomic.Bool // the client's HELLO has come
	pending []byte      // the answer to it
	until   time.Time   // the deadline of reads

	// A subscription reads and writes at once.
	answered atomic.Bool  // something has come since the last exchange began
	short    atomic.Bool  // the exchange has half of its time
	pings    atomic.Bool  // the exchange is a PING alone
	used     atomic.Int64 // when the last exchange began, since epoch
	reading  atomic.Bool
	closed   atomic.Bool
}

// lostError is how an exchange fails of whose answer nothing has come.
type lostError struct {
	err  error
	sent bool // it may have been executed
}

func (e *lostError) Error() string { return "no answer: " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// errStale is why an exchange does not begin.
var errStale = errors.New("the connection is as old as others that were lost")

// lateError is why a command that has no time left is not sent. It says that it is an
// answer of the server because the client keeps a connection after these.
type lateError struct{}

func (lateError) Error() string   { return "no time was left to send the command" }
func (lateError) RedisError()     {}
func (lateError) Unwrap() error   { return os.ErrDeadlineExceeded }
func (lateError) Timeout() bool   { return true }
func (lateError) Temporary() bool { return true }

const (
	// staleAfter is how long a wire may idle and be trusted to be open still. An
	// exchange after that has half of its time, so that there is time for another one
	// if nothing is heard of it at all.
	staleAfter = 250 * time.Millisecond
	// pingSize is the size of a PING, by which wires measure the round trip.
	pingSize = len(pingText)
	pingText = "*1\r\n$4\r\nping\r\n"
)

func newWire(l *link, conn net.Conn, age uint64) *wire {
	w := &wire{Conn: conn, link: l, age: age}
	w.greeted.Store(true) // whoever makes it says HELLO to the server
	w.answered.Store(true)
	w.used.Store(int64(time.Since(epoch)))
	return w
}

// SetWriteDeadline fails if no exchange is under way and none could be over in time. A
// command that has waited for the connection would end it again, and so would each that
// comes next.
func (w *wire) SetWriteDeadline(t time.Time) error {
	begins := w.answered.Load()
	if begins && w.stale() {
		return &lostError{err: errStale}
	}
	if begins && !t.IsZero() && time.Until(t) <= w.link.least() {
		return lateError{}
	}
	if err := w.Conn.SetWriteDeadline(t); err != nil {
		return &lostError{err: err, sent: !begins}
	}
	return nil
}

// stale reports whether no exchange begins on the wire any more.
func (w *wire) stale() bool { return w.closed.Load() || w.age != w.link.age.Load() }

func (w *wire) SetReadDeadline(t time.Time) error {
	w.until = t
	if w.short.Load() && !t.IsZero() {
		t = t.Add(-time.Until(t) / 2)
	}
	err := w.Conn.SetReadDeadline(t)
	if err != nil && !w.answered.Load() {
		err = w.lost(err)
	}
	return err
}

func (w *wire) Write(p []byte) (int, error) {
	if !w.greeted.Load() {
		w.greeted.Store(true)
		if isHello(p) {
			w.pending = []byte("*0\r\n")
			return len(p), nil
		}
	}
	if w.answered.Load() {
		now := int64(time.Since(epoch))
		if w.stale() {
			return 0, &lostError{err: errStale}
		}
		w.short.Store(now-w.used.Load() > int64(staleAfter))
		w.pings.Store(len(p) == pingSize && string(p) == pingText)
		w.answered.Store(false)
		w.used.Store(now)
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		err = w.lost(err)
	}
	return n, err
}

func (w *wire) Read(p []byte) (int, error) {
	if len(w.pending) > 0 {
		n := copy(p, w.pending)
		w.pending = w.pending[n:]
		return n, nil
	}
	w.reading.Store(true)
	n, err := w.Conn.Read(p)
	w.reading.Store(false)
	switch {
	case n > 0 && !w.answered.Load():
		w.answered.Store(true)
		if w.pings.Load() {
			w.link.measured(time.Since(epoch) - time.Duration(w.used.Load()))
		}
		if w.short.Swap(false) && !w.until.IsZero() { // what has begun to come has all its time
			w.Conn.SetReadDeadline(w.until)
		}
	case n == 0 && err != nil && !w.answered.Load():
		err = w.lost(err)
	}
	return n, err
}

// lost notes that the wire was lost in an exchange of which nothing was answered. Others
// of its age are not used any more, unless all that is known is that the server has not
// answered in time.
func (w *wire) lost(err error) error {
	var timeout net.Error
	if w.short.Load() || !errors.As(err, &timeout) || !timeout.Timeout() {
		w.link.distrust(w.age)
	}
	return &lostError{err: err, sent: true}
}

// Close closes the wire, unless it was made for the client and the client has not used
// it: then the link keeps it for the next.
func (w *wire) Close() error {
	if !w.greeted.Load() && w.link.keep(w) {
		return nil
	}
	return w.end()
}

// end closes the connection.
func (w *wire) end() error {
	if w.closed.Swap(true) {
		return nil
	}
	w.link.forget(w)
	return w.Conn.Close()
}

// idle returns for how long the wire was not used; nobody waits for an answer on it.
func (w *wire) idle() time.Duration {
	if w.reading.Load() {
		return 0
	}
	return time.Since(epoch) - time.Duration(w.used.Load())
}

// isHello reports whether a client says HELLO, as it does first.
func isHello(p []byte) bool {
	_, verb, ok := bytes.Cut(p[:min(len(p), 32)], []byte("\r\n"))
	return ok && len(p) > 0 && p[0] == '*' && bytes.HasPrefix(bytes.ToLower(verb), []byte("$5\r\nhello\r\n"))
}

// lost reports whether a command has failed before anything of its answer has come, and
// whether it may have been executed nevertheless.
func lost(err error) (lost, sent bool) {
	var e *lostError
	if !errors.As(err, &e) {
		return false, false
	}
	return true, e.sent
}

// noConnection is why there is none after so long.
func noConnection(after time.Duration, last error) error {
	if last == nil {
		return fmt.Errorf("there was no connection within %v: %w", after, os.ErrDeadlineExceeded)
	}
	return fmt.Errorf("there was no connection within %v: %w; the last one failed: %w", after, os.ErrDeadlineExceeded, last)
}
