package redisstore

import (
	"encoding/binary"
	"errors"

	"github.com/larder-cache/larder/invalidation"
)

// A message of a lane's log, format 1. The script puts the tails in front.
//
//	previous  length 1, then the tail before the message; empty if it was lost
//	next      length 1, then the tail after it
//	format    1   1
//	flags     1   bit 0: whoever applies it shall say so at once
//	              bit 1: everything in the lane was invalidated
//	items     ..  'k' and the Hash of a key in 4 bytes, or
//	              't' and a tag: its length as uvarint, its bytes
type message struct {
	previous, next logTail
	payload
}

type payload struct {
	ack, all bool
	keys     []uint32
	tags     []string
}

const (
	messageFormat = 1
	flagAck       = 1
	flagAll       = 2
)

func (p payload) encode() string {
	b := make([]byte, 2, 2+5*len(p.keys)+16*len(p.tags))
	b[0] = messageFormat
	if p.ack {
		b[1] |= flagAck
	}
	if p.all {
		b[1] |= flagAll
	}
	for _, h := range p.keys {
		b = binary.BigEndian.AppendUint32(append(b, 'k'), h)
	}
	for _, t := range p.tags {
		b = appendText(append(b, 't'), t)
	}
	return string(b)
}

func hashes(keys []string) []uint32 {
	out := make([]uint32, len(keys))
	for i, k := range keys {
		out[i] = invalidation.Hash(k)
	}
	return out
}

var errMessage = errors.New("larder: not a message of this format")

// parseMessage reads a message. Whoever cannot must take it for a gap.
func parseMessage(raw string) (m message, err error) {
	if raw != "" && raw[0] == wakeMark {
		return message{}, errMessage
	}
	r := reader{rest: raw}
	if previous := r.short(); previous != "" {
		if m.previous, err = parseTail(previous); err != nil {
			return message{}, err
		}
	}
	if m.next, err = parseTail(r.short()); err != nil {
		return message{}, err
	}
	head := r.take(2)
	if r.bad || head[0] != messageFormat {
		return message{}, errMessage
	}
	m.ack, m.all = head[1]&flagAck != 0, head[1]&flagAll != 0
	for r.rest != "" {
		switch r.take(1) {
		case "k":
			if h := r.take(4); !r.bad {
				m.keys = append(m.keys, binary.BigEndian.Uint32([]byte(h)))
			}
		case "t":
			m.tags = append(m.tags, r.text())
		default:
			return message{}, errMessage
		}
	}
	if r.bad {
		return message{}, errMessage
	}
	return m, nil
}

// short takes a text whose length is one byte.
func (r *reader) short() string {
	n := r.take(1)
	if r.bad {
		return ""
	}
	return r.take(int(n[0]))
}
