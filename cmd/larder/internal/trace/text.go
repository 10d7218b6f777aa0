package trace

import (
	"bufio"
	"bytes"
)

// phaseMark is the line by which LIRS traces separate their phases.
const phaseMark = "*"

func parseText(r *bufio.Reader, rec *recorder) error {
	keys := numberText(rec)
	in := lines{r: r}
	return in.each(func(line []byte) error {
		if bytes.IndexByte(line, 0) >= 0 {
			return in.fault("holds a zero byte, so the file is no text")
		}
		return keys.request(line)
	})
}

func parseLIRS(r *bufio.Reader, rec *recorder) error {
	keys := number[uint64](rec)
	in := lines{r: r}
	return in.each(func(line []byte) error {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || string(line) == phaseMark {
			return nil
		}
		key, ok := decimal(line)
		if !ok {
			return in.fault("is no decimal key: %s", excerpt(line))
		}
		return keys.request(key)
	})
}
