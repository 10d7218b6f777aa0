package trace

import (
	"bufio"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"math"
)

// The format larder, version 1: the magic, the version (1 byte), the columns (1
// byte, the bits below), the number of requests (varint), the requests, and the
// CRC-32 (IEEE, 4 bytes, little-endian) of all that.
//
// A request is numbers in varints: 0 for a key not seen before or 1 plus the id
// of a known one, times 4 plus the operation if there are operations; the seconds
// since the request before, if there are times; 0 if the object is as big as when
// it was requested last and not known at first, or 1 plus its size, if there are
// sizes; the TTL, if there are TTLs. A varint has 7 bits a byte, the lowest
// first, and the highest bit in all bytes but the last.
const (
	larderMagic   = "\x00larder\x00trace"
	larderVersion = 1

	hasOps   = 1
	hasTimes = 2
	hasSizes = 4
	hasTTLs  = 8
)

const larderRemedy = "fetch it again or convert it anew"

// checked is a reader of bytes that keeps the CRC of what it has read.
type checked struct {
	r   *bufio.Reader
	sum hash.Hash32
	at  int64
	one [1]byte
}

// ReadByte implements io.ByteReader.
func (c *checked) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.one[0] = b
		c.sum.Write(c.one[:])
		c.at++
	}
	return b, err
}

// larderReader reads the format larder.
type larderReader struct {
	in      *checked
	rec     *recorder
	columns byte
	last    []uint32 // sizes by id
	at      uint64
}

func parseLarder(r *bufio.Reader, rec *recorder) error {
	in := &checked{r: r, sum: crc32.NewIEEE()}
	l := &larderReader{in: in, rec: rec}
	count, err := l.header()
	if err != nil {
		return err
	}
	for i := range count {
		if err := l.request(); err != nil {
			return l.fault(err, i, count)
		}
	}
	want := in.sum.Sum32()
	var tail [4]byte
	switch _, err := io.ReadFull(r, tail[:]); err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		return fault(larderRemedy, "is truncated: it ends before its checksum")
	default:
		return err
	}
	if binary.LittleEndian.Uint32(tail[:]) != want {
		return fault(larderRemedy, "is corrupt: its checksum is not that of its content")
	}
	switch _, err := r.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return fault(larderRemedy, "goes on after the %d requests it announces", count)
	default:
		return err
	}
}

func (l *larderReader) header() (count uint64, err error) {
	var head [len(larderMagic) + 2]byte
	for i := range head {
		if head[i], err = l.in.ReadByte(); err == io.EOF {
			return 0, fault(larderRemedy, "is truncated: it ends in its header")
		} else if err != nil {
			return 0, err
		}
	}
	if string(head[:len(larderMagic)]) != larderMagic {
		return 0, fault("name another --format", "does not begin as a trace in the format larder does")
	}
	if v := head[len(larderMagic)]; v != larderVersion {
		return 0, fault("use a newer larder", "is in version %d of the format larder, and only %d is known", v, larderVersion)
	}
	if l.columns = head[len(larderMagic)+1]; l.columns >= 2*hasTTLs {
		return 0, fault(larderRemedy, "is corrupt: it has columns that version %d does not have", larderVersion)
	}
	if count, err = uvarint(l.in); err != nil {
		return 0, l.fault(err, 0, 0)
	}
	if count > uint64(l.rec.limit) {
		return 0, l.rec.full()
	}
	l.rec.timed = l.columns&hasTimes != 0
	return count, nil
}

// fault turns an error of the reading of request i into one for people.
func (l *larderReader) fault(err error, i, count uint64) error {
	switch err {
	case io.EOF:
		return fault(larderRemedy, "is truncated: it ends after %d of %d requests", i, count)
	case errWide:
		return fault(larderRemedy, "is corrupt: a number of request %d before byte %d is too big", i+1, l.in.at)
	}
	return err
}

func (l *larderReader) request() error {
	code, err := uvarint(l.in)
	if err != nil {
		return err
	}
	var d detail
	if l.columns&hasOps != 0 {
		d.op, code = Op(code&3), code>>2
		if d.op >= ops {
			return fault(larderRemedy, "is corrupt: request %d has the unknown operation %d", len(l.rec.ids)+1, d.op)
		}
	}
	id := l.rec.unique
	switch {
	case code > uint64(id):
		return fault(larderRemedy, "is corrupt: request %d names id %d, but only %d ids are known there", len(l.rec.ids)+1, code-1, id)
	case code > 0:
		id = uint32(code - 1)
		err = l.rec.known(id)
	default:
		_, err = l.rec.fresh()
	}
	if err != nil {
		return err
	}
	if l.columns&hasTimes != 0 {
		step, err := l.number()
		if err != nil {
			return err
		}
		l.at += step
		d.at = l.at
	}
	if l.columns&hasSizes != 0 {
		if int(id) == len(l.last) {
			l.last = append(l.last, 0)
		}
		size, err := l.number()
		if err != nil {
			return err
		}
		if size > 0 {
			l.last[id] = uint32(size - 1)
		}
		d.size = uint64(l.last[id])
	}
	if l.columns&hasTTLs != 0 {
		if d.ttl, err = l.number(); err != nil {
			return err
		}
	}
	l.rec.note(d)
	return nil
}

// number reads a number of 32 bits, or one more.
func (l *larderReader) number() (uint64, error) {
	n, err := uvarint(l.in)
	if err == nil && n > math.MaxUint32+1 {
		err = errWide
	}
	return n, err
}

func encodeLarder(w *bufio.Writer, t *Trace) error {
	sum := crc32.NewIEEE()
	buf := append([]byte(larderMagic), larderVersion, 0)
	for _, c := range []struct {
		has bool
		bit byte
	}{{t.Ops != nil, hasOps}, {t.Times != nil, hasTimes}, {t.Sizes != nil, hasSizes}, {t.TTLs != nil, hasTTLs}} {
		if c.has {
			buf[len(buf)-1] |= c.bit
		}
	}
	buf = binary.AppendUvarint(buf, uint64(len(t.IDs)))
	var unique, at uint32
	var last []uint32
	if t.Sizes != nil {
		last = make([]uint32, t.Unique)
	}
	for i, id := range t.IDs {
		code := uint64(0)
		if id < unique {
			code = uint64(id) + 1
		} else {
			unique++
		}
		if t.Ops != nil {
			code = code<<2 | uint64(t.Ops[i])
		}
		buf = binary.AppendUvarint(buf, code)
		if t.Times != nil {
			buf = binary.AppendUvarint(buf, uint64(t.Times[i]-at))
			at = t.Times[i]
		}
		if t.Sizes != nil {
			size := uint64(0)
			if t.Sizes[i] != last[id] {
				last[id], size = t.Sizes[i], uint64(t.Sizes[i])+1
			}
			buf = binary.AppendUvarint(buf, size)
		}
		if t.TTLs != nil {
			buf = binary.AppendUvarint(buf, uint64(t.TTLs[i]))
		}
		sum.Write(buf)
		if _, err := w.Write(buf); err != nil {
			return err
		}
		buf = buf[:0]
	}
	sum.Write(buf)
	_, err := w.Write(binary.LittleEndian.AppendUint32(buf, sum.Sum32()))
	return err
}
