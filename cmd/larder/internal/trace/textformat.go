package trace

import "bytes"

// textFormat tells a format by the lines of a sample. The first of these that
// holds decides. Shares are of the lines that are not empty, so that a few broken
// ones become an error of the parser and not another format.
//
//  1. The first line is a header of columns, and the second has as many fields:
//     CacheLib if it names key, op and size, else CSV.
//  2. Monitor: half begin with a time, a bracket and a number.
//  3. Twitter: nineteen in twenty have seven fields, with numbers and an operation
//     where they should be.
//  4. WikiBench: half are a number, a time, anything, and "-" or "save".
//  5. LRB: nineteen in twenty are three numbers, or four of which the first never
//     falls and the third is not always zero. The other lines of four numbers are
//     those of ARC, where the third is.
//  6. ARC: half are four numbers.
//  7. LIRS: nineteen in twenty are a number or "*".
//  8. All else is Text, one key a line.
func textFormat(s []byte, whole bool) (f Format, doubt string) {
	s = bytes.TrimPrefix(s, byteOrderMark)
	if end := bytes.LastIndexByte(s, '\n'); !whole && end >= 0 {
		s = s[:end]
	}
	if f, ok := headerFormat(s); ok {
		return f, ""
	}
	var c lineCounts
	for line := range bytes.Lines(s) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			c.add(line)
		}
	}
	most := func(n int) bool { return c.all > 0 && n*20 >= c.all*19 }
	half := func(n int) bool { return n > 0 && n*2 >= c.all }
	switch {
	case half(c.monitor):
		return Monitor, ""
	case most(c.twitter):
		return Twitter, ""
	case half(c.wiki):
		return WikiBench, ""
	case most(c.three):
		return LRB, ""
	case most(c.arc) && c.all >= leastLRB && !c.falls && c.thirds > 0:
		return LRB, "its lines are four numbers: lrb is a guess, and --format arc the other possibility"
	case half(c.arc):
		return ARC, ""
	case most(c.lirs):
		return LIRS, ""
	}
	return Text, ""
}

// leastLRB is the number of lines below which a first column that rises says
// nothing.
const leastLRB = 8

// lineCounts are the lines of each kind.
type lineCounts struct {
	all, monitor, twitter, wiki, three, arc, lirs int

	first  uint64 // the first number of the line of numbers before
	falls  bool   // whether that was ever more than the next
	thirds int    // lines of four numbers of which the third is not 0
}

func (c *lineCounts) add(line []byte) {
	c.all++
	if isMonitorLine(line) {
		c.monitor++
	} else if _, _, ok := twitterLine(line); ok {
		c.twitter++
	} else if _, _, ok := wikiLine(line); ok {
		c.wiki++
	} else if string(line) == phaseMark {
		c.lirs++
	}
	n, fields := lrbLine(line)
	switch fields {
	case 1:
		c.lirs++
	case 3:
		c.three++
	case 4:
		c.arc++
		if c.falls = c.falls || n[0] < c.first; n[2] != 0 {
			c.thirds++
		}
		c.first = n[0]
	}
}

// isMonitorLine says whether a line begins as `1700000000.123456 [0 client] "`.
func isMonitorLine(line []byte) bool {
	at, rest, ok := bytes.Cut(line, []byte(" ["))
	if !ok || !isNumber(at) {
		return false
	}
	database, rest, ok := bytes.Cut(rest, []byte(" "))
	if _, number := decimal(database); !ok || !number {
		return false
	}
	_, _, ok = bytes.Cut(rest, []byte(`] "`))
	return ok
}

// headerFormat tells whether the text begins with a header of columns.
func headerFormat(s []byte) (f Format, ok bool) {
	head, rest, _ := bytes.Cut(bytes.TrimLeft(s, "\r\n"), []byte("\n"))
	c, ok := csvHeader(head)
	if !ok {
		return "", false
	}
	second, _, _ := bytes.Cut(bytes.TrimLeft(rest, "\r\n"), []byte("\n"))
	if len(second) > 0 && bytes.Count(second, []byte{c.separator}) != c.fields-1 {
		return "", false
	}
	if c.cacheLib() {
		return CacheLib, true
	}
	return CSV, true
}
