package trace

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// samples are the traces in testdata/samples, all made up, and what is in them.
var samples = []struct {
	file   string
	format Format
	ids    []uint32
	times  []uint32
	sizes  []uint32
	ttls   []uint32
	ops    []Op
	doubts []string // parts of them, in order
}{
	{
		file: "twitter.csv", format: Twitter,
		ids:   []uint32{0, 1, 1, 2, 0, 0},
		times: []uint32{0, 0, 1, 2, 2, 5},
		sizes: []uint32{107, 7, 257, 57, 107, 11},
		ttls:  []uint32{0, 0, 3600, 60, 0, 0},
		ops:   []Op{Read, Read, Write, Write, Delete, Write},
	},
	{
		file: "cachelib.csv", format: CacheLib,
		ids:   []uint32{0, 0, 1, 0, 1},
		times: []uint32{0, 0, 1, 3, 9},
		sizes: []uint32{16, 16, 516, 100, 16},
		ttls:  []uint32{0, 0, 300, 0, 0},
		ops:   []Op{Read, Read, Write, Read, Delete},
	},
	{
		file: "libcachesim.csv", format: CSV,
		ids:   []uint32{0, 1, 0},
		times: []uint32{0, 0, 1},
		sizes: []uint32{512, 512, 4096},
		ops:   []Op{Write, Read, Read},
	},
	{
		file: "guessed.csv", format: CSV,
		ids:    []uint32{0, 1, 0},
		times:  []uint32{0, 1, 1},
		sizes:  []uint32{3, 4, 3},
		doubts: []string{"the second one is taken"},
	},
	{
		file: "wikibench.txt", format: WikiBench,
		ids:    []uint32{0, 1, 0, 0},
		times:  []uint32{0, 2, 3, 4},
		ops:    []Op{Read, Read, Write, Read},
		doubts: []string{"2 of its lines are left out"},
	},
	{file: "lrb3.tr", format: LRB, ids: []uint32{0, 1, 0}, times: []uint32{0, 0, 3}, sizes: []uint32{4096, 10, 4096}},
	{
		file: "lrb4.tr", format: LRB,
		ids:    []uint32{0, 1, 2, 0, 0, 3, 3, 1},
		times:  []uint32{0, 1, 1, 2, 2, 3, 4, 5},
		sizes:  []uint32{4096, 10, 10, 4096, 4096, 7, 7, 10},
		doubts: []string{"--format arc"},
	},
	{
		file: "monitor.txt", format: Monitor,
		ids:    []uint32{0, 0, 0, 1, 2, 3, 1, 4, 4, 0, 1, 4, 4},
		times:  []uint32{0, 0, 1, 1, 1, 2, 2, 3, 5, 6, 6, 7, 7},
		sizes:  []uint32{16, 16, 16, 9, 0, 17, 9, 0, 0, 16, 9, 0, 0},
		ttls:   []uint32{0, 60, 0, 0, 0, 30, 2, 90, 0, 0, 0, 0, 0},
		ops:    []Op{Read, Write, Read, Read, Read, Write, Write, Write, Read, Delete, Delete, Read, Delete},
		doubts: []string{"last line is cut off", "1 of its commands are no requests of keys and left out: PING 1"},
	},
	{file: "oracle.bin", format: Oracle, ids: []uint32{0, 1, 0}, times: []uint32{0, 0, 2}, sizes: []uint32{100, 200, 100}},
	{
		file: "twr.bin", format: Twr,
		ids:    []uint32{0, 1, 1, 0, 0, 2, 2, 0},
		times:  []uint32{0, 0, 1, 2, 2, 3, 4, 4},
		sizes:  []uint32{110, 10, 260, 110, 110, 13, 17, 100},
		ttls:   []uint32{0, 0, 3600, 0, 0, 0, 0, 86400},
		ops:    []Op{Read, Read, Write, Delete, Read, Read, Write, Write},
		doubts: []string{"too short to be sure"},
	},
	{file: "v1.lcs", format: LCS, ids: []uint32{0, 1, 0}, times: []uint32{0, 0, 2}, sizes: []uint32{100, 200, 100}},
	{
		file: "v2.lcs", format: LCS,
		ids:   []uint32{0, 1, 0},
		times: []uint32{0, 0, 2},
		sizes: []uint32{100, 200, 100},
		ops:   []Op{Read, Write, Delete},
	},
	{
		file: "v3.lcs", format: LCS,
		ids:    []uint32{0, 1, 0},
		times:  []uint32{0, 0, 2},
		sizes:  []uint32{100, 1<<32 - 1, 100},
		ttls:   []uint32{0, 60, 0},
		ops:    []Op{Read, Write, Read},
		doubts: []string{"speaks of 4 requests, but there are 3"},
	},
}

func TestSamplesAreReadWhole(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*")
	if err != nil || len(files) != len(samples) {
		t.Errorf("%d files for %d samples, %v", len(files), len(samples), err)
	}
	for _, s := range samples {
		t.Run(s.file, func(t *testing.T) {
			tr, err := Open(t.Context(), filepath.Join("testdata/samples", s.file), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if tr.Format != s.format {
				t.Errorf("recognised as %s, want %s", tr.Format, s.format)
			}
			checkTrace(t, tr, s.ids)
			checkColumn(t, "times", tr.Times, s.times)
			checkColumn(t, "sizes", tr.Sizes, s.sizes)
			checkColumn(t, "TTLs", tr.TTLs, s.ttls)
			checkColumn(t, "operations", tr.Ops, s.ops)
			if guess := s.file == "lrb4.tr" || s.file == "twr.bin"; tr.Guessed != guess {
				t.Errorf("guessed is %t, want %t", tr.Guessed, guess)
			}
			if len(tr.Doubts) != len(s.doubts) {
				t.Fatalf("doubts are %q, want %q", tr.Doubts, s.doubts)
			}
			for i, part := range s.doubts {
				if !strings.Contains(tr.Doubts[i], part) {
					t.Errorf("doubt %q does not say %q", tr.Doubts[i], part)
				}
			}
		})
	}
}

func checkColumn[T comparable](t *testing.T, name string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) || (got == nil) != (want == nil) {
		t.Errorf("%s are %v, want %v", name, got, want)
	}
}

func readSample(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/samples", file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFormatsOfFewWordsAreDoubted(t *testing.T) {
	keys := randomKeys(newRand(t), 60_000, 9_000)
	for f, data := range map[Format][]byte{
		Cache2k: words32(keys, func(k uint64) uint32 { return uint32(k) }),
		Corda:   words64(keys, func(k uint64) uint64 { return k }),
	} {
		tr, err := readBytes(data, Options{})
		if err != nil || len(tr.Doubts) != 1 || !strings.Contains(tr.Doubts[0], string(f)+" is a guess") {
			t.Errorf("%s: %v, doubts %q", f, err, tr.Doubts)
		}
		if tr, err = readBytes(data, Options{Format: f}); err != nil || len(tr.Doubts) > 0 {
			t.Errorf("%s, when named: %v, doubts %q", f, err, tr.Doubts)
		}
	}
}

func TestFourNumbersWithoutARiseAreARC(t *testing.T) {
	for name, format := range map[string]string{"third zero": "%[1]d 1 0 7\n", "first falls": "%[2]d 1 5 7\n"} {
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, format, i, 20-i)
		}
		if tr, err := readBytes([]byte(b.String()), Options{}); err != nil || tr.Format != ARC || len(tr.Doubts) > 0 {
			t.Errorf("%s: %+v, %v", name, tr, err)
		}
	}
}

func TestFewOrOddLinesAreOfNoOtherFormat(t *testing.T) {
	for text, want := range map[string]Format{
		"1 2 3 4\n2 2 3 4\n":              ARC, // too few to see that the first rises
		"time,id\nhello\n":                Text,
		"OK\n1.5 [0 a:1] \"GET\" \"k\"\n": Monitor,
		"a [0 b] \"c\"\n":                 Text,
		"1,k,1,2,3,fly,0\n":               Text,
	} {
		if tr, err := readBytes([]byte(text), Options{}); err != nil || tr.Format != want {
			t.Errorf("%q is %+v, %v, want %s", text, tr, err, want)
		}
	}
}

func TestRecordsWhoseTimesFallAreNotRecognised(t *testing.T) {
	oracle, twr := readSample(t, "oracle.bin"), readSample(t, "twr.bin")
	if is, _ := isTwr(twr); !is || !isOracle(oracle) {
		t.Fatal("the samples are not recognised")
	}
	oracle[0], twr[0] = 200, 200
	if is, _ := isTwr(twr); is || isOracle(oracle) {
		t.Error("records are recognised whose first time is after the second")
	}
}

func TestTimesNeverFall(t *testing.T) {
	tr, err := readBytes([]byte("time,id\n10,a\n12,b\n11,a\n9,a\n15,b\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkColumn(t, "times", tr.Times, []uint32{0, 2, 2, 2, 5})
	if len(tr.Doubts) != 1 || !strings.Contains(tr.Doubts[0], "2 of its times") {
		t.Errorf("doubts are %q", tr.Doubts)
	}
	if tr, err = readBytes([]byte("time,id\n10,a\n9,b\n"), Options{}); err != nil || len(tr.Doubts) != 1 {
		t.Errorf("before the first: %+v, %v", tr, err)
	}
}

func TestUnitsOfTimeByTheirSize(t *testing.T) {
	for unit, zeros := range map[string]string{"": "", "milliseconds": "000", "microseconds": "000000", "nanoseconds": "000000000"} {
		text := strings.ReplaceAll("time,id\n1700000000Z,a\n1700000007Z,a\n", "Z", zeros)
		tr, err := readBytes([]byte(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkColumn(t, "times", tr.Times, []uint32{0, 7})
		if said := strings.Join(tr.Doubts, ""); (said == "") != (unit == "") || !strings.Contains(said, unit) {
			t.Errorf("%s: doubts are %q", unit, tr.Doubts)
		}
	}
}

func TestOtherNamesOfFormats(t *testing.T) {
	for name, want := range map[string]Format{"scarab": Corda, "oraclegeneral": Oracle, "oracleGeneral": Oracle, "twrbin": Twr} {
		if f, err := ParseFormat(name); f != want || err != nil {
			t.Errorf("%s is %s, %v", name, f, err)
		}
	}
}
