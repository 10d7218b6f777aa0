package cache_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

type user struct {
	Name    string
	Age     int `json:"age,omitempty"`
	Friend  *user
	Since   time.Time
	Numbers map[string][]float64
	private int
}

// roundTrip fails the test unless v comes back as want, from bytes that were
// appended to others and are overwritten afterwards.
func roundTrip[V any](t *testing.T, c cache.Codec[V], v, want V) {
	t.Helper()
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
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v comes back as %#v, %v, want %#v", v, got, err, want)
	}
}

func TestRoundTrips(t *testing.T) {
	roundTrip(t, cache.DefaultCodec[int64](), math.MinInt64, math.MinInt64)
	roundTrip(t, cache.DefaultCodec[uint64](), math.MaxUint64, math.MaxUint64)
	roundTrip(t, cache.DefaultCodec[float64](), 0.1, 0.1)
	roundTrip(t, cache.DefaultCodec[bool](), true, true)
	roundTrip(t, cache.DefaultCodec[time.Duration](), time.Hour, time.Hour)
	roundTrip(t, cache.DefaultCodec[[3]int](), [3]int{1, 2, 3}, [3]int{1, 2, 3})

	u := user{Name: "Zoë\x00<&>", Friend: &user{Age: 3}, Since: time.Unix(1, 2).UTC(), Numbers: map[string][]float64{"": {1.5}}}
	roundTrip(t, cache.DefaultCodec[user](), u, u)
	roundTrip(t, cache.DefaultCodec[user](), user{private: 1}, user{})
	roundTrip(t, cache.DefaultCodec[*user](), &u, &u)
	roundTrip(t, cache.DefaultCodec[*user](), nil, nil)
	roundTrip(t, cache.DefaultCodec[[]user](), nil, nil)
	roundTrip(t, cache.DefaultCodec[[]user](), []user{}, []user{})
	roundTrip(t, cache.DefaultCodec[map[int]string](), map[int]string{-1: "a"}, map[int]string{-1: "a"})

	roundTrip[any](t, cache.DefaultCodec[any](), nil, nil)
	roundTrip[any](t, cache.DefaultCodec[any](), "a", "a")
	roundTrip[any](t, cache.DefaultCodec[any](), 1, 1.0)
	roundTrip[any](t, cache.DefaultCodec[any](), []any{true, nil}, []any{true, nil})

	roundTrip(t, cache.DefaultCodec[[]byte](), []byte("\x00\xff"), []byte("\x00\xff"))
	roundTrip(t, cache.DefaultCodec[[]byte](), nil, []byte{})
	roundTrip(t, cache.DefaultCodec[string](), "", "")
	roundTrip(t, cache.DefaultCodec[string](), "\x00\xff", "\x00\xff")
}

func TestDefaultCodecsHaveIDs(t *testing.T) {
	type name string
	ids := []byte{cache.DefaultCodec[int]().ID(), cache.DefaultCodec[[]byte]().ID(), cache.DefaultCodec[string]().ID(), cache.DefaultCodec[name]().ID()}
	// These are stored: they stay what they are.
	if !bytes.Equal(ids, []byte{1, 2, 3, 1}) {
		t.Errorf("ids are %v", ids)
	}
	if got, want := cache.DefaultCodec[user]().Schema(), cache.SchemaOf[user](); got != want {
		t.Errorf("the schema of JSON is %d, want %d", got, want)
	}
	if (cache.Bytes{}).Schema() != 0 || (cache.Text{}).Schema() != 0 {
		t.Error("bytes have a schema")
	}
}

func TestDecodeOfSomethingElseIsAnError(t *testing.T) {
	for _, data := range []string{"", "{", `"a"`, "[1]", "\x00", "{} {}", `{"Name":1}`} {
		if v, err := cache.JSON[user]().Decode([]byte(data)); err == nil {
			t.Errorf("Decode(%q) is %+v", data, v)
		} else if !strings.Contains(err.Error(), "cache_test.user") {
			t.Errorf("Decode(%q): %v: does not name the type", data, err)
		}
	}
	if _, err := cache.JSON[int]().Decode([]byte("1.5")); err == nil {
		t.Error("1.5 is an int")
	}
	if _, err := cache.JSON[error]().Decode([]byte(`"e"`)); err == nil {
		t.Error("a string is an error")
	}
}

func TestAppendOfWhatJSONCannotWriteIsAnError(t *testing.T) {
	dst := []byte("before")
	got, err := cache.JSON[float64]().Append(dst, math.NaN())
	if err == nil || string(got) != "before" {
		t.Errorf("Append(NaN) is %q, %v", got, err)
	}
	if _, err = cache.JSON[chan int]().Append(nil, make(chan int)); err == nil {
		t.Error("a channel is JSON")
	}
}

func TestBytesAndTextAreCopiedOnce(t *testing.T) {
	data := []byte(strings.Repeat("x", 4096)) // a size that memory comes in
	var b []byte
	var s string
	for name, decode := range map[string]func(){
		"Bytes": func() { b, _ = cache.Bytes{}.Decode(data) },
		"Text":  func() { s, _ = cache.Text{}.Decode(data) },
	} {
		if n := testing.AllocsPerRun(100, decode); n != 1 {
			t.Errorf("%s.Decode allocates %v times, not once", name, n)
		}
	}
	if cap(b) != len(data) || len(s) != len(data) {
		t.Errorf("%d bytes are decoded into %d", len(data), cap(b))
	}
}

func FuzzJSONDecode(f *testing.F) {
	for _, s := range []string{"", "null", `{"Name":"a","age":1,"Friend":{"Friend":null}}`, `{"Since":"2000-01-01T00:00:00Z"}`,
		`{"Numbers":{"a":[1e308,2]}}`, "[", strings.Repeat("[", 100), `{"Name":"\ud800"}`} {
		f.Add([]byte(s))
	}
	users, anything := cache.JSON[user](), cache.JSON[any]()
	f.Fuzz(func(t *testing.T, data []byte) {
		anything.Decode(data)
		u, err := users.Decode(data)
		if err != nil {
			return
		}
		once, err := users.Append(nil, u)
		if err != nil {
			return // such as a year that JSON does not have
		}
		if v, err := users.Decode(once); err != nil {
			t.Fatalf("%q: %v", once, err)
		} else if twice, _ := users.Append(nil, v); !bytes.Equal(once, twice) {
			t.Fatalf("%q comes back as %q", once, twice)
		}
	})
}

func FuzzBytesAndText(f *testing.F) {
	f.Add([]byte("\x00a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip(t, cache.DefaultCodec[[]byte](), data, append([]byte{}, data...))
		roundTrip(t, cache.DefaultCodec[string](), string(data), string(data))
	})
}
