package trace

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// recognise tells the format from the first bytes of a trace; whole says that
// they are all of it. The first of these that holds decides:
//
//  1. Text is valid UTF-8 without control characters but tab, CR and LF. Of
//     its lines half must be four numbers for ARC; nineteen in twenty must be a
//     number or "*" for LIRS; all else is one key a line. A few broken lines
//     thus become an error of the parser and not another format.
//  2. A file of a kind known not to be a trace, such as an archive, is refused.
//  3. Compact announces a count and then never names an id before it appears,
//     which hardly any other bytes do by chance.
//  4. The rest are words of 32 or 64 bits without a header; see wordFormat.
func recognise(sample []byte, whole bool) (Format, error) {
	if isText(sample, whole) {
		return textFormat(sample, whole), nil
	}
	if kind := foreignKind(sample); kind != "" {
		return "", fault("name a trace, or unpack or convert this", "is %s, not a trace", kind)
	}
	if isCompact(sample, whole) {
		return Compact, nil
	}
	if f, ok := wordFormat(sample); ok {
		return f, nil
	}
	return "", fault("name its --format if it is a trace", "is in no format known here")
}

func isText(s []byte, whole bool) bool {
	for _, c := range s {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	if !whole {
		// The sample may end inside a character.
		for range utf8.UTFMax - 1 {
			if r, size := utf8.DecodeLastRune(s); r != utf8.RuneError || size != 1 {
				break
			}
			s = s[:len(s)-1]
		}
	}
	return utf8.Valid(s)
}

func textFormat(s []byte, whole bool) Format {
	s = bytes.TrimPrefix(s, byteOrderMark)
	if end := bytes.LastIndexByte(s, '\n'); !whole && end >= 0 {
		s = s[:end]
	}
	var all, arc, lirs int
	for line := range bytes.Lines(s) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		all++
		if _, _, ok := arcLine(line); ok {
			arc++
		} else if _, ok := decimal(line); ok || string(line) == phaseMark {
			lirs++
		}
	}
	switch {
	case all > 0 && arc*2 >= all:
		return ARC
	case all > 0 && lirs*20 >= all*19:
		return LIRS
	}
	return Text
}

// sureCodes is the number of valid codes in a row after which bytes are a
// Compact trace even if a later one is not valid.
const sureCodes = 32

func isCompact(s []byte, whole bool) bool {
	count, n := binary.Uvarint(s)
	if n <= 0 {
		return false
	}
	s = s[n:]
	if count == 0 {
		return whole && len(s) == 0
	}
	var codes, ids uint64
	for codes < count {
		x, n := binary.Uvarint(s)
		if n == 0 {
			return codes > 0
		}
		if n < 0 || x > ids {
			return codes >= sureCodes
		}
		if x == 0 {
			ids++
		}
		codes++
		s = s[n:]
	}
	return len(s) == 0 || codes >= sureCodes
}

var foreign = []struct {
	offset int
	magic  string
	kind   string
}{
	{0, "PK\x03\x04", "a zip archive"},
	{0, "BZh", "bzip2 data"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{0, "\x04\x22\x4d\x18", "lz4 data"},
	{0, "Rar!", "a rar archive"},
	{0, "PAR1", "a Parquet file"},
	{0, "\x7fELF", "a program"},
	{0, "\x89PNG", "an image"},
	{0, "\xff\xfe", "text in UTF-16"},
	{0, "\xfe\xff", "text in UTF-16"},
	{257, "ustar", "a tar archive"},
}

func foreignKind(s []byte) string {
	if c := compressionOf(s); c != Plain {
		return string(c) + " data inside compressed data"
	}
	for _, f := range foreign {
		if len(s) > f.offset && bytes.HasPrefix(s[f.offset:], []byte(f.magic)) {
			return f.kind
		}
	}
	return ""
}
