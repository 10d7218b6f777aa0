package compress_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/codec/compress"
)

var update = flag.Bool("update", false, "write testdata/wire anew")

const limit = 1 << 20

func compressors(min int) map[string]cache.Compressor {
	return map[string]cache.Compressor{"s2": compress.S2(min), "zstd": compress.Zstd(min)}
}

// noise returns n bytes that nothing makes smaller.
func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	r.Read(b)
	return b
}

// page returns text of n bytes as applications have it.
func page(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"name":"user %d","active":%t,"tags":["a","b"]},`, i*7919, i, i%3 == 0)
	}
	return b.Bytes()[:n]
}

func TestEachReadsWhatAnyHasWritten(t *testing.T) {
	readers := compressors(0)
	readers["read only"] = compress.ReadOnly()
	for writer, w := range compressors(1) {
		for _, src := range [][]byte{page(130), page(200), page(255), page(256), page(5000), page(limit), bytes.Repeat([]byte("a"), 100), make([]byte, limit)} {
			small, method := w.Compress([]byte("before"), src)
			if method == 0 || len(small) >= len(src)+6 || string(small[:6]) != "before" {
				t.Errorf("%s: %d bytes become %d by method %d", writer, len(src), len(small), method)
				continue
			}
			for reader, r := range readers {
				if !r.Reads(method) {
					t.Errorf("%s does not read %s", reader, writer)
				}
				for _, dst := range [][]byte{nil, []byte("kept"), append(make([]byte, 0, 2*limit), "kept"...)} {
					back, err := r.Decompress(dst, small[6:], method, len(src))
					if err != nil || string(back[:len(dst)]) != string(dst) || !bytes.Equal(back[len(dst):], src) {
						t.Errorf("%s reads %d bytes of %s as %d, %v", reader, len(src), writer, len(back), err)
					}
				}
				if _, err := r.Decompress(nil, small[6:], method, len(src)-1); err == nil {
					t.Errorf("%s reads %d bytes of %s within a limit of one less", reader, len(src), writer)
				}
			}
		}
	}
}

func TestWhatIsShortOrDoesNotGetSmallerIsLeftAsItIs(t *testing.T) {
	for name, c := range compressors(0) {
		for _, src := range [][]byte{nil, page(compress.DefaultMin - 1), noise(5000)} {
			if _, method := c.Compress(nil, src); method != 0 {
				t.Errorf("%s compresses %d bytes that are short or noise", name, len(src))
			}
		}
		if _, method := c.Compress(nil, page(compress.DefaultMin)); method == 0 {
			t.Errorf("%s leaves %d bytes as they are", name, compress.DefaultMin)
		}
		if _, method := compressors(2000)[name].Compress(nil, page(1999)); method != 0 {
			t.Errorf("%s compresses what is shorter than its min", name)
		}
		// A tenth that repeats is not worth it, a fifth is.
		for part, want := range map[int]bool{10: false, 5: true} {
			src := append(noise(10_000), make([]byte, 10_000/(part-1))...)
			if _, method := c.Compress(nil, src); (method != 0) != want {
				t.Errorf("%s compresses what gets smaller by a %dth: %t", name, part, !want)
			}
		}
		for _, src := range [][]byte{{}, {1}, []byte("aaaaaaa")} {
			if out, method := compressors(1)[name].Compress(nil, src); method != 0 && len(out) >= len(src) {
				t.Errorf("%s makes %d bytes of %d", name, len(out), len(src))
			}
		}
	}
	if _, method := compress.ReadOnly().Compress(nil, page(5000)); method != 0 {
		t.Error("ReadOnly compresses")
	}
}

func TestANegativeMinPanics(t *testing.T) {
	for _, f := range []func(int) cache.Compressor{compress.S2, compress.Zstd} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, "min is -1") {
					t.Errorf("the panic is %q", p)
				}
			}()
			f(-1)
		}()
	}
}

// Servers hold what was written by earlier versions of the library.
func TestWhatWasWrittenBeforeIsRead(t *testing.T) {
	src := page(3000)
	for name, c := range compressors(0) {
		file := filepath.Join("testdata", "wire", name)
		if *update {
			out, _ := c.Compress(nil, src)
			if err := os.WriteFile(file, out, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		method := map[string]byte{"s2": 1, "zstd": 2}[name] // these are stored: they stay what they are
		if _, now := c.Compress(nil, src); now != method {
			t.Errorf("%s has method %d, not %d", name, now, method)
		}
		if back, err := c.Decompress(nil, data, method, limit); err != nil || !bytes.Equal(back, src) {
			t.Errorf("%s is read as %d bytes, %v", name, len(back), err)
		}
	}
}

func TestOtherMethodsAreNotRead(t *testing.T) {
	for name, c := range compressors(0) {
		small, _ := c.Compress(nil, page(2000))
		for method := range 256 {
			reads := c.Reads(byte(method))
			_, err := c.Decompress(nil, small, byte(method), limit)
			if reads != slices.Contains([]int{1, 2}, method) || err == nil && !reads {
				t.Errorf("%s reads method %d: %t, %v", name, method, reads, err)
			}
		}
	}
}

func TestCompressorsAreUsedFromManyGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for name, c := range compressors(0) {
				for n := range 50 {
					src := page(2000 + 100*n + i)
					small, method := c.Compress(nil, src)
					if back, err := c.Decompress(nil, small, method, limit); err != nil || !bytes.Equal(back, src) {
						t.Errorf("%s: %d bytes come back as %d, %v", name, len(src), len(back), err)
					}
				}
			}
		})
	}
	wg.Wait()
}
