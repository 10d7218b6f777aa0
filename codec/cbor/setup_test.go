package cbor_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/codec/cbor"
)

type user struct {
	Name    string
	Age     int `json:"age,omitempty"`
	Friend  *user
	Since   time.Time
	Photo   []byte
	Numbers map[string][]float64
	private int
}

// same is DeepEqual, but for times, which are the same if they are Equal and have
// the same offset.
func same(a, b any) bool {
	if t, ok := a.(time.Time); ok {
		u, ok := b.(time.Time)
		_, x := t.Zone()
		_, y := u.Zone()
		return ok && t.Equal(u) && x == y
	}
	return reflect.DeepEqual(a, b)
}

// roundTrip fails the test unless v comes back as want, from bytes that were
// appended to others and are overwritten afterwards.
func roundTrip[V any](t *testing.T, v, want V) {
	t.Helper()
	c := cbor.New[V]()
	data, err := c.Append([]byte("before"), v)
	if err != nil || !bytes.HasPrefix(data, []byte("before")) {
		t.Errorf("Append(%#v) is %q, %v", v, data, err)
		return
	}
	data = data[len("before"):]
	got, err := c.Decode(data)
	for i := range data {
		data[i] = 'x'
	}
	if err != nil || !same(got, want) {
		t.Errorf("%#v comes back as %#v, %v, want %#v", v, got, err, want)
	}
}

// refused fails the test unless v cannot be encoded.
func refused[V any](t *testing.T, v V) {
	t.Helper()
	data, err := cbor.New[V]().Append([]byte("before"), v)
	if err == nil || string(data) != "before" {
		back, err1 := cbor.New[V]().Decode(data[len("before"):])
		t.Errorf("a %T is encoded as %x, %v, and comes back as %v, %v", v, data, err, back, err1)
	}
}

var _ cache.Codec[int] = cbor.New[int]()
