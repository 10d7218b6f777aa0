package trace

import (
	"bufio"
	"encoding/binary"
	"io"
)

func parseCache2k(r *bufio.Reader, rec *recorder) error {
	return parseWords(r, 4, rec, func(b []byte) uint64 { return uint64(binary.BigEndian.Uint32(b)) })
}

func parseCorda(r *bufio.Reader, rec *recorder) error {
	return parseWords(r, 8, rec, binary.BigEndian.Uint64)
}

func parseWords(r *bufio.Reader, size int, rec *recorder, key func([]byte) uint64) error {
	keys := number[uint64](rec)
	word := make([]byte, size)
	for {
		n, err := io.ReadFull(r, word)
		switch err {
		case nil:
		case io.EOF:
			return nil
		case io.ErrUnexpectedEOF:
			return fault("fetch it again or name another --format",
				"ends %d bytes into a key of %d bytes after %d requests", n, size, len(rec.ids))
		default:
			return err
		}
		if err := keys.request(key(word)); err != nil {
			return err
		}
	}
}
