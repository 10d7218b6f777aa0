package redisstore_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
)

// marked is a codec of strings that can be told from others.
type marked struct {
	id     byte
	schema uint32
}

func (m marked) ID() byte       { return m.id }
func (m marked) Schema() uint32 { return m.schema }
func (m marked) Append(dst []byte, v string) ([]byte, error) {
	return append(append(dst, m.id), v...), nil
}

func (m marked) Decode(data []byte) (string, error) {
	if len(data) == 0 || data[0] != m.id {
		return "", errors.New("not mine")
	}
	return string(data[1:]), nil
}

// deflate compresses with a method of its own, and obeys no limit if it is 6.
type deflate struct{ method byte }

func (d deflate) Compress(dst, src []byte) ([]byte, byte) {
	b := bytes.NewBuffer(dst)
	w, err := flate.NewWriter(b, 1)
	if err != nil {
		panic(err)
	}
	w.Write(src)
	w.Close()
	return b.Bytes(), d.method
}

func (d deflate) Reads(method byte) bool { return method == d.method }

func (d deflate) Decompress(dst, src []byte, _ byte, limit int) ([]byte, error) {
	if d.method == 6 {
		limit = 1 << 30
	}
	b := bytes.NewBuffer(dst)
	n, err := io.Copy(b, io.LimitReader(flate.NewReader(bytes.NewReader(src)), int64(limit)+1))
	if err == nil && n > int64(limit) {
		err = errors.New("too large")
	}
	return b.Bytes(), err
}

// readOnly reads what another compressor writes.
type readOnly struct{ cache.Compressor }

func (readOnly) Compress(dst, _ []byte) ([]byte, byte) { return dst, 0 }

type options = redisstore.StoreOptions[int, string]

// change is a fleet of which some processes have the one configuration and some
// another.
func change(t *testing.T, configs map[string]options, reads map[string]string) {
	_, rdb := mini(t)
	value := strings.Repeat("value ", 100)
	i := 0
	for writer, w := range configs {
		for reader, r := range configs {
			t.Run(writer+" read by "+reader, func(t *testing.T) {
				i++
				var n cache.Counter
				w, r := w, r
				r.Observer = &n
				a := redisstore.New(open(t, rdb, "shop"), "s", &w)
				b := redisstore.New(open(t, rdb, "shop"), "s", &r)
				loads := 0 // one at a time
				users := aside.New(b, func(context.Context, int) (string, error) {
					loads++
					return "loaded " + value, nil
				}, invalidation.TTL(time.Minute), nil)
				fill(t, a, i, entry(value, "tag"))
				can := strings.Contains(reads[reader], "|"+reads[writer][:1])
				for range 2 {
					got, err := users.Get(t.Context(), i)
					if want := map[bool]string{true: value, false: "loaded " + value}[can]; err != nil || got != want {
						t.Fatalf("Get is %.20q, %v, not %.20q", got, err, want)
					}
					for deadline := time.Now().Add(30 * time.Second); n.Count(cache.FillStored) < int64(loads); runtime.Gosched() {
						if time.Now().After(deadline) {
							t.Fatal("what was loaded is not stored")
						}
					}
				}
				want := map[bool]int{true: 0, false: 1}[can]
				if loads != want || n.Count(cache.MissSchema) != int64(want) || n.Count(cache.MissSchema) != n.Misses() {
					t.Errorf("%d loads, not %d; %d misses by schema of %d misses", loads, want, n.Count(cache.MissSchema), n.Misses())
				}
				if can && n.Count(cache.Hit) != 2 {
					t.Errorf("%d hits, not 2", n.Count(cache.Hit))
				}
			})
		}
	}
}

func TestTheCodecChangesUnderLiveData(t *testing.T) {
	json, other := cache.JSON[string](), marked{200, 1}
	change(t, map[string]options{
		"JSON":                      {Codec: json},
		"JSON, which reads another": {Codec: json, Reads: []cache.Codec[string]{other}},
		"another, which reads JSON": {Codec: other, Reads: []cache.Codec[string]{json}},
		"another":                   {Codec: other},
		"another of another schema": {Codec: marked{200, 2}},
	}, map[string]string{ // what it writes, and what it reads
		"JSON": "j|j", "JSON, which reads another": "j|j|a", "another, which reads JSON": "a|a|j", "another": "a|a",
		"another of another schema": "s|s",
	})
}

func TestCompressionChangesUnderLiveData(t *testing.T) {
	change(t, map[string]options{
		"none":             {},
		"only read":        {Compressor: readOnly{deflate{7}}},
		"method 7":         {Compressor: deflate{7}},
		"method 5":         {Compressor: deflate{5}},
		"method 7 in JSON": {Codec: cache.JSON[string](), Compressor: deflate{7}},
	}, map[string]string{
		"none": "n|n", "only read": "n|n|7", "method 7": "7|n|7", "method 5": "5|n|5", "method 7 in JSON": "j|j",
	})
}

func TestWhatALaterProgramWroteIsACountedMissAndIsOverwritten(t *testing.T) {
	m, rdb := mini(t)
	var n cache.Counter
	s := redisstore.New(open(t, rdb, "shop"), "s", &options{Observer: &n})
	fill(t, s, 1, entry("a"))
	raw, _ := m.Get("shop:v:s:1")
	m.Set("shop:v:s:1", withFlags(raw, 0x40))
	m.SetTTL("shop:v:s:1", time.Minute)
	wantMiss(t, s, 1)
	if n.Count(cache.MissSchema) != 1 || n.Misses() != 1 {
		t.Errorf("%d misses by schema of %d, not 1", n.Count(cache.MissSchema), n.Misses())
	}
	fill(t, s, 1, entry("b"))
	want(t, s, 1, "b")
}

// withFlags returns an entry as it is in Redis with more flags, and the right
// checksum.
func withFlags(raw string, flags byte) string {
	b := []byte(raw)
	b[len("V0123456789abcdefLRD1")] |= flags
	body := b[17 : len(b)-4]
	return string(binary.LittleEndian.AppendUint32(b[:len(b)-4], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))))
}

func TestOnlyWhatGetsSmallerIsCompressed(t *testing.T) {
	m, rdb := mini(t)
	var n cache.Counter
	size := func(c cache.Compressor, v string) int {
		s := redisstore.New(open(t, rdb, "shop"), "s", &options{Compressor: c, Observer: &n})
		fill(t, s, 1, entry(v))
		want(t, s, 1, v)
		raw, _ := m.Get("shop:v:s:1")
		return len(raw)
	}
	large := strings.Repeat("0123456789", 100)
	if plain, small := size(nil, large), size(deflate{7}, large); small > plain-900 {
		t.Errorf("%d bytes are stored as %d", plain, small)
	}
	if plain, refused := size(nil, large), size(readOnly{deflate{7}}, large); plain != refused {
		t.Errorf("the size is %d without, and %d with a compressor that does not compress", plain, refused)
	}
	if plain, small := size(nil, "x"), size(deflate{7}, "x"); plain != small {
		t.Errorf("a byte is stored in %d bytes with a compressor, and in %d without", small, plain)
	}
	s := redisstore.New(open(t, rdb, "shop"), "s", &options{Compressor: deflate{8}, Observer: &n})
	f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: 2})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := f.Commit(t.Context(), entry(large)); !errors.Is(err, cache.ErrNotStorable) || out[0] == cache.Stored || n.Count(cache.EncodeFailed) != 1 {
		t.Errorf("a method that the envelope cannot hold: %v, %v", out, err)
	}
}

func TestNothingIsDecompressedBeyondMaxValue(t *testing.T) {
	_, rdb := mini(t)
	for _, c := range []deflate{{7}, {6}} {
		var n cache.Counter
		wide := redisstore.New(open(t, rdb, "shop"), "s", &options{Compressor: c})
		narrow := redisstore.New(open(t, rdb, "shop"), "s", &options{Compressor: c, MaxValue: 1000, Observer: &n})
		fill(t, wide, 1, entry(strings.Repeat("x", 1000)))
		want(t, narrow, 1, strings.Repeat("x", 1000))
		fill(t, wide, 2, entry(strings.Repeat("x", 1001)))
		want(t, wide, 2, strings.Repeat("x", 1001))
		wantMiss(t, narrow, 2)
		if n.Count(cache.MissCorrupt) != 1 {
			t.Errorf("method %d: %d misses were counted as corrupt, not 1", c.method, n.Count(cache.MissCorrupt))
		}
	}
}

// nested decodes after it has done something else with the store.
type nested struct {
	cache.Text
	first func()
}

func (c *nested) Decode(data []byte) (string, error) {
	if f := c.first; f != nil {
		c.first = nil
		f()
	}
	return c.Text.Decode(data)
}

func TestScratchMemoryIsNotLentTwice(t *testing.T) {
	_, rdb := mini(t)
	codec := &nested{}
	s := redisstore.New(open(t, rdb, "shop"), "s", &options{Codec: codec, Compressor: deflate{7}})
	one, two := strings.Repeat("one ", 500), strings.Repeat("two ", 500)
	for range 20 { // the pool may also lend something else
		fill(t, s, 1, entry(one))
		codec.first = func() {
			want(t, s, 2, two)
			fill(t, s, 3, entry(two))
		}
		fill(t, s, 2, entry(two))
		want(t, s, 1, one)
		if codec.first != nil {
			t.Fatal("the codec was not asked")
		}
	}
}

func TestCodecsThatCannotBeToldApartPanic(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	for want, o := range map[string]options{
		"Reads[0]": {Reads: []cache.Codec[string]{cache.Text{}}},
		"Reads[1]": {Codec: marked{9, 0}, Reads: []cache.Codec[string]{marked{10, 0}, marked{9, 1}}},
		"Reads[2]": {Reads: []cache.Codec[string]{marked{9, 0}, marked{10, 0}, nil}},
		"MaxValue": {MaxValue: -1},
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("the panic %q does not speak of %s", p, want)
				}
			}()
			redisstore.New(space, "s", &o)
		}()
	}
}
