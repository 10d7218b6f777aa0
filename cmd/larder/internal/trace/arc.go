package trace

import (
	"bufio"
	"bytes"
	"math"
)

// maxRun bounds the keys that one ARC line may stand for, so that a few bytes
// cannot ask for a whole memory full of requests.
const maxRun = 1 << 16

func parseARC(r *bufio.Reader, rec *recorder) error {
	keys := number[uint64](rec)
	in := lines{r: r}
	return in.each(func(line []byte) error {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return nil
		}
		start, count, ok := arcLine(line)
		switch {
		case !ok:
			return in.fault("is not \"start count ignored sequence\": %s", excerpt(line))
		case count > maxRun:
			return in.fault("asks for %d keys, more than %d a line", count, maxRun)
		case count > 0 && start > math.MaxUint64-(count-1):
			return in.fault("runs past the highest 64-bit key: %s", excerpt(line))
		}
		for i := range count {
			if err := keys.request(start + i); err != nil {
				return err
			}
		}
		return nil
	})
}

// arcLine takes apart a line of four decimal numbers.
func arcLine(line []byte) (start, count uint64, ok bool) {
	var n [4]uint64
	i := 0
	for field := range bytes.FieldsSeq(line) {
		if i == len(n) {
			return 0, 0, false
		}
		if n[i], ok = decimal(field); !ok {
			return 0, 0, false
		}
		i++
	}
	return n[0], n[1], i == len(n)
}
