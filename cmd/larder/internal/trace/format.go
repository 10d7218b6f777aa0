package trace

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
)

// Format names a trace format.
type Format string

// The formats a trace can be read in.
const (
	// Auto recognises the format by content.
	Auto Format = "auto"
	// ARC is text, "start count ignored sequence" a line, which stands for
	// requests of the keys start to start+count-1.
	ARC Format = "arc"
	// LIRS is text, one decimal key a line. Empty lines are skipped; a line
	// "*" marks a phase and is no request.
	LIRS Format = "lirs"
	// Text is one key a line, any text. Empty lines are skipped.
	Text Format = "text"
	// Cache2k is big-endian 32-bit keys without a header.
	Cache2k Format = "cache2k"
	// Corda is big-endian 64-bit keys without a header. Traces of Scarab are the
	// same.
	Corda Format = "corda"
	// Compact is unsigned varints: the number of requests, then for each
	// request 0 for a key not seen before or 1 plus the id of a known one.
	Compact Format = "compact"
	// Larder is our own: varints of all columns, with a header and a checksum.
	Larder Format = "larder"
	// Twitter is CSV without a header of the requests of memcached clusters.
	Twitter Format = "twitter"
	// CacheLib is CSV whose header has the columns key, op and size, and perhaps
	// op_count, key_size, ttl and op_time.
	CacheLib Format = "cachelib"
	// CSV is CSV with any other header.
	CSV Format = "csv"
	// Oracle is oracleGeneral of libCacheSim, records of 24 bytes.
	Oracle Format = "oracleGeneral"
	// Twr is twrBin of libCacheSim, records of 20 bytes.
	Twr Format = "twrBin"
	// LCS is the format lcs of libCacheSim, with a header that has a version.
	LCS Format = "lcs"
	// WikiBench is text, "counter unix-time URL flag" a line.
	WikiBench Format = "wikibench"
	// LRB is text, "time id size" and perhaps more numbers a line.
	LRB Format = "lrb"
	// Monitor is what the command MONITOR of Redis shows.
	Monitor Format = "monitor"
)

// otherNames are names of formats that are the same as others.
var otherNames = map[Format]Format{"scarab": Corda, "oraclegeneral": Oracle, "twrbin": Twr}

var formats = []Format{
	Larder, ARC, LIRS, Text, Cache2k, Corda, Compact, Twitter, CacheLib, CSV, Oracle, Twr, LCS, WikiBench, LRB, Monitor,
}

var parsers = map[Format]func(*bufio.Reader, *recorder) error{
	ARC:       parseARC,
	LIRS:      parseLIRS,
	Text:      parseText,
	Cache2k:   parseCache2k,
	Corda:     parseCorda,
	Compact:   parseCompact,
	Larder:    parseLarder,
	Twitter:   parseTwitter,
	CacheLib:  parseCSV,
	CSV:       parseCSV,
	Oracle:    parseOracle,
	Twr:       parseTwr,
	LCS:       parseLCS,
	WikiBench: parseWikiBench,
	LRB:       parseLRB,
	Monitor:   parseMonitor,
}

// Formats lists every format by name, Auto first.
func Formats() []Format {
	return append([]Format{Auto}, formats...)
}

// FormatNames lists the names of Formats for a message.
func FormatNames() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// ParseFormat returns the format called name.
func ParseFormat(name string) (Format, error) {
	f := Format(name)
	if same, ok := otherNames[f]; ok {
		f = same
	}
	if slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q; use one of %s", name, FormatNames())
}
