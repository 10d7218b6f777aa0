package trace

import (
	"bufio"
	"bytes"
	"io"
)

// maxLine bounds the length of a line; longer ones are no trace in text.
const maxLine = 64 << 10

var byteOrderMark = []byte("\xef\xbb\xbf")

// lines cuts text into lines that end in LF or CRLF and passes over empty ones.
type lines struct {
	r *bufio.Reader
	n int
}

// next returns the next line that is not empty, without its end; it stays
// valid until the next call. The error after the last line is io.EOF.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return nil, io.EOF
		}
		l.n++
		if err == bufio.ErrBufferFull || len(line) > maxLine {
			return nil, l.fault("is longer than %d bytes", maxLine)
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		if l.n == 1 {
			line = bytes.TrimPrefix(line, byteOrderMark)
		}
		if line = trimEnd(line); len(line) > 0 {
			return line, nil
		}
	}
}

// each calls do with all lines that are left, until one returns an error.
func (l *lines) each(do func(line []byte) error) error {
	for {
		line, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = do(line)
		}
		if err != nil {
			return err
		}
	}
}

func (l *lines) fault(problem string, args ...any) *Error {
	return fault("mend the line or name another --format", "line %d "+problem, append([]any{l.n}, args...)...)
}

func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// decimal reads an unsigned decimal number that fits 64 bits.
func decimal(s []byte) (uint64, bool) {
	if len(s) == 0 {
		return 0, false
	}
	var n uint64
	for _, c := range s {
		d := uint64(c - '0')
		if c < '0' || c > '9' || n > (1<<64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}
