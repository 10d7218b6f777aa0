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
	// Corda is big-endian 64-bit keys without a header.
	Corda Format = "corda"
	// Compact is unsigned varints: the number of requests, then for each
	// request 0 for a key not seen before or 1 plus the id of a known one.
	Compact Format = "compact"
)

var formats = []Format{ARC, LIRS, Text, Cache2k, Corda, Compact}

var parsers = map[Format]func(*bufio.Reader, *recorder) error{
	ARC:     parseARC,
	LIRS:    parseLIRS,
	Text:    parseText,
	Cache2k: parseCache2k,
	Corda:   parseCorda,
	Compact: parseCompact,
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
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q; use one of %s", name, FormatNames())
}
