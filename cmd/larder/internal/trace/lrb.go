package trace

import (
	"bufio"
	"bytes"
)

// parseLRB reads "time id size" a line, all numbers, and passes over what
// follows. It does not say what times are counted in.
func parseLRB(r *bufio.Reader, rec *recorder) error {
	rec.timed = true
	keys := number[uint64](rec)
	in := lines{r: r}
	var clock clock
	return in.each(func(line []byte) error {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return nil
		}
		n, fields := lrbLine(line)
		if fields < 3 {
			return in.fault("is not \"time id size\" in numbers: %s", excerpt(line))
		}
		return keys.detailed(n[1], detail{at: clock.seconds(rec, n[0]), size: n[2]})
	})
}

// lrbLine returns the first three numbers of a line and how many there are in
// all, 0 if something is no number.
func lrbLine(line []byte) (n [3]uint64, fields int) {
	for field := range bytes.FieldsSeq(line) {
		x, ok := decimal(field)
		if !ok {
			return n, 0
		}
		if fields < len(n) {
			n[fields] = x
		}
		fields++
	}
	return n, fields
}
