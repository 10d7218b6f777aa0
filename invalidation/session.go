package invalidation

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
)

// Session collects where, in the logs of the remote stores, invalidations have
// been noted, so that another process can be asked to have heard of them.
type Session struct {
	mu    sync.Mutex
	marks []Mark
}

// Mark is a place in a log.
type Mark struct {
	Space string // the name of the remote store
	Lane  int
	Line  string // 16 bytes: the log, which begins anew when it was lost
	Seq   uint64 // the number of the invalidation
	Nonce uint64
}

// covers reports whether whoever has heard of m has heard of o too.
func (m Mark) covers(o Mark) bool {
	return m.Space == o.Space && m.Lane == o.Lane && m.Line == o.Line && m.Seq >= o.Seq
}

type sessionKey struct{}

// NewSession returns a context with which invalidations and writes are collected
// in the Session, and the Session.
//
//	ctx, session := invalidation.NewSession(ctx)
//	err := users.Invalidate(ctx, 42)
//	answer.Header.Set("Larder-Token", session.Token())
//
// Another process gives the token to Domain.AtLeast before it reads, and reads
// what was written.
func NewSession(ctx context.Context) (context.Context, *Session) {
	s := &Session{}
	return context.WithValue(ctx, sessionKey{}, s), s
}

// Note adds marks to the Session of ctx, if it has one.
func (c Control) Note(ctx context.Context, marks ...Mark) {
	if s, ok := ctx.Value(sessionKey{}).(*Session); ok {
		s.add(marks)
	}
}

func (s *Session) add(marks []Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range marks {
		if slices.ContainsFunc(s.marks, func(o Mark) bool { return o.covers(m) }) {
			continue
		}
		s.marks = append(slices.DeleteFunc(s.marks, m.covers), m)
	}
}

// Token returns what was collected so far, as text that is safe in headers and
// URLs: some 70 bytes for each lane. It is "" if nothing was invalidated.
func (s *Session) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.marks) == 0 {
		return ""
	}
	b := []byte{tokenFormat}
	for _, m := range s.marks {
		b = append(binary.AppendUvarint(b, uint64(len(m.Space))), m.Space...)
		b = binary.AppendUvarint(b, uint64(m.Lane))
		b = append(b, m.Line...)
		b = binary.AppendUvarint(b, m.Seq)
		b = binary.BigEndian.AppendUint64(b, m.Nonce)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

const (
	tokenFormat = 1
	lineSize    = 16
)

var errToken = errors.New("larder: this is no token of a Session")

// ParseToken returns the marks of a token.
func ParseToken(token string) ([]Mark, error) {
	if token == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) == 0 || b[0] != tokenFormat {
		return nil, errToken
	}
	var marks []Mark
	for b = b[1:]; len(b) > 0; {
		var m Mark
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, errToken
		}
		m.Space, b = string(b[n:n+int(size)]), b[n+int(size):]
		lane, n := binary.Uvarint(b)
		if n <= 0 || lane >= 64 || len(b)-n < lineSize {
			return nil, errToken
		}
		m.Lane, m.Line, b = int(lane), string(b[n:n+lineSize]), b[n+lineSize:]
		if m.Seq, n = binary.Uvarint(b); n <= 0 || len(b)-n < 8 {
			return nil, errToken
		}
		m.Nonce, b = binary.BigEndian.Uint64(b[n:]), b[n+8:]
		marks = append(marks, m)
	}
	return marks, nil
}

// AtLeast returns nil when reads of this process that start later are as new as
// the writes that the token stands for: see NewSession. It costs nothing if this
// process has heard of them already, as it mostly has, and otherwise a Fence.
// After an error, memory may be behind. A malformed token is an error.
func (d *Domain) AtLeast(ctx context.Context, token string) error {
	if d.remote == nil || token == "" {
		return nil
	}
	return d.remote.AtLeast(ctx, token)
}

// Fence returns nil when the memory of this process has dropped everything that
// was invalidated, in any process, before Fence was called: a read that follows
// is strict, and still from memory if nothing was. It costs one round trip for
// each lane, which all who ask at the same time share.
func (d *Domain) Fence(ctx context.Context) error {
	if d.remote == nil {
		return nil
	}
	return d.remote.Fence(ctx)
}

// WaitCoherent returns nil when the memory of no process serves any more what
// was invalidated before the token was made: see NewSession. It costs a round
// trip of every process that is alive, and at most the time of a lease if one
// does not answer.
func (d *Domain) WaitCoherent(ctx context.Context, token string) error {
	if d.remote == nil || token == "" {
		return nil
	}
	return d.remote.WaitCoherent(ctx, token)
}
