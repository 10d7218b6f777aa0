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
	return records(r, "key", size, rec, func(word []byte) error { return keys.request(key(word)) })
}

// records calls each with all records of so many bytes in turn; one is called
// what in errors.
func records(r *bufio.Reader, what string, size int, rec *recorder, each func([]byte) error) error {
	record := make([]byte, size)
	for {
		n, err := io.ReadFull(r, record)
		switch err {
		case nil:
		case io.EOF:
			return nil
		case io.ErrUnexpectedEOF:
			return fault("fetch it again or name another --format",
				"ends %d bytes into a %s of %d bytes after %d requests", n, what, size, len(rec.ids))
		default:
			return err
		}
		if err := each(record); err != nil {
			return err
		}
	}
}
