package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const compactRemedy = "fetch it again or name another --format"

var errWide = errors.New("a number does not fit 64 bits")

func parseCompact(r *bufio.Reader, rec *recorder) error {
	count, err := uvarint(r)
	if err != nil {
		return compactError(err, 0, 0)
	}
	if count > uint64(rec.limit) {
		return rec.full()
	}
	for i := range count {
		x, err := uvarint(r)
		switch {
		case err != nil:
			return compactError(err, i, count)
		case x > uint64(rec.unique):
			return fault(compactRemedy, "is corrupt: request %d names id %d, but only %d ids are known there",
				i+1, x-1, rec.unique)
		case x > 0:
			err = rec.known(uint32(x - 1))
		default:
			_, err = rec.fresh()
		}
		if err != nil {
			return err
		}
	}
	switch _, err := r.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return fault(compactRemedy, "goes on after the %d requests it announces", count)
	default:
		return err
	}
}

func compactError(err error, have, want uint64) error {
	switch err {
	case io.EOF:
		return fault(compactRemedy, "is truncated: it ends after %d of %d requests", have, want)
	case errWide:
		return fault(compactRemedy, "is corrupt: the number after request %d does not fit 64 bits", have)
	}
	return err
}

// uvarint is binary.ReadUvarint with an overflow that can be told from the
// errors of r.
func uvarint(r io.ByteReader) (uint64, error) {
	var x uint64
	for shift := 0; shift < 64; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if shift == 63 && b > 1 {
			return 0, errWide
		}
		x |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return x, nil
		}
	}
	return 0, errWide
}

// WriteCompact writes ids to w in the Compact format. The ids must be numbered
// by first appearance, as Trace.IDs are. It costs one to five bytes a request
// and does not compress.
func WriteCompact(w io.Writer, ids []uint32) error {
	bw := bufio.NewWriter(w)
	buf := binary.AppendUvarint(nil, uint64(len(ids)))
	unique := uint32(0)
	for i, id := range ids {
		switch {
		case id < unique:
			buf = binary.AppendUvarint(buf, uint64(id)+1)
		case id == unique:
			buf = append(buf, 0)
			unique++
		default:
			return fmt.Errorf("request %d has id %d, but the next new id is %d", i+1, id, unique)
		}
		if _, err := bw.Write(buf); err != nil {
			return err
		}
		buf = buf[:0]
	}
	if _, err := bw.Write(buf); err != nil {
		return err
	}
	return bw.Flush()
}
