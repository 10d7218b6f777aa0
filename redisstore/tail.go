package redisstore

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"github.com/larder-cache/larder/invalidation"
)

// logTail is the end of a lane's log, as the scripts write it: the name of the
// log in 16 bytes, 8 random bytes of the last message, and the number of that
// message in decimal. The zero logTail is none, and is not equal to anything.
type logTail struct {
	line  string
	nonce uint64
	seq   uint64
}

const tailHead = 16 + 8

var errTail = errors.New("larder: not the tail of a log")

func parseTail(s string) (logTail, error) {
	if len(s) <= tailHead {
		return logTail{}, errTail
	}
	seq, err := strconv.ParseUint(s[tailHead:], 10, 64)
	if err != nil {
		return logTail{}, errTail
	}
	return logTail{s[:16], binary.BigEndian.Uint64([]byte(s[16:tailHead])), seq}, nil
}

// announced takes the result of a script that has announced something apart: the tail of
// the log, and the error of a server that did not publish it.
func announced(result string) (tail, refusal string) {
	if len(result) > tailHead {
		if number, refusal, ok := strings.Cut(result[tailHead:], " "); ok {
			return result[:tailHead+len(number)], refusal
		}
	}
	return result, ""
}

func (t logTail) String() string {
	if t.line == "" {
		return ""
	}
	return t.line + string(binary.BigEndian.AppendUint64(nil, t.nonce)) + strconv.FormatUint(t.seq, 10)
}

// mark returns the tail as a place in the log of a lane.
func (s *Space) mark(lane int, t logTail) invalidation.Mark {
	return invalidation.Mark{Space: s.ns, Lane: lane, Line: t.line, Seq: t.seq, Nonce: t.nonce}
}

// memory remembers the last tails of a log that were applied, up to mostTails. It takes
// memory as there are more.
type memory struct {
	line  string
	tails []shortTail // each in the place of its number; 2^n of them
}

type shortTail struct{ seq, nonce uint64 }

const (
	fewTails  = 4
	mostTails = 1024
)

func (m *memory) put(t logTail) {
	if m.line != t.line {
		*m = memory{line: t.line}
	}
	if m.tails == nil {
		m.tails = make([]shortTail, fewTails)
	}
	for at := m.at(t.seq); *at != (shortTail{}) && at.seq != t.seq && len(m.tails) < mostTails; at = m.at(t.seq) {
		m.grow()
	}
	*m.at(t.seq) = shortTail{t.seq, t.nonce}
}

// at returns the place of a number.
func (m *memory) at(seq uint64) *shortTail { return &m.tails[seq%uint64(len(m.tails))] }

// grow makes twice the places.
func (m *memory) grow() {
	old := m.tails
	m.tails = make([]shortTail, 2*len(old))
	for _, t := range old {
		if t != (shortTail{}) {
			*m.at(t.seq) = t
		}
	}
}

func (m *memory) has(t logTail) bool {
	return t.line != "" && m.line == t.line && *m.at(t.seq) == shortTail{t.seq, t.nonce}
}
