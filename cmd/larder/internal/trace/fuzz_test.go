package trace

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// fuzzOptions keep one execution small.
var fuzzOptions = Options{MaxRequests: 1 << 17, MaxBytes: 1 << 20}

// checkRead reads data and requires either a sound trace or a sound error.
func checkRead(t *testing.T, data []byte, f Format) {
	t.Helper()
	o := fuzzOptions
	o.Format = f
	tr, err := readBytes(data, o)
	if err != nil {
		checkFault(t, err, "some.trace: ")
		return
	}
	if len(tr.IDs) == 0 || len(tr.IDs) > o.MaxRequests {
		t.Fatalf("%d requests", len(tr.IDs))
	}
	unique := uint32(0)
	for i, id := range tr.IDs {
		if id > unique {
			t.Fatalf("request %d has id %d before %d", i, id, unique)
		}
		if id == unique {
			unique++
		}
	}
	if tr.Unique != int(unique) {
		t.Fatalf("unique = %d, want %d", tr.Unique, unique)
	}
	var again bytes.Buffer
	if err := WriteCompact(&again, tr.IDs); err != nil {
		t.Fatal(err)
	}
	o.Format, o.MaxBytes = Compact, 0
	back, err := readBytes(again.Bytes(), o)
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, back, tr.IDs)
}

func fuzzFormat(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkRead(t, data, format) })
}

func FuzzARC(f *testing.F) {
	fuzzFormat(f, ARC, "1 2 0 0\n", "5 1 0 9\r\n\r\n7 65536 1 1", "18446744073709551615 9 0 0", "1 2 3\n")
}

func FuzzLIRS(f *testing.F) {
	fuzzFormat(f, LIRS, "1\n2\n*\n1", "0\r\n007\r\n", "99999999999999999999\n", "-1\n")
}

func FuzzText(f *testing.F) {
	fuzzFormat(f, Text, "a\nb\na", "\xef\xbb\xbfx\r\n", "\n\n", "a\x00b\n")
}

func FuzzCache2k(f *testing.F) {
	fuzzFormat(f, Cache2k, "\x00\x00\x00\x01\x00\x00\x00\x02", "abc", "abcdabcd")
}

func FuzzCorda(f *testing.F) {
	fuzzFormat(f, Corda, "abcdefghabcdefgh", "\x00\x00\x00\x00\x00\x00\x00\x01\x00")
}

func FuzzCompact(f *testing.F) {
	fuzzFormat(f, Compact, "\x03\x00\x01\x00", "\x05\x00", "\xff\xff\xff\xff\x0f\x00", "\x02\x00\x05", "\x01\x00\x00")
}

func FuzzRead(f *testing.F) {
	keys := []uint64{1, 2, 3, 1, 2, 3, 4, 5, 1}
	text := textLines(keys, "%d\n")
	for _, c := range []Compression{Plain, Gzip, XZ, Zstd} {
		f.Add(pack(f, c, text))
	}
	f.Add(greedyXZ(pack(f, XZ, text), 12))
	f.Add(textLines(keys, "%d 2 0 0\n"))
	f.Add(textLines(keys, "key %d\n"))
	f.Add(words64(keys, scatter))
	f.Add(words32(keys, func(k uint64) uint32 { return uint32(k) }))
	f.Add(binary.AppendUvarint(nil, 1<<63))
	f.Fuzz(func(t *testing.T, data []byte) { checkRead(t, data, Auto) })
}
