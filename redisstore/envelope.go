package redisstore

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
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
//	flags     1   bit 0: the origin has no such value; bits 1 to 3: the method of
//	              cache.Compressor in which the payload is, 0 for none; bit 4: loaded
//	              is there; bit 5: sent is there; bits 6 and 7 are 0
//	codec     1   cache.Codec.ID
//	schema    4   cache.Codec.Schema
//	fresh     8   milliseconds since 1970, by the clock of the key's lane
//	expires   8   the same
//	cost     uv   microseconds
//	loaded   uv   as fresh; only with bit 4
//	sent     uv   as fresh: when it was about to be stored; only with bit 5
//	key    text   the key of the value in Redis
//	star     16   version of everything in the key's lane
//	tags     uv   how many, then each: name text, version 16
//	payload  ..   as the codec wrote it, or compressed
//	checksum  4   CRC-32C of all from magic to payload
//
// What has an unknown flag was written by a later program, which may lay the rest
// out differently: it is whole, but cannot be read here. What has no sent was written
// by an earlier one, by the clock of its process: see moments.
const (
	headerSize  = 17
	magic       = "LRD\x01"
	flagAbsent  = 1
	methodShift = 1
	maxMethod   = 7
	flagLoaded  = 1 << 4
	flagSent    = 1 << 5
	flagsKnown  = flagAbsent | maxMethod<<methodShift | flagLoaded | flagSent
)

// lockSize is the size of the lock of a token, which follows the header: see
// lua/lock.lua.
const lockSize = 8 + 8 + 1

// isToken reports whether raw is a fill token, locked or not.
func isToken(raw string) bool {
	return raw[0] == kindToken && (len(raw) == headerSize || len(raw) == headerSize+lockSize)
}

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
	method         byte // in which payload is compressed
	codec          byte
	schema         uint32
	fresh, expires cache.Moment
	cost           time.Duration
	loaded         cache.Moment // 0 if that is not known
	sent           cache.Moment // 0 if an earlier program wrote it
	key            string
	star           string
	stamps         []stamp
	payload        string
}

// appendBody appends all but kind and nonce, which the script adds.
func (e *envelope) appendBody(b []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	flags := e.method << methodShift
	if e.absent {
		flags |= flagAbsent
	}
	if e.loaded > 0 {
		flags |= flagLoaded
	}
	if e.sent > 0 {
		flags |= flagSent
	}
	b = append(b, flags, e.codec)
	b = binary.LittleEndian.AppendUint32(b, e.schema)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.fresh))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.expires))
	b = binary.AppendUvarint(b, uint64(max(e.cost.Microseconds(), 0)))
	if e.loaded > 0 {
		b = binary.AppendUvarint(b, uint64(e.loaded))
	}
	if e.sent > 0 {
		b = binary.AppendUvarint(b, uint64(e.sent))
	}
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

var (
	errCorrupt = errors.New("larder: not an entry of this format")
	errUnknown = errors.New("larder: an entry with unknown flags")
)

// parse reads a value, or says that it is errCorrupt or errUnknown. It reads no
// further and allocates no more than what is there, whatever lengths the bytes
// claim.
func parse(raw string) (*envelope, error) {
	e := &envelope{}
	_, err := e.parse(raw, nil)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// parse is parse into e. Its stamps are put at the end of room, which is returned.
func (e *envelope) parse(raw string, room []stamp) ([]stamp, error) {
	const fixed = headerSize + len(magic) + 2 + 4 + 8 + 8
	if len(raw) < fixed+4 || raw[0] != kindValue || raw[headerSize:headerSize+len(magic)] != magic {
		return room, errCorrupt
	}
	body := len(raw) - 4
	if crc32.Checksum(bytesOf(raw[headerSize:body]), castagnoli) != binary.LittleEndian.Uint32(bytesOf(raw[body:])) {
		return room, errCorrupt
	}
	r := reader{rest: raw[headerSize+len(magic) : body]}
	*e = envelope{header: raw[:headerSize]}
	head := bytesOf(r.take(2 + 4 + 8 + 8))
	if head[0]&^flagsKnown != 0 {
		return room, errUnknown
	}
	e.absent, e.method, e.codec = head[0]&flagAbsent != 0, head[0]>>methodShift&maxMethod, head[1]
	e.schema = binary.LittleEndian.Uint32(head[2:])
	e.fresh = cache.Moment(binary.LittleEndian.Uint64(head[6:]))
	e.expires = cache.Moment(binary.LittleEndian.Uint64(head[14:]))
	if us := r.uvarint(); us <= math.MaxInt64/1000 {
		e.cost = time.Duration(us) * time.Microsecond
	}
	if head[0]&flagLoaded != 0 {
		e.loaded = cache.Moment(min(r.uvarint(), math.MaxInt64))
	}
	if head[0]&flagSent != 0 {
		e.sent = cache.Moment(min(r.uvarint(), math.MaxInt64))
	}
	e.key = r.text()
	e.star = r.take(16)
	n := r.uvarint()
	if n > uint64(len(r.rest)/17) { // a stamp has 17 bytes at least
		return room, errCorrupt
	}
	from := len(room)
	room = slices.Grow(room, int(n))
	for range n {
		room = append(room, stamp{r.text(), r.take(16)})
	}
	e.stamps = room[from:len(room):len(room)]
	if r.bad {
		return room, errCorrupt
	}
	e.payload = r.rest
	return room, nil
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
