package trace

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomTrace has the columns of the bits of the format larder.
func randomTrace(r *rand.Rand, n, unique int, columns byte) *Trace {
	t := &Trace{IDs: renumber(randomKeys(r, n, unique))}
	t.Unique = int(slices.Max(t.IDs)) + 1
	number := func(bit byte, f func(i int) uint32) []uint32 {
		if columns&bit == 0 {
			return nil
		}
		c := make([]uint32, n)
		for i := range c {
			c[i] = f(i)
		}
		c[n-1] = max(c[n-1], 1) // of nothing but zeros would be no column
		return c
	}
	at := uint32(0)
	t.Times = number(hasTimes, func(i int) uint32 {
		if i > 0 {
			at += uint32(r.IntN(3)) * uint32(r.IntN(1000))
		}
		return at
	})
	t.Sizes = number(hasSizes, func(i int) uint32 {
		if r.IntN(4) == 0 {
			return []uint32{0, math.MaxUint32, r.Uint32()}[r.IntN(3)]
		}
		return t.IDs[i] * 7
	})
	t.TTLs = number(hasTTLs, func(int) uint32 { return []uint32{0, 60, math.MaxUint32}[r.IntN(3)] })
	if columns&hasOps != 0 {
		t.Ops = make([]Op, n)
		for i := range t.Ops {
			t.Ops[i] = Op(r.IntN(ops))
		}
		t.Ops[n-1] = Delete
	}
	return t
}

// sameColumns requires of got what a format that keeps the columns has kept.
func sameColumns(t *testing.T, got, want *Trace, keeps byte) {
	t.Helper()
	checkTrace(t, got, want.IDs)
	kept := func(bit byte, column []uint32) []uint32 {
		if keeps&bit == 0 {
			return nil
		}
		return column
	}
	checkColumn(t, "times", got.Times, kept(hasTimes, want.Times))
	checkColumn(t, "sizes", got.Sizes, kept(hasSizes, want.Sizes))
	checkColumn(t, "TTLs", got.TTLs, kept(hasTTLs, want.TTLs))
	if keeps&hasOps == 0 {
		checkColumn(t, "operations", got.Ops, nil)
	} else {
		checkColumn(t, "operations", got.Ops, want.Ops)
	}
}

func TestEncodedTracesAreReadAgain(t *testing.T) {
	r := newRand(t)
	for columns := range byte(2 * hasTTLs) {
		want := randomTrace(r, 1000, 150, columns)
		compressions := []Compression{Plain}
		if columns == 2*hasTTLs-1 {
			compressions = append(compressions, Gzip, XZ, Zstd)
		}
		for _, w := range writables {
			for _, c := range compressions {
				var b bytes.Buffer
				if err := Encode(&b, want, w.format, c); err != nil {
					t.Fatal(err)
				}
				got, err := readBytes(b.Bytes(), Options{})
				if err != nil {
					t.Fatalf("%s in %q with the columns %b: %v", w.format, c, columns, err)
				}
				if got.Format != w.format || got.Compression != c || len(got.Doubts) > 0 {
					t.Errorf("%s in %q is read as %s in %q with the doubts %q", w.format, c, got.Format, got.Compression, got.Doubts)
				}
				if w.format == Oracle {
					checkOracle(t, got, want)
				} else {
					sameColumns(t, got, want, w.keeps)
				}
			}
		}
	}
}

// checkOracle checks what always has times and sizes, of 1 at least.
func checkOracle(t *testing.T, got, want *Trace) {
	t.Helper()
	full := &Trace{IDs: want.IDs, Unique: want.Unique, Times: want.Times, Sizes: make([]uint32, len(want.IDs))}
	for i := range full.Sizes {
		full.Sizes[i] = 1
		if want.Sizes != nil {
			full.Sizes[i] = max(1, want.Sizes[i])
		}
	}
	if full.Times == nil {
		full.Times = make([]uint32, len(want.IDs))
	}
	sameColumns(t, got, full, hasTimes|hasSizes)
}

func TestOracleNamesTheNextRequest(t *testing.T) {
	var b bytes.Buffer
	if err := Encode(&b, &Trace{IDs: []uint32{0, 1, 0, 0}, Unique: 2}, Oracle, Plain); err != nil {
		t.Fatal(err)
	}
	var next []int8
	for i := 16; i < b.Len(); i += oracleSize {
		next = append(next, int8(b.Bytes()[i]))
	}
	if want := []int8{3, -1, 4, -1}; !slices.Equal(next, want) {
		t.Errorf("next requests are %d, want %d", next, want)
	}
}

func TestARCJoinsRuns(t *testing.T) {
	var b bytes.Buffer
	if err := Encode(&b, &Trace{IDs: []uint32{0, 1, 2, 0, 1, 3}, Unique: 4}, ARC, Plain); err != nil {
		t.Fatal(err)
	}
	if want := "0 3 0 0\n0 2 0 1\n3 1 0 2\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestARCCutsLongRuns(t *testing.T) {
	want := make([]uint32, 2*maxRun+5)
	for i := range want {
		want[i] = uint32(i)
	}
	var b bytes.Buffer
	if err := Encode(&b, &Trace{IDs: want, Unique: len(want)}, ARC, Plain); err != nil {
		t.Fatal(err)
	}
	got, err := readBytes(b.Bytes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, got, want)
}

// The bytes of the format are a promise.
func TestLarderFormatStays(t *testing.T) {
	tr := &Trace{
		IDs: []uint32{0, 1, 0}, Unique: 2, Times: []uint32{0, 1, 301}, Sizes: []uint32{5, 0, 5},
		TTLs: []uint32{0, 60, 0}, Ops: []Op{Read, Write, Delete},
	}
	var b bytes.Buffer
	if err := Encode(&b, tr, Larder, Plain); err != nil {
		t.Fatal(err)
	}
	want := "\x00larder\x00trace\x01\x0f\x03" + "\x00\x00\x06\x00" + "\x01\x01\x00\x3c" + "\x06\xac\x02\x00\x00"
	if got := b.String(); got[:len(got)-4] != want {
		t.Errorf("got %q, want %q and four bytes", got, want)
	}
	if got := b.Bytes()[b.Len()-4:]; !bytes.Equal(got, []byte("\xb72\x15\xb0")) {
		t.Errorf("the checksum is %q", got)
	}
}

func TestLarderNoticesDamage(t *testing.T) {
	r := newRand(t)
	var b bytes.Buffer
	want := randomTrace(r, 120, 20, hasOps|hasTimes|hasSizes|hasTTLs)
	if err := Encode(&b, want, Larder, Plain); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	for n := len(larderMagic); n < len(whole); n++ {
		_, err := readBytes(whole[:n], Options{})
		checkFault(t, err, "truncated")
	}
	for i := len(larderMagic); i < len(whole); i++ {
		bad := bytes.Clone(whole)
		bad[i] ^= 1 << r.IntN(8)
		if _, err := readBytes(bad, Options{}); err == nil {
			t.Fatalf("byte %d of %d may be changed", i, len(whole))
		} else {
			checkFault(t, err)
		}
	}
	_, err := readBytes(append(bytes.Clone(whole), 0), Options{})
	checkFault(t, err, "goes on after the 120")
}

func TestLosses(t *testing.T) {
	full := randomTrace(newRand(t), 10, 3, hasOps|hasTimes|hasSizes|hasTTLs)
	for f, want := range map[Format]string{Larder: "", CSV: "", Oracle: "TTLs operations", ARC: "times sizes TTLs operations"} {
		got, err := Losses(full, f)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s loses %q, %v, want %q", f, got, err, want)
		}
	}
	if got, err := Losses(&Trace{IDs: []uint32{0}, Unique: 1}, ARC); err != nil || len(got) > 0 {
		t.Errorf("ids alone lose %q, %v", got, err)
	}
	if _, err := Losses(full, Monitor); err == nil || !strings.Contains(err.Error(), WritableNames()) {
		t.Errorf("the error %v does not list what can be written", err)
	}
}

func TestEncodeReportsErrors(t *testing.T) {
	tr := randomTrace(newRand(t), 20_000, 5_000, hasSizes)
	for _, f := range Writable() {
		for _, c := range []Compression{Plain, Gzip, XZ, Zstd} {
			if err := Encode(fullDisk{}, tr, f, c); !errors.Is(err, errFull) {
				t.Errorf("%s in %q: error is %v", f, c, err)
			}
		}
	}
	for f, c := range map[Format]Compression{Twr: Plain, Larder: "lz4"} {
		if err := Encode(fullDisk{}, tr, f, c); err == nil || errors.Is(err, errFull) {
			t.Errorf("%s in %q: error is %v", f, c, err)
		}
	}
}

var errFull = errors.New("no space left")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }
