package trace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// scatter maps small keys to what looks like random ones.
func scatter(k uint64) uint64 { return (k + 1) * 0x9e3779b97f4a7c15 }

func words32(keys []uint64, f func(uint64) uint32) []byte {
	var b []byte
	for _, k := range keys {
		b = binary.BigEndian.AppendUint32(b, f(k))
	}
	return b
}

func words64(keys []uint64, f func(uint64) uint64) []byte {
	var b []byte
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, f(k))
	}
	return b
}

func textLines(keys []uint64, format string) []byte {
	var b []byte
	for _, k := range keys {
		b = fmt.Appendf(b, format, k)
	}
	return b
}

func TestRecogniseEveryFormat(t *testing.T) {
	r := newRand(t)
	keys := randomKeys(r, 60_000, 9_000)
	keys[0] = 0 // scattered, it cannot begin like a known magic
	loop := make([]uint64, 40_000)
	for i := range loop {
		loop[i] = uint64(i % 1_000)
	}
	var compact bytes.Buffer
	if err := WriteCompact(&compact, renumber(keys)); err != nil {
		t.Fatal(err)
	}
	narrow := func(k uint64) uint32 { return uint32(k) }
	narrowScattered := func(k uint64) uint32 { return uint32(scatter(k) >> 32) }
	wide := func(k uint64) uint64 { return k }
	stamped := func(k uint64) uint64 { return 0x18c<<32 | scatter(k)>>32 }
	for _, c := range []struct {
		name string
		data []byte
		want Format
		keys []uint64
	}{
		{"arc", textLines(keys, "%d 1 0 7\n"), ARC, keys},
		{"arc crlf", textLines(keys, "%d\t1 0 7\r\n"), ARC, keys},
		{"lirs", textLines(keys, "%d\n"), LIRS, keys},
		{"lirs crlf", append([]byte("*\r\n\r\n"), textLines(keys, "%d\r\n")...), LIRS, keys},
		{"text", textLines(keys, "user:%d\n"), Text, keys},
		{"text beyond ascii", textLines(keys, "größe☃😀%d\n"), Text, keys},
		{"text with mark", append([]byte("\xef\xbb\xbf"), textLines(keys, "k %d\n")...), Text, keys},
		{"negative numbers", textLines(keys, "-%d\n"), Text, keys},
		{"compact", compact.Bytes(), Compact, keys},
		{"cache2k", words32(keys, narrow), Cache2k, keys},
		{"cache2k loop", words32(loop, narrow), Cache2k, loop},
		{"cache2k scattered", words32(keys, narrowScattered), Cache2k, keys},
		{"cache2k short", words32(keys[:17], narrow), Cache2k, keys[:17]},
		{"corda", words64(keys, scatter), Corda, keys},
		{"corda small", words64(keys, wide), Corda, keys},
		{"corda loop", words64(loop, wide), Corda, loop},
		{"corda few keys", words64(randomKeys(rand.New(rand.NewPCG(1, 1)), 500, 5), wide), Corda,
			randomKeys(rand.New(rand.NewPCG(1, 1)), 500, 5)},
		{"corda stamps", words64(keys, stamped), Corda, keys},
		{"corda short", words64([]uint64{1, 2, 3, 1, 2}, wide), Corda, []uint64{1, 2, 3, 1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, err := readBytes(c.data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if tr.Format != c.want {
				t.Fatalf("recognised as %s, want %s", tr.Format, c.want)
			}
			checkTrace(t, tr, renumber(c.keys))
			if tr, err = readBytes(c.data, Options{Format: c.want}); err != nil {
				t.Fatal(err)
			}
			checkTrace(t, tr, renumber(c.keys))
		})
	}
}

func TestRecogniseRefusesNoise(t *testing.T) {
	r := newRand(t)
	for _, n := range []int{64, 1 << 12, 1 << 20} {
		noise := make([]byte, n)
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		copy(noise, "\xc0\xc1\x9d\x03") // neither a known magic nor a compact trace
		_, err := readBytes(noise, Options{})
		checkFault(t, err, "no format known")
	}
}

func TestRecogniseBrokenCompact(t *testing.T) {
	ids := renumber(randomKeys(newRand(t), 5_000, 100))
	var buf bytes.Buffer
	if err := WriteCompact(&buf, ids); err != nil {
		t.Fatal(err)
	}
	whole := buf.Bytes()
	_, err := readBytes(whole[:len(whole)/2], Options{})
	checkFault(t, err, "truncated", "of 5000 requests")
	_, err = readBytes(append(bytes.Clone(whole), 1), Options{})
	checkFault(t, err, "goes on after the 5000")
	broken := bytes.Clone(whole)
	broken[4_000] = 0x7f
	_, err = readBytes(broken, Options{})
	checkFault(t, err, "is corrupt: request 3999 names id 126")
}

func TestTextKeysKeepTheirSpaces(t *testing.T) {
	tr, err := readBytes([]byte("a\n a\na \n\na\r\nb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, tr, []uint32{0, 1, 2, 0, 3})
}

func TestARCExpandsRuns(t *testing.T) {
	tr, err := readBytes([]byte("10 3 0 1\n11 2 0 2\n9 0 0 3\n18446744073709551615 1 0 4\n10 1 0 5"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, tr, []uint32{0, 1, 2, 1, 2, 3, 0})
}

func TestLIRSNumbersByValue(t *testing.T) {
	tr, err := readBytes([]byte(strings.Repeat("7\n", 30)+"007\n 8 \n*\n8\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, tr, append(make([]uint32, 31), 1, 1))
}

func TestWriteCompactRefusesOtherNumbering(t *testing.T) {
	var buf bytes.Buffer
	if err := WriteCompact(&buf, []uint32{0, 2}); err == nil {
		t.Fatal("ids out of order were written")
	}
}
