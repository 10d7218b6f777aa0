package cbor_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/larder-cache/larder/codec/cbor"
)

// costCap is how many bytes Decode into the types here may allocate for an input:
// their largest element is a user, and a map has room to spare.
func costCap(input []byte) uint64 { return 64<<10 + 512*uint64(len(input)) }

// cheap fails if f allocates more for an input than costCap, each time.
func cheap(t *testing.T, input []byte, f func()) {
	t.Helper()
	least := ^uint64(0)
	for range 3 { // other goroutines allocate too
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= costCap(input) {
			return
		}
	}
	t.Errorf("%d bytes are allocated for an input of %d: %.100q", least, len(input), input)
}

var (
	users    = cbor.New[user]()
	many     = cbor.New[[]user]()
	anything = cbor.New[any]()
	maps     = cbor.New[map[int]map[string]user]()
)

func decodeAll(data []byte) {
	users.Decode(data)
	many.Decode(data)
	anything.Decode(data)
	maps.Decode(data)
}

func TestWhatIsClaimedCostsNothing(t *testing.T) {
	for _, size := range []uint64{1 << 20, cbor.MaxItems + 1, 1 << 31, 1 << 32, 1 << 62, 1<<64 - 1} {
		for _, major := range []byte{0x40, 0x60, 0x80, 0xa0, 0xc0} {
			head := binary.BigEndian.AppendUint64([]byte{major | 27}, size)
			for _, tail := range []string{"", "\x01", strings.Repeat("\xf6", 100), strings.Repeat(string(head), 50)} {
				data := append(bytes.Clone(head), tail...)
				cheap(t, data, func() { decodeAll(data) })
				inside := append([]byte("\xa1\x65Photo"), data...)
				cheap(t, inside, func() { decodeAll(inside) })
			}
		}
	}
	for _, open := range []string{"\x81", "\xa1\x01", "\xc1", "\xd9\xd9\xf7", "\x9f", "\xbf", "\x5f", "\xa1\x66Friend"} {
		data := []byte(strings.Repeat(open, 100_000))
		cheap(t, data, func() { decodeAll(data) })
		if _, err := anything.Decode(append(data, '\x01')); err == nil {
			t.Errorf("%q nested 100,000 times is decoded", open)
		}
	}
	// What is there is paid for by its bytes.
	nulls := append(binary.BigEndian.AppendUint32([]byte{0x9a}, 100_000), bytes.Repeat([]byte{0xf6}, 100_000)...)
	cheap(t, nulls, func() { decodeAll(nulls) })
	if _, err := anything.Decode(nulls); err != nil {
		t.Error(err)
	}
	over := append(binary.BigEndian.AppendUint32([]byte{0x9a}, cbor.MaxItems+1), make([]byte, cbor.MaxItems+1)...)
	if _, err := anything.Decode(over); err == nil {
		t.Error("an array has more than MaxItems")
	}
}

func FuzzCBORDecode(f *testing.F) {
	for _, v := range []any{nil, 1, -1, 1.5, "a", []byte("b"), []any{map[string]any{"c": true}}, inner{1}} {
		data, err := anything.Append(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	data, err := users.Append(nil, user{Name: "a", Friend: &user{Photo: []byte("b")}, Numbers: map[string][]float64{"c": {1, 2.5}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("\xc0\x742000-01-01T00:00:00Z"))
	f.Add([]byte("\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\xfb\x7f\xf8\x00\x00\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cheap(t, data, func() { decodeAll(data) })
		if v, err := anything.Decode(data); err == nil {
			if once, err := anything.Append(nil, v); err == nil {
				back, err := anything.Decode(once)
				if err != nil {
					t.Fatalf("%x of %#v: %v", once, v, err)
				}
				if twice, err := anything.Append(nil, back); err != nil || !bytes.Equal(once, twice) {
					t.Fatalf("%x comes back as %x, %v", once, twice, err)
				}
			}
		}
		if u, err := users.Decode(data); err == nil {
			once, err := users.Append(nil, u)
			if err != nil {
				return // such as a time in a zone that cannot be written
			}
			back, err := users.Decode(once)
			if err != nil {
				t.Fatalf("%x: %v", once, err)
			}
			if twice, err := users.Append(nil, back); err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("%x comes back as %x, %v", once, twice, err)
			}
		}
	})
}
