package trace

import (
	"bytes"
	"math"
)

// cut splits a line at every sep into fields, which it appends to into.
func cut(into [][]byte, line []byte, sep byte) [][]byte {
	for {
		i := bytes.IndexByte(line, sep)
		if i < 0 {
			return append(into, line)
		}
		into = append(into, line[:i])
		line = line[i+1:]
	}
}

// seconds reads a number of seconds with or without a fraction, which is cut
// off.
func seconds(s []byte) (uint64, bool) {
	whole, fraction, dot := bytes.Cut(s, []byte("."))
	if dot {
		for _, c := range fraction {
			if c < '0' || c > '9' {
				return 0, false
			}
		}
	}
	return decimal(whole)
}

// clock turns the times of a trace that does not say what they are counted in
// into seconds. The first time decides: as a number of seconds since 1970 those
// below 10^11 lie within the next three thousand years, and so on.
type clock struct {
	known bool
	per   uint64 // of what the trace counts in a second
}

var clockUnits = []struct {
	least uint64
	per   uint64
	name  string
}{
	{1e17, 1e9, "nanoseconds"},
	{1e14, 1e6, "microseconds"},
	{1e11, 1e3, "milliseconds"},
	{0, 1, "seconds"},
}

func (c *clock) seconds(rec *recorder, at uint64) uint64 {
	if !c.known {
		for _, u := range clockUnits {
			if at < u.least {
				continue
			}
			c.known, c.per = true, u.per
			if u.per > 1 {
				rec.doubt("its times look like %s and are read as such", u.name)
			}
			break
		}
	}
	return at / c.per
}

// sum adds sizes without a carry over 64 bits.
func sum(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}
