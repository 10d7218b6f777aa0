package trace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// recognise tells the format from the first bytes of a trace; whole says that
// they are all of it. A doubt says why the answer may be wrong. The first of
// these that holds decides:
//
//  1. Larder and LCS begin with a magic.
//  2. Text is valid UTF-8 without control characters but tab, CR and LF; see
//     textFormat.
//  3. A file of a kind known not to be a trace, such as an archive, is refused.
//  4. Oracle and Twr are records whose fields hold what they may; see isOracle
//     and isTwr.
//  5. Compact announces a count and then never names an id before it appears,
//     which hardly any other bytes do by chance.
//  6. The rest are words of 32 or 64 bits without a header; see wordFormat.
func recognise(sample []byte, whole bool) (f Format, doubt string, err error) {
	switch {
	case bytes.HasPrefix(sample, []byte(larderMagic)):
		return Larder, "", nil
	case bytes.HasPrefix(sample, []byte(lcsMagic)):
		return LCS, "", nil
	case isText(sample, whole):
		f, doubt = textFormat(sample, whole)
		return f, doubt, nil
	}
	if kind := foreignKind(sample); kind != "" {
		return "", "", fault("name a trace, or unpack or convert this", "is %s, not a trace", kind)
	}
	if isOracle(sample) {
		return Oracle, "", nil
	}
	if is, sure := isTwr(sample); is && sure {
		return Twr, "", nil
	} else if is {
		return Twr, "it is too short to be sure that its format is " + string(Twr), nil
	}
	if isCompact(sample, whole) {
		return Compact, "", nil
	}
	if f, ok := wordFormat(sample); ok {
		other := Cache2k
		if f == Cache2k {
			other = Corda
		}
		return f, fmt.Sprintf("it has no header: %s is a guess, and --format %s the other possibility", f, other), nil
	}
	return "", "", fault("name its --format if it is a trace", "is in no format known here")
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
