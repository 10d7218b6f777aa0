package redisstore

import (
	"bytes"
	"encoding/binary"
	"flag"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

var update = flag.Bool("update", false, "write testdata/wire anew")

func header(kind byte) string { return string(kind) + "0123456789abcdef" }

// samples are the values whose bytes are kept in testdata/wire.
func samples() map[string]*envelope {
	return map[string]*envelope{
		"plain": {codec: 1, schema: 0xcafef00d, fresh: 1_700_000_000_000, expires: 1_700_000_300_000,
			cost: 1500 * time.Microsecond, key: "shop:v:users:42", star: "star-version-16b", payload: `{"Name":"Ada"}`},
		"tagged": {codec: 3, fresh: 1, expires: cache.Forever, key: "shop:v:users:a:b", star: "star-version-16b",
			stamps: []stamp{{"org:acme", "tag-version-16-b"}, {"", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"}}, payload: "x"},
		// 100 bytes as an s2 block.
		"compressed": {method: 1, codec: 4, schema: 7, fresh: 1, expires: 2, key: "shop:v:users:9", star: "star-version-16b",
			payload: "\x64\x00a\xfe\x01\x00\x8a\x01\x00"},
		"compressed-yours": {method: maxMethod, codec: 255, fresh: 1, expires: 2, key: "shop:v:users:9", star: "star-version-16b",
			stamps: []stamp{{"org:acme", "tag-version-16-b"}}, payload: "\xff"},
		"loaded": {codec: 1, schema: 7, fresh: 1_700_000_300_000, expires: 1_700_000_300_000, cost: time.Millisecond,
			loaded: 1_700_000_000_123, key: "shop:v:users:42", star: "star-version-16b", payload: "{}"},
		"sent": {codec: 1, schema: 7, fresh: 1_700_000_300_000, expires: 1_700_000_300_000, cost: time.Millisecond,
			loaded: 1_700_000_000_123, sent: 1_700_000_000_124, key: "shop:v:users:42", star: "star-version-16b", payload: "{}"},
		"absent": {absent: true, codec: 1, fresh: 5, expires: 5, key: "shop:v:users:7", star: "star-version-16b"},
	}
}

func TestWireFormatHasNotChanged(t *testing.T) {
	for name, e := range samples() {
		got := append([]byte(header(kindValue)), e.appendBody(nil)...)
		file := filepath.Join("testdata", "wire", name+".v1")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is written as\n%q, but servers in use hold\n%q", name, got, want)
		}
		back, err := parse(string(want))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e.header = header(kindValue)
		if !reflect.DeepEqual(back, e) {
			t.Errorf("%s is read as\n%+v, not\n%+v", name, back, e)
		}
	}
}

func TestEveryDamagedByteIsFound(t *testing.T) {
	for name, e := range samples() {
		raw := append([]byte(header(kindValue)), e.appendBody(nil)...)
		for i := range raw {
			if i > 0 && i < headerSize {
				continue // the nonce is compared, not checked
			}
			for _, flip := range []byte{1, 0x80, 0xff} {
				bad := bytes.Clone(raw)
				bad[i] ^= flip
				if _, err := parse(string(bad)); err == nil {
					t.Fatalf("%s with byte %d xor %#x is taken for an entry", name, i, flip)
				}
			}
		}
		for n := range raw {
			if _, err := parse(string(raw[:n])); err == nil {
				t.Fatalf("%s cut to %d bytes is taken for an entry", name, n)
			}
		}
	}
}

func TestAnUnknownFlagIsNotTakenForDamage(t *testing.T) {
	for name, e := range samples() {
		body := e.appendBody(nil)
		for bit := range 8 {
			b := bytes.Clone(body[:len(body)-4])
			b[len(magic)] |= 1 << bit
			_, err := parse(header(kindValue) + reseal(string(b)))
			switch unknown := bit >= 6; {
			case unknown != (err == errUnknown):
				t.Errorf("%s with flag %d: %v", name, bit, err)
			case err != nil && bit < 4: // flags 4 and 5 say that there is more
				t.Errorf("%s with flag %d: %v", name, bit, err)
			}
			// What is laid out differently behind the flags is not read.
			short := header(kindValue) + reseal(string(b[:len(magic)+1])+strings.Repeat("\xff", 40))
			if _, err := parse(short); bit >= 6 && err != errUnknown {
				t.Errorf("another layout with flag %d: %v", bit, err)
			}
		}
	}
}

func TestHostileLengthsCostNothing(t *testing.T) {
	e := samples()["plain"]
	e.key = "k"
	body := e.appendBody(nil)
	head := len(magic) + 2 + 4 + 8 + 8
	huge := "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	for at := head; at < head+24; at++ {
		raw := header(kindValue) + reseal(string(body[:at])+huge+string(body[at:len(body)-4]))
		n := testing.AllocsPerRun(10, func() { parse(raw) })
		if n > 3 {
			t.Errorf("a claimed length at byte %d costs %v allocations", at, n)
		}
	}
}

// reseal appends the right checksum.
func reseal(body string) string {
	return body + string(binary.LittleEndian.AppendUint32(nil, crc32.Checksum([]byte(body), castagnoli)))
}

func FuzzParse(f *testing.F) {
	for _, e := range samples() {
		raw := header(kindValue) + string(e.appendBody(nil))
		f.Add(raw)
		f.Add(raw[:len(raw)/2])
	}
	f.Add("")
	f.Add(header(kindToken))
	f.Fuzz(func(t *testing.T, raw string) {
		cheap(t, raw, func() { parse(raw) })
		sealed := header(kindValue) + reseal(magic+raw)
		cheap(t, sealed, func() { parse(sealed) })
		// With a right checksum the parser sees more of it.
		if e, err := parse(sealed); err == nil {
			again := e.appendBody(nil)
			if len(again) > 2*len(raw)+64 {
				t.Fatalf("%d bytes became an entry of %d", len(raw), len(again))
			}
			if back, err := parse(header(kindValue) + string(again)); err != nil || !reflect.DeepEqual(back, e) {
				t.Fatalf("%+v is written so that it is read as %+v, %v", e, back, err)
			}
		}
	})
}
