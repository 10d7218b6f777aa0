package compress_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/larder-cache/larder/codec/compress"
)

// costCap is how many bytes Decompress may allocate, once its decoders have their
// memory: the limit, twice under the race detector, and what is small.
const costCap = 2*limit + 64<<10

// allocated returns how many bytes f has allocated, by whichever goroutine.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// cheap fails if f allocates more than most bytes, each time.
func cheap(t *testing.T, what string, most uint64, f func()) {
	t.Helper()
	least := ^uint64(0)
	for range 4 { // at first the decoders have no memory, and others allocate too
		if least = min(least, allocated(f)); least <= most {
			return
		}
	}
	t.Errorf("%s: %d bytes are allocated, more than %d", what, least, most)
}

// frame returns a zstd frame that claims a size and a window.
func frame(size uint64, blocks ...byte) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0xff} // a size of 8 bytes, and the largest window
	b = binary.LittleEndian.AppendUint64(b, size)
	return append(b, blocks...)
}

// rle returns a zstd block of 128 KiB of one byte.
func rle(last byte) []byte { return []byte{last | 1<<1, 0x00, 0x10, 'a'} }

func TestBombsDoNotGoOff(t *testing.T) {
	c := compress.ReadOnly()
	streamed := func(n int) []byte { // without a size
		var b bytes.Buffer
		w, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(make([]byte, n))
		w.Flush()
		w.Close()
		return b.Bytes()
	}
	large := func(n int) []byte {
		enc, err := zstd.NewWriter(nil, zstd.WithSingleSegment(true))
		if err != nil {
			t.Fatal(err)
		}
		defer enc.Close()
		return enc.EncodeAll(make([]byte, n), nil)
	}
	many := frame(100)
	for range 1000 {
		many = append(many, rle(0)...)
	}
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18}, 0xff, 0xff, 0xff, 0xff)
	for _, b := range []struct {
		name   string
		method byte
		data   []byte
		costs  uint64
	}{
		{"s2: a claim of 4 GiB", 1, binary.AppendUvarint(nil, 1<<32-1), 4 << 10},
		{"s2: a claim of more", 1, binary.AppendUvarint(nil, 1<<62), 4 << 10},
		{"s2: a claim of one more than the limit", 1, binary.AppendUvarint(nil, limit+1), 4 << 10},
		{"s2: a claim of the limit, and nothing there", 1, binary.AppendUvarint(nil, limit), costCap},
		{"s2: more than is claimed", 1, []byte("\x02\x00a\xfe\x01\x00\x8a\x01\x00"), 4 << 10},
		{"zstd: more than the limit", 2, large(1 << 24), 4 << 10},
		{"zstd: without a size", 2, streamed(1 << 23), 4 << 10},
		{"zstd: a claim of 2^64", 2, frame(1<<64 - 1), 4 << 10},
		{"zstd: a claim of 2^63", 2, frame(1 << 63), 4 << 10},
		{"zstd: a claim of the limit, and nothing there", 2, frame(limit), costCap},
		{"zstd: more than is claimed", 2, many, costCap},
		{"zstd: less than is claimed", 2, frame(limit, rle(1)...), costCap},
		{"zstd: a second frame", 2, append(large(100), large(1<<23)...), costCap},
		{"zstd: a small second frame", 2, append(large(100), large(10)...), costCap},
		{"zstd: a second frame that claims nothing", 2, append(large(100), streamed(1<<23)...), costCap},
		{"zstd: a skippable frame", 2, skippable, 4 << 10},
		{"zstd: a frame and a skippable one", 2, append(large(100), skippable...), costCap},
		{"zstd: a dictionary", 2, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 1, 3, 0, 0, 'a'}, costCap},
	} {
		out, err := c.Decompress(nil, b.data, b.method, limit)
		if err == nil || len(out) != 0 {
			t.Errorf("%s: %d bytes, %v", b.name, len(out), err)
		}
		dst := make([]byte, 4, 8*limit) // room is not leave
		if out, err := c.Decompress(dst, b.data, b.method, limit); err == nil || len(out) != 4 {
			t.Errorf("%s: %d bytes with room for them, %v", b.name, len(out), err)
		}
		cheap(t, b.name, b.costs, func() { c.Decompress(nil, b.data, b.method, limit) })
	}
}

func FuzzDecompress(f *testing.F) {
	for _, c := range compressors(1) {
		for _, src := range [][]byte{page(40), page(3000), bytes.Repeat([]byte("a"), 1000)} {
			small, method := c.Compress(nil, src)
			f.Add(small, method)
			f.Add(small[:len(small)/2], method)
		}
	}
	f.Add(frame(limit, rle(1)...), byte(2))
	f.Add(binary.AppendUvarint(nil, limit), byte(1))
	f.Add([]byte{}, byte(3))
	c := compress.ReadOnly()
	f.Fuzz(func(t *testing.T, data []byte, method byte) {
		before := bytes.Clone(data)
		out, err := c.Decompress([]byte("kept"), data, method, limit)
		if string(out[:4]) != "kept" || len(out)-4 > limit {
			t.Fatalf("%d bytes come out, with a limit of %d", len(out), limit)
		}
		if !bytes.Equal(before, data) {
			t.Fatal("the input has changed")
		}
		if err != nil {
			if len(out) != 4 {
				t.Fatalf("an error, and %d bytes", len(out))
			}
		} else if !c.Reads(method) {
			t.Fatalf("method %d is read", method)
		}
		cheap(t, "it", costCap, func() { c.Decompress(nil, data, method, limit) })
		for name, w := range compressors(1) { // what was read may be written again
			small, method := w.Compress(nil, out)
			if method == 0 {
				continue
			}
			if back, err := w.Decompress(nil, small, method, len(out)); err != nil || !bytes.Equal(back, out) {
				t.Fatalf("%s: %d bytes come back as %d, %v", name, len(out), len(back), err)
			}
		}
	})
}
