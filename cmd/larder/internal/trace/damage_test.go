package trace

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestFaultsNameTheirPlace(t *testing.T) {
	twr := readSample(t, "twr.bin")
	oracle := readSample(t, "oracle.bin")
	v1, v2 := readSample(t, "v1.lcs"), readSample(t, "v2.lcs")
	with := func(data []byte, at int, b ...byte) string {
		data = bytes.Clone(data)
		copy(data[at:], b)
		return string(data)
	}
	for _, c := range []struct {
		name   string
		data   string
		format Format
		parts  []string
	}{
		{"twitter field", "1,k,1,2,3,get,0\n1,k,x,2,3,get,0\n", Twitter, []string{"line 2", "1,k,x"}},
		{"twitter operation", "1,k,1,2,3,fly,0\n", Twitter, []string{"line 1", "fly"}},
		{"twitter short", "1,2,3\n", Twitter, []string{"line 1"}},
		{"csv without header", "1,2\n", CSV, []string{"line 1", "no header"}},
		{"csv with strange header", "a,b,c\nx,y,z\n", CSV, []string{"line 1", "no header"}},
		{"csv columns", "time,id\n1,a\n\n1,a,9\n", Auto, []string{"line 4", "3 columns and not 2"}},
		{"csv time", "time,id\n1,a\nx,a\n", Auto, []string{"line 3", "a time"}},
		{"csv no time", "time,id\n,a\n", Auto, []string{"line 2", "a time"}},
		{"csv size", "id,size\na,-5\n", Auto, []string{"line 2", "a size"}},
		{"csv ttl", "id,ttl\na,1h\n", Auto, []string{"line 2", "a TTL"}},
		{"csv operation", "id,op\na,fly\n", Auto, []string{"line 2", "an operation"}},
		{"cachelib repeats", "key,op,size,op_count\na,GET,1,4000000000\n", Auto, []string{"line 2", "4000000000 requests"}},
		{"csv of nothing", "time,id\n", Auto, []string{"holds no request"}},
		{"wikibench", "1 2.5 http://x/y -\n1 2.5 http://x/y ?\n", WikiBench, []string{"line 2"}},
		{"wikibench of nothing", "1 2.5 http://x/w/api.php -\n", Auto, []string{"holds no request"}},
		{"lrb word", "1 2 3\n1 2 x\n", LRB, []string{"line 2"}},
		{"lrb short", "1 2\n", LRB, []string{"line 1"}},
		{"oracle cut", string(oracle[:50]), Auto, []string{"2 bytes into a record of 24", "after 2 requests"}},
		{"twr cut", string(twr[:30]), Twr, []string{"10 bytes into a record of 20"}},
		{"twr operation", with(twr, 39, 99), Twr, []string{"code 99", "request 2", "byte 20"}},
		{"twr operation after the last", with(twr, 39, 15), Twr, []string{"code 15"}},
		{"lcs cut in its header", string(v1[:1000]), Auto, []string{"truncated", "header"}},
		{"lcs cut in a long header", string(v2[:8000]), Auto, []string{"no end"}},
		{"lcs cut", string(v1[:1030]), Auto, []string{"6 bytes into a record of 24"}},
		{"lcs version", with(v1, 8, 9), Auto, []string{"version 9", "1 to 8"}},
		{"lcs version 0", with(v1, 8, 0), Auto, []string{"version 0"}},
		{"lcs of old", with(v1, 8, '<', 'I', 'Q'), Auto, []string{"before version 1"}},
		{"lcs end of header", with(v1, 1016, 0), Auto, []string{"no end"}},
		{"lcs operation", with(v2, 8192+28+16, 77), Auto, []string{"request 2", "byte 8220"}},
		{"lcs of other begin", "abc", LCS, []string{"does not begin"}},
		{"larder of other begin", strings.Repeat("x", 40), Larder, []string{"does not begin"}},
		{"larder version", larderMagic + "\x02\x00\x00", Auto, []string{"version 2"}},
		{"larder columns", larderMagic + "\x01\x10\x00", Auto, []string{"columns"}},
		{"larder huge count", larderMagic + "\x01\x00\xff\xff\xff\xff\xff\xff\x01\x00", Auto, []string{"--max-requests"}},
		{"larder operation", larderMagic + "\x01\x01\x01\x03", Auto, []string{"operation 3"}},
		{"larder id", larderMagic + "\x01\x00\x02\x00\x03", Auto, []string{"request 2 names id 2"}},
		{"larder number", larderMagic + "\x01\x08\x01\x00\xff\xff\xff\xff\xff\x01", Auto, []string{"request 1", "too big"}},
		{"monitor word", "1.5 [0 a:1] \"GET\" \"k\"\n1.5 [0 a:1] \"GET\" k\n", Auto, []string{"line 2", "'k'"}},
		{"monitor quotes", "1.5 [0 a:1] \"GET\" \"k\n1.5 [0 a:1] \"GET\" \"k\"\n", Auto, []string{"line 1", "quotation marks"}},
		{"monitor escape", "1.5 [0 a:1] \"GET\" \"\\q\"\n", Auto, []string{"line 1", "'q' after a backslash"}},
		{"monitor digits", "1.5 [0 a:1] \"GET\" \"\\x0g\"\n", Auto, []string{"line 1", "hexadecimal"}},
		{"monitor time", "1.5 [0 a:1] \"GET\" \"k\"\nnoon [0 a:1] \"GET\" \"k\"\n", Auto, []string{"line 2", "time"}},
		{"monitor time of a far age", "9999999999999.5 [0 a:1] \"GET\" \"k\"\n", Auto, []string{"line 1", "time"}},
		{"monitor database", "1.5 [a:1] \"GET\" \"k\"\n", Monitor, []string{"line 1", "database"}},
		{"monitor client", "1.5 [0 a:1\n\"GET\" \"k\"]\n", Monitor, []string{"line 1", "client"}},
		{"monitor of text", "hello\n", Monitor, []string{"no output of MONITOR"}},
		{"monitor long key", "1.5 [0 a:1] \"GET\" \"" + strings.Repeat("k", 70_000) + "\"\n", Auto, []string{"line 1", "key of more"}},
		{"monitor of nothing", "OK\n1.5 [0 a:1] \"PING\"\n", Auto, []string{"holds no request"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readBytes([]byte(c.data), Options{Format: c.format})
			checkFault(t, err, append(c.parts, "some.trace: ")...)
		})
	}
}

func TestBoundsHoldInEveryFormat(t *testing.T) {
	for _, s := range samples {
		data := readSample(t, s.file)
		tr, err := readBytes(data, Options{MaxRequests: len(s.ids), MaxBytes: int64(len(data))})
		if err != nil {
			t.Errorf("%s at its bounds: %v", s.file, err)
			continue
		}
		checkTrace(t, tr, s.ids)
		_, err = readBytes(data, Options{MaxRequests: len(s.ids) - 1})
		checkFault(t, err, "--max-requests")
		_, err = readBytes(data, Options{MaxBytes: int64(len(data)) - 1})
		checkFault(t, err, "--max-bytes")
	}
}

func TestReadErrorsAreNotEnds(t *testing.T) {
	for _, s := range samples {
		data := readSample(t, s.file)
		for n := 0; n < len(data); n += 1 + len(data)/200 {
			_, err := Parse(t.Context(), "x", &brokenAfter{data: data[:n]}, Options{Format: s.format})
			checkFault(t, err, "cable pulled")
		}
	}
}

type brokenAfter struct{ data []byte }

func (b *brokenAfter) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		return errReader{}.Read(p)
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func TestTimesOfLCSInOtherUnitsAreLeftOut(t *testing.T) {
	data := readSample(t, "v1.lcs")
	binary.LittleEndian.PutUint32(data[lcsTimeUnit:], 2)
	tr, err := readBytes(data, Options{})
	if err != nil || tr.Times != nil || len(tr.Doubts) != 1 || !strings.Contains(tr.Doubts[0], "times") {
		t.Errorf("%+v, %v", tr, err)
	}
}

func TestLCSWithManyFeaturesIsRead(t *testing.T) {
	head := readSample(t, "v3.lcs")[:8192]
	for v := 3; v <= len(lcsVersions); v++ {
		data := bytes.Clone(head)
		data[lcsVersion], data[lcsRequests] = byte(v), 2
		for range 2 {
			record := make([]byte, lcsVersions[v-1])
			record[4], record[12], record[20], record[24] = 7, 100, 3, 60
			data = append(data, record...)
		}
		tr, err := readBytes(data, Options{})
		if err != nil || len(tr.Doubts) > 0 {
			t.Fatalf("version %d: %v, %q", v, err, tr.Doubts)
		}
		checkTrace(t, tr, []uint32{0, 0})
		checkColumn(t, "sizes", tr.Sizes, []uint32{100, 100})
		checkColumn(t, "TTLs", tr.TTLs, []uint32{60, 60})
		checkColumn(t, "operations", tr.Ops, []Op{Write, Write})
	}
}
