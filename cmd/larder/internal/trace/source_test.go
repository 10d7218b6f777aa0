package trace

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
)

func TestDamagedCompression(t *testing.T) {
	plain := textLines(randomKeys(newRand(t), 5_000, 700), "%d\n")
	for _, c := range []Compression{Gzip, XZ, Zstd} {
		t.Run(string(c), func(t *testing.T) {
			packed := pack(t, c, plain)
			for _, n := range []int{6, 20, len(packed) / 2, len(packed) - 1} {
				_, err := readBytes(packed[:n], Options{})
				checkFault(t, err, "fetch it again", string(c))
			}
			for i := 8; i < len(packed); i += 97 {
				flipped := bytes.Clone(packed)
				flipped[i] ^= 0x55
				tr, err := readBytes(flipped, Options{})
				if err != nil {
					checkFault(t, err)
				} else if len(tr.IDs) != 5_000 {
					t.Errorf("byte %d flipped: %d requests and no error", i, len(tr.IDs))
				}
			}
		})
	}
}

func TestBombStopsAtTheBound(t *testing.T) {
	zeros := []byte(strings.Repeat("1\n", 1<<20))
	for _, c := range []Compression{Gzip, XZ, Zstd} {
		_, err := readBytes(pack(t, c, zeros), Options{MaxBytes: 1 << 20})
		checkFault(t, err, "unpacks to more than 1048576 bytes")
	}
}

func TestSeveralStreamsInARow(t *testing.T) {
	for _, c := range []Compression{Gzip, XZ, Zstd} {
		packed := pack(t, c, []byte("1\n2\n"))
		tr, err := readBytes(append(bytes.Clone(packed), packed...), Options{})
		if err != nil {
			t.Fatalf("%s: %v", c, err)
		}
		checkTrace(t, tr, []uint32{0, 1, 0, 1})
	}
}

// greedyXZ returns the xz file packed with the dictionary claim of its block
// headers, which start at the given offsets, raised to four gigabytes.
func greedyXZ(packed []byte, headers ...int) []byte {
	packed = bytes.Clone(packed)
	for _, at := range headers {
		size := (int(packed[at]) + 1) * 4
		i := bytes.Index(packed[at:at+size], []byte{0x21, 0x01})
		packed[at+i+2] = 40
		binary.LittleEndian.PutUint32(packed[at+size-4:], crc32.ChecksumIEEE(packed[at:at+size-4]))
	}
	return packed
}

func TestHugeWindowIsRefused(t *testing.T) {
	packed := pack(t, XZ, []byte("1\n2\n"))
	_, err := readBytes(greedyXZ(packed, 12), Options{})
	checkFault(t, err, "xz window", "ordinary level")
	second := append(bytes.Clone(packed), greedyXZ(packed, 12)...)
	_, err = readBytes(second, Options{})
	checkFault(t, err, "xz window")
	// A zstd frame header with a window of 2^41 bytes and an empty last block.
	_, err = readBytes([]byte("\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00"), Options{})
	checkFault(t, err, "zstd window")
}

func TestXZPadding(t *testing.T) {
	packed := append(pack(t, XZ, []byte("1\n2\n")), make([]byte, 8)...)
	tr, err := readBytes(append(packed, pack(t, XZ, []byte("3\n1\n"))...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, tr, []uint32{0, 1, 2, 0})
}
