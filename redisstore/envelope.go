package redisstore

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/larder-cache/larder/cache"
)

// A value in Redis, format 1. Integers are little-endian; uv is an unsigned
// varint, text is its length as uv and then its bytes.
//
//	kind      1   'V'
//	nonce    16   minted by the script that stored it
//	magic     3   "LRD"
//	format    1   1
//	flags     1   bit 0: the origin has no such value
//	codec     1   cache.Codec.ID
//	schema    4   cache.Codec.Schema
//	fresh     8   milliseconds since 1970
//	expires   8   milliseconds since 1970
//	cost     uv   microseconds
//	key    text   the key of the value in Redis
//	star     16   version of everything in the key's lane
//	tags     uv   how many, then each: name text, version 16
//	payload  ..   as the codec wrote it
//	checksum  4   CRC-32C of all from magic to payload
const (
	headerSize = 17
	magic      = "LRD\x01"
	flagAbsent = 1
)

// The kinds of what is under a value's key, or a tag's.
const (
	kindToken      = 'M'
	kindValue      = 'V'
	kindQuarantine = 'Q'
	kindVersion    = 'T'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// stamp is a tag and its version from before the load.
type stamp struct{ tag, version string }

// envelope is a stored value, parsed but not decoded. Its strings are parts of
// what was read.
type envelope struct {
	header         string
	absent         bool
	codec          byte
	schema         uint32
	fresh, expires cache.Moment
	cost           time.Duration
	key            string
	star           string
	stamps         []stamp
	payload        string
}

// appendBody appends all but kind and nonce, which the script adds.
func (e *envelope) appendBody(b []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	var flags byte
	if e.absent {
		flags |= flagAbsent
	}
	b = append(b, flags, e.codec)
	b = binary.LittleEndian.AppendUint32(b, e.schema)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.fresh))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.expires))
	b = binary.AppendUvarint(b, uint64(max(e.cost.Microseconds(), 0)))
	b = appendText(b, e.key)
	b = append(b, e.star...)
	b = binary.AppendUvarint(b, uint64(len(e.stamps)))
	for _, s := range e.stamps {
		b = appendText(b, s.tag)
		b = append(b, s.version...)
	}
	b = append(b, e.payload...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errCorrupt = errors.New("larder: not an entry of this format")

// parse reads a value. It reads no further and allocates no more than what is
// there, whatever lengths the bytes claim.
func parse(raw string) (*envelope, error) {
	const fixed = headerSize + len(magic) + 2 + 4 + 8 + 8
	if len(raw) < fixed+4 || raw[0] != kindValue || raw[headerSize:headerSize+len(magic)] != magic {
		return nil, errCorrupt
	}
	body := len(raw) - 4
	if crc32.Checksum(bytesOf(raw[headerSize:body]), castagnoli) != binary.LittleEndian.Uint32(bytesOf(raw[body:])) {
		return nil, errCorrupt
	}
	r := reader{rest: raw[headerSize+len(magic) : body]}
	e := &envelope{header: raw[:headerSize]}
	head := bytesOf(r.take(2 + 4 + 8 + 8))
	e.absent, e.codec = head[0]&flagAbsent != 0, head[1]
	e.schema = binary.LittleEndian.Uint32(head[2:])
	e.fresh = cache.Moment(binary.LittleEndian.Uint64(head[6:]))
	e.expires = cache.Moment(binary.LittleEndian.Uint64(head[14:]))
	if us := r.uvarint(); us <= math.MaxInt64/1000 {
		e.cost = time.Duration(us) * time.Microsecond
	}
	e.key = r.text()
	e.star = r.take(16)
	n := r.uvarint()
	if n > uint64(len(r.rest)/17) { // a stamp has 17 bytes at least
		return nil, errCorrupt
	}
	if n > 0 {
		e.stamps = make([]stamp, n)
	}
	for i := range e.stamps {
		e.stamps[i] = stamp{r.text(), r.take(16)}
	}
	if r.bad {
		return nil, errCorrupt
	}
	e.payload = r.rest
	return e, nil
}

// reader takes parts off the front of a string.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) take(n int) string {
	if n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, ""
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(bytesOf(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	if n <= 0 {
		r.bad, r.rest = true, ""
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		n = uint64(len(r.rest)) + 1 // take refuses it
	}
	return r.take(int(n))
}
