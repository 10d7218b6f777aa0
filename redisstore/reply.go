package redisstore

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// replyError is an error that the server has returned.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError marks it as go-redis marks its own.
func (replyError) RedisError() {}

var errReply = errors.New("larder: not the reply to MGET")

// reply is the reply to a command as it came. Its memory is used again when all
// who read it are done, and nobody keeps a part of it.
type reply struct {
	buf   []byte
	users atomic.Int32
}

var replies = sync.Pool{New: func() any { return new(reply) }}

const (
	// largestReply is from how many bytes on the memory of a reply is not kept.
	largestReply = 1 << 20
	// mostExpected bounds the memory that is made for a string before it comes.
	mostExpected = 1 << 20
)

// newReply returns one with a number of users.
func newReply(users int) *reply {
	r := replies.Get().(*reply)
	r.buf = r.buf[:0]
	r.users.Store(int32(users))
	return r
}

// done says that one user is done. A user who is not certain says nothing: then the
// memory is left alone.
func (r *reply) done() {
	if r.users.Add(-1) == 0 && cap(r.buf) <= largestReply {
		replies.Put(r)
	}
}

func (r *reply) Write(p []byte) (int, error) {
	r.buf = append(r.buf, p...)
	return len(p), nil
}

// ReadFrom reads a string, which is written only once.
func (r *reply) ReadFrom(src io.Reader) (n int64, err error) {
	for {
		room := 512
		if l, ok := src.(*io.LimitedReader); ok {
			if l.N <= 0 {
				return n, nil
			}
			room = int(min(l.N, mostExpected)) // so what never comes costs no more
		}
		r.buf = slices.Grow(r.buf, room)
		got, err := src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+got]
		n += int64(got)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// bulk takes a reply of strings apart into out, "" for what is not there. It is as RESP 2 or
// 3 writes it (https://redis.io/docs/latest/develop/reference/protocol-spec/). The
// strings are parts of the reply.
func bulk(reply string, out []string) error {
	n := len(out)
	line, rest, ok := strings.Cut(reply, "\r\n")
	switch {
	case !ok:
		return errReply
	case line[:min(1, len(line))] == "-":
		return replyError(line[1:])
	case line != "*"+strconv.Itoa(n):
		return fmt.Errorf("%w of %d keys: %.20q", errReply, n, line)
	}
	for i := range out {
		if line, rest, ok = strings.Cut(rest, "\r\n"); !ok || line == "" {
			return errReply
		}
		if line == "$-1" || line == "_" {
			continue
		}
		size, err := strconv.Atoi(line[1:])
		if line[0] != '$' || err != nil || size < 0 || size > len(rest)-2 || rest[size:size+2] != "\r\n" {
			return fmt.Errorf("%w: %.20q", errReply, line)
		}
		out[i], rest = rest[:size], rest[size+2:]
	}
	if rest != "" {
		return errReply
	}
	return nil
}
