package trace

import (
	"bytes"
	"encoding/binary"
	"slices"
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
	var again bytes.Buffer
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
	checkColumns(t, tr)
	if err := Encode(&again, tr, Larder, Plain); err != nil {
		t.Fatal(err)
	}
	o.Format, o.MaxBytes = Larder, 0
	back, err := readBytes(again.Bytes(), o)
	if err != nil {
		t.Fatal(err)
	}
	sameColumns(t, back, tr, hasOps|hasTimes|hasSizes|hasTTLs)
	again.Reset()
	if err := WriteCompact(&again, tr.IDs); err != nil {
		t.Fatal(err)
	}
	o.Format, o.MaxBytes = Compact, 0
	if back, err = readBytes(again.Bytes(), o); err != nil {
		t.Fatal(err)
	}
	checkTrace(t, back, tr.IDs)
}

// checkColumns requires columns that are nil or as long as the trace, and have
// something in them.
func checkColumns(t *testing.T, tr *Trace) {
	t.Helper()
	for name, c := range map[string][]uint32{"times": tr.Times, "sizes": tr.Sizes, "TTLs": tr.TTLs} {
		if c != nil && len(c) != len(tr.IDs) {
			t.Fatalf("%d %s of %d requests", len(c), name, len(tr.IDs))
		}
	}
	if tr.Ops != nil && (len(tr.Ops) != len(tr.IDs) || slices.Max(tr.Ops) == Read) {
		t.Fatalf("%d operations of %d requests", len(tr.Ops), len(tr.IDs))
	}
	if tr.Times != nil && (tr.Times[0] != 0 || !slices.IsSorted(tr.Times)) {
		t.Fatalf("times are %d", tr.Times)
	}
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

// fuzzSamples fuzzes a format from its samples and more seeds.
func fuzzSamples(f *testing.F, format Format, seeds ...string) {
	for _, s := range samples {
		if s.format == format {
			seeds = append(seeds, string(readSample(f, s.file)))
		}
	}
	fuzzFormat(f, format, seeds...)
}

func FuzzTwitter(f *testing.F) { fuzzSamples(f, Twitter, "1,,,,,,\n", ",,,get,0\n") }

func FuzzCSV(f *testing.F) {
	fuzzSamples(f, CSV, "time\tid\top\n1\ta\tget\n", "id;size\n\"a\";\n", "key,op,size,op_count\na,GET,1,65536\n")
}

func FuzzOracle(f *testing.F) { fuzzSamples(f, Oracle) }

func FuzzTwr(f *testing.F) { fuzzSamples(f, Twr) }

// FuzzLCS fuzzes what is between the ends of the header and behind it, as the engine is
// slow with inputs of the size of a header.
func FuzzLCS(f *testing.F) {
	for _, s := range samples {
		if s.format == LCS {
			data := readSample(f, s.file)
			long := data[1016] == 0
			size := lcsHeaders[0]
			if long {
				size = lcsHeaders[1]
			}
			f.Add(data[8:136], data[size:], long)
		}
	}
	f.Fuzz(func(t *testing.T, head, rest []byte, long bool) {
		data := make([]byte, lcsHeaders[0])
		if long {
			data = make([]byte, lcsHeaders[1])
		}
		copy(data, lcsMagic)
		copy(data[8:], head[:min(len(head), 512)])
		copy(data[len(data)-len(lcsMagic):], lcsMagic)
		checkRead(t, append(data, rest...), LCS)
	})
}

func FuzzWikiBench(f *testing.F) { fuzzSamples(f, WikiBench, "1 2 :// -", "1 2  save") }

func FuzzLRB(f *testing.F) { fuzzSamples(f, LRB, "1 2 18446744073709551615 4 5 6") }

func FuzzMonitor(f *testing.F) {
	fuzzSamples(f, Monitor, `1.5 [0 a] "SET" "k" "v" "PXAT" "18446744073709551615"`, `1 [9 lua] "MSET" "" ""`, "OK\n\n1 [0 a]")
}

func FuzzLarder(f *testing.F) {
	all := &Trace{IDs: []uint32{0, 1, 0}, Unique: 2, Times: []uint32{0, 1, 2}, Sizes: []uint32{1, 2, 1}, TTLs: []uint32{0, 9, 0}, Ops: []Op{Read, Write, Delete}}
	var b bytes.Buffer
	for _, tr := range []*Trace{all, {IDs: all.IDs, Unique: 2}} {
		if err := Encode(&b, tr, Larder, Plain); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
		b = bytes.Buffer{}
	}
	fuzzFormat(f, Larder, larderMagic+"\x01\x0f\x02\x00", larderMagic+"\x01\x02\x01\x00\xff\xff\xff\xff\x7f")
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
	for _, s := range samples {
		if s.format != LCS { // see FuzzLCS
			f.Add(readSample(f, s.file))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkRead(t, data, Auto) })
}
