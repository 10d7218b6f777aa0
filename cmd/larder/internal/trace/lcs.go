package trace

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"math"
)

// lcsMagic begins and ends the header of an lcs trace.
const lcsMagic = "\xf0\xde\xbc\x9a\x78\x56\x34\x12"

// lcsVersions are the sizes of the records of each version, from 1. They begin
// as those of oracleGeneral do; from version 2 on they have a code of the
// operation behind the size, from version 3 on a size of 8 bytes, and a TTL
// behind the operation. What else they have is not read.
var lcsVersions = []int{24, 28, 36, 40, 44, 52, 68, 100}

// lcsHeaders are the sizes that the header had over the years.
var lcsHeaders = []int{1024, 8192}

// Places in the header, whatever its size: the version, how many requests there
// are, and, in the header of 1024 bytes alone, what times are counted in.
const (
	lcsVersion  = 8
	lcsRequests = 24
	lcsTimeUnit = 124
)

func parseLCS(r *bufio.Reader, rec *recorder) error {
	head, err := r.Peek(lcsHeaders[len(lcsHeaders)-1])
	if err != nil && err != io.EOF {
		return err
	}
	version, header, err := lcsHeader(head)
	if err != nil {
		return err
	}
	requests := binary.LittleEndian.Uint64(head[lcsRequests:])
	rec.timed = true
	if unit := head[lcsTimeUnit]; header == 1024 && unit > 1 {
		rec.timed = false
		rec.doubt("its times are not in seconds and left out")
	}
	if _, err := r.Discard(header); err != nil {
		return err
	}
	keys := number[uint64](rec)
	size := lcsVersions[version-1]
	err = records(r, "record", size, rec, func(b []byte) error {
		id, d, ok := lcsRecord(version, b)
		if !ok {
			return fault("fetch it again", "has a size or an operation that cannot be in request %d at byte %d",
				len(rec.ids)+1, header+len(rec.ids)*size)
		}
		return keys.detailed(id, d)
	})
	if err == nil && requests != 0 && requests != uint64(len(rec.ids)) {
		rec.doubt("its header speaks of %d requests, but there are %d", requests, len(rec.ids))
	}
	return err
}

// lcsHeader returns the version of the trace and the size of its header.
func lcsHeader(head []byte) (version, size int, err error) {
	const remedy = "convert it with the tools of libCacheSim"
	if !bytes.HasPrefix(head, []byte(lcsMagic)) {
		return 0, 0, fault("name another --format", "does not begin as an lcs trace does")
	}
	for _, n := range lcsHeaders {
		if len(head) >= n && string(head[n-len(lcsMagic):n]) == lcsMagic {
			size = n
			break
		}
	}
	switch {
	case len(head) < lcsHeaders[0]:
		return 0, 0, fault("fetch it again", "is truncated: it ends in the header of an lcs trace")
	case head[lcsVersion] > 9:
		// There was a text that described the records before there were versions.
		return 0, 0, fault(remedy, "is an lcs trace from before version 1")
	case size == 0:
		return 0, 0, fault("fetch it again", "is corrupt: the header of the lcs trace has no end")
	}
	v := binary.LittleEndian.Uint64(head[lcsVersion:])
	if v < 1 || v > uint64(len(lcsVersions)) {
		return 0, 0, fault(remedy, "is an lcs trace of version %d, and only 1 to %d are known", v, len(lcsVersions))
	}
	return int(v), size, nil
}

func lcsRecord(version int, b []byte) (id uint64, d detail, ok bool) {
	id = binary.LittleEndian.Uint64(b[4:])
	d.at = uint64(binary.LittleEndian.Uint32(b))
	d.size = uint64(binary.LittleEndian.Uint32(b[12:]))
	after := b[16:]
	if version >= 3 {
		d.size = binary.LittleEndian.Uint64(b[12:])
		after = b[20:]
		if ttl := binary.LittleEndian.Uint32(after[4:]); ttl <= math.MaxInt32 { // -1 is none
			d.ttl = uint64(ttl)
		}
		if d.size > math.MaxInt64 {
			return 0, d, false
		}
	}
	if version >= 2 {
		if d.op, ok = opOfCode(uint32(after[0])); !ok {
			return 0, d, false
		}
	}
	return id, d, true
}
