package trace

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// randomKeys draws n keys, the low ones often.
func randomKeys(r *rand.Rand, n, unique int) []uint64 {
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = uint64(min(r.IntN(unique), r.IntN(unique)))
	}
	return keys
}

func renumber[K comparable](keys []K) []uint32 {
	known := map[K]uint32{}
	ids := make([]uint32, len(keys))
	for i, k := range keys {
		if _, ok := known[k]; !ok {
			known[k] = uint32(len(known))
		}
		ids[i] = known[k]
	}
	return ids
}

func readBytes(data []byte, o Options) (*Trace, error) {
	return Parse(context.Background(), "some.trace", bytes.NewReader(data), o)
}

func checkTrace(t *testing.T, tr *Trace, want []uint32) {
	t.Helper()
	if !slices.Equal(tr.IDs, want) {
		t.Fatalf("ids differ: got %d requests, want %d", len(tr.IDs), len(want))
	}
	if n := int(slices.Max(want)) + 1; tr.Unique != n {
		t.Fatalf("unique = %d, want %d", tr.Unique, n)
	}
}

func pack(t testing.TB, c Compression, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	var err error
	switch c {
	case Gzip:
		w = gzip.NewWriter(&buf)
	case XZ:
		w, err = xz.WriterConfig{DictCap: 1 << 16, BlockSize: 5000}.NewWriter(&buf)
	case Zstd:
		w, err = zstd.NewWriter(&buf, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<16))
	default:
		return data
	}
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// checkFault requires one line that names the file and holds every part.
func checkFault(t *testing.T, err error, parts ...string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error is %v, want an *Error", err)
	}
	if e.File == "" || e.Problem == "" || e.Remedy == "" || strings.ContainsAny(e.Error(), "\r\n") {
		t.Errorf("error lacks a part or has line breaks: %q", e.Error())
	}
	for _, part := range parts {
		if !strings.Contains(e.Error(), part) {
			t.Errorf("error %q does not say %q", e.Error(), part)
		}
	}
}

func TestOpenUnpacksEveryCompression(t *testing.T) {
	ids := renumber(randomKeys(newRand(t), 20_000, 3_000))
	var plain bytes.Buffer
	if err := WriteCompact(&plain, ids); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Compression{Plain, Gzip, XZ, Zstd} {
		path := filepath.Join(t.TempDir(), "misleading.txt")
		if err := os.WriteFile(path, pack(t, c, plain.Bytes()), 0o600); err != nil {
			t.Fatal(err)
		}
		tr, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatalf("%q: %v", c, err)
		}
		checkTrace(t, tr, ids)
		if tr.Format != Compact || tr.Compression != c {
			t.Errorf("read as %s, %q; want %s, %q", tr.Format, tr.Compression, Compact, c)
		}
	}
}

func TestOpenFaults(t *testing.T) {
	_, err := Open(t.Context(), filepath.Join(t.TempDir(), "none.trc"), Options{})
	checkFault(t, err, "none.trc", "no such file", "check the name")
	_, err = Open(t.Context(), t.TempDir(), Options{})
	checkFault(t, err, "is a directory")
}

func TestReadFaults(t *testing.T) {
	tar := make([]byte, 1024)
	copy(tar, "trace.lis")
	copy(tar[257:], "ustar")
	for _, c := range []struct {
		name, data string
		options    Options
		parts      []string
	}{
		{"empty", "", Options{}, []string{"is empty"}},
		{"blank", "\n\r\n\n", Options{}, []string{"holds no request"}},
		{"marks only", "*\n*\n", Options{}, []string{"holds no request"}},
		{"zip", "PK\x03\x04rest\x00", Options{}, []string{"zip archive", "unpack"}},
		{"tar", string(tar), Options{}, []string{"tar archive"}},
		{"packed twice", string(pack(t, Zstd, pack(t, Gzip, []byte("a\n")))), Options{}, []string{"gzip data inside"}},
		{"control characters", "\x05ab\x01\x02", Options{}, []string{"no format known", "--format"}},
		{"unknown format", "1\n", Options{Format: "tape"}, []string{`"tape"`}},
		{"compact cut short", "\x05\x00\x00\x01", Options{}, []string{"truncated", "3 of 5"}},
		{"compact cut in a number", "\x05\x00\x00\x80", Options{Format: Compact}, []string{"truncated", "2 of 5"}},
		{"compact of none", "\x00", Options{}, []string{"holds no request"}},
		{"compact unknown id", "\x03\x00\x03\x00", Options{Format: Compact}, []string{"request 2 names id 2", "only 1"}},
		{"compact too long", "\x01\x00\x00", Options{Format: Compact}, []string{"goes on after the 1"}},
		{"compact wide", "\x02\x00" + strings.Repeat("\xff", 10), Options{Format: Compact}, []string{"64 bits"}},
		{"compact huge count", "\xff\xff\xff\xff\xff\xff\xff\x7f\x00\x00", Options{}, []string{"--max-requests"}},
		{"arc broken line", "1 2 0 0\n2 1 0 0\n3 x 0 0\n", Options{}, []string{"line 3", "3 x 0 0"}},
		{"arc long run", "1 99999999 0 0\n", Options{}, []string{"line 1", "99999999 keys"}},
		{"arc past the end", "18446744073709551615 2 0 0\n", Options{}, []string{"highest"}},
		{"lirs broken line", strings.Repeat("1\n", 40) + "x1\n", Options{}, []string{"line 41", "x1"}},
		{"text with zero", "a\nb\x00\n", Options{Format: Text}, []string{"line 2", "zero byte"}},
		{"long line", strings.Repeat("x", 300<<10), Options{}, []string{"line 1", "longer"}},
		{"cache2k cut", "\x00\x00\x01\x00\x00", Options{Format: Cache2k}, []string{"1 bytes into a key of 4"}},
		{"corda cut", "\x00\x00\x01\x00\x00", Options{Format: Corda}, []string{"5 bytes into a key of 8"}},
		{"too many requests", "1\n2\n3\n", Options{MaxRequests: 2}, []string{"more than 2 requests", "--max-requests"}},
		{"too many bytes", "1\n2\n3\n", Options{MaxBytes: 5}, []string{"more than 5 bytes", "--max-bytes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readBytes([]byte(c.data), c.options)
			checkFault(t, err, append(c.parts, "some.trace: ")...)
		})
	}
}

func TestReadAtTheBounds(t *testing.T) {
	tr, err := readBytes([]byte("1\n2\n3\n"), Options{MaxRequests: 3, MaxBytes: 6})
	if err != nil {
		t.Fatal(err)
	}
	checkTrace(t, tr, []uint32{0, 1, 2})
}

func TestReadEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Parse(ctx, "x", strings.NewReader("1\n"), Options{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error is %v, want %v", err, context.Canceled)
	}
}

func TestReadReportsReadErrors(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("1\n2\n"), errReader{})
	_, err := Parse(t.Context(), "x", broken, Options{})
	checkFault(t, err, "cannot be read", "cable pulled")
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("cable pulled") }

func TestParseFormat(t *testing.T) {
	for _, f := range Formats() {
		if got, err := ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("ParseFormat(%q) = %q, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("tape"); err == nil || !strings.Contains(err.Error(), "cache2k") {
		t.Errorf("error %v does not list the formats", err)
	}
}
