package trace

import (
	"bufio"
	"bytes"
	"io"
)

// phaseMark is the line by which LIRS traces separate their phases.
const phaseMark = "*"

func parseText(r *bufio.Reader, rec *recorder) error {
	keys := numberText(rec)
	in := lines{r: r}
	for {
		line, err := in.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if bytes.IndexByte(line, 0) >= 0 {
			return in.fault("holds a zero byte, so the file is no text")
		}
		if err := keys.request(line); err != nil {
			return err
		}
	}
}

func parseLIRS(r *bufio.Reader, rec *recorder) error {
	keys := number[uint64](rec)
	in := lines{r: r}
	for {
		line, err := in.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || string(line) == phaseMark {
			continue
		}
		key, ok := decimal(line)
		if !ok {
			return in.fault("is no decimal key: %s", excerpt(line))
		}
		if err := keys.request(key); err != nil {
			return err
		}
	}
}
