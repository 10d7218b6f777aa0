package trace

import (
	"bufio"
	"encoding/binary"
	"math"
)

// The records of oracleGeneral, little-endian: the time in seconds (4 bytes),
// the id (8), the size (4), and the number of the next request of the same
// object, counted from 1, or -1 (8). The last is not read: who needs it finds it
// from the ids.
const oracleSize = 24

func parseOracle(r *bufio.Reader, rec *recorder) error {
	rec.timed = true
	keys := number[uint64](rec)
	return records(r, "record", oracleSize, rec, func(b []byte) error {
		return keys.detailed(binary.LittleEndian.Uint64(b[4:]), detail{
			at: uint64(binary.LittleEndian.Uint32(b)), size: uint64(binary.LittleEndian.Uint32(b[12:])),
		})
	})
}

// isOracle looks at the records of a sample: times never fall, and what should
// be the number of a next request is -1, the highest number there is, or below
// 2^40. Eight bytes that are so by chance in record after record do not occur in
// the formats here.
func isOracle(s []byte) bool {
	n, last := len(s)/oracleSize, uint32(0)
	for ; len(s) >= oracleSize; s = s[oracleSize:] {
		at := binary.LittleEndian.Uint32(s)
		next := int64(binary.LittleEndian.Uint64(s[16:]))
		if at < last || next < -1 || next >= 1<<40 && next != math.MaxInt64 {
			return false
		}
		last = at
	}
	return n >= 2
}

// The records of twrBin, little-endian: the time in seconds (4 bytes), the id
// (8), the size of the key in the 10 highest bits and that of the value in the
// others (4), the code of the operation in the 8 highest bits and the TTL in
// seconds in the others (4).
const twrSize = 20

func parseTwr(r *bufio.Reader, rec *recorder) error {
	rec.timed = true
	keys := number[uint64](rec)
	return records(r, "record", twrSize, rec, func(b []byte) error {
		id, d, ok := twrRecord(b)
		if !ok {
			return fault("fetch it again or name another --format", "has an operation of the unknown code %d in request %d at byte %d",
				b[19], len(rec.ids)+1, len(rec.ids)*twrSize)
		}
		return keys.detailed(id, d)
	})
}

func twrRecord(b []byte) (id uint64, d detail, ok bool) {
	sizes, last := binary.LittleEndian.Uint32(b[12:]), binary.LittleEndian.Uint32(b[16:])
	d = detail{at: uint64(binary.LittleEndian.Uint32(b)), size: uint64(sizes>>22) + uint64(sizes&(1<<22-1)), ttl: uint64(last & (1<<24 - 1))}
	d.op, ok = opOfCode(last >> 24)
	return binary.LittleEndian.Uint64(b[4:]), d, ok
}

// leastTwr is the number of records below which nothing is taken for twrBin.
const leastTwr = 8

// isTwr looks at the records of a sample: times never fall, codes of operations
// are known and keys have a size. That is much for chance in many records, but
// not in few.
func isTwr(s []byte) (is, sure bool) {
	n, last := len(s)/twrSize, uint64(0)
	if n < leastTwr {
		return false, false
	}
	for ; len(s) >= twrSize; s = s[twrSize:] {
		_, d, ok := twrRecord(s)
		if !ok || d.at < last || binary.LittleEndian.Uint32(s[12:])>>22 == 0 {
			return false, false
		}
		last = d.at
	}
	return true, n >= 64
}
