package cbor_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/codec/cbor"
)

var update = flag.Bool("update", false, "write testdata/wire anew")

func ptr[V any](v V) *V { return &v }

type (
	byNumber struct {
		A string `cbor:"1,keyasint"`
		B int    `cbor:"-5,keyasint,omitempty"`
	}
	inOrder struct {
		_ struct{} `cbor:",toarray"`
		A string
		B []int
	}
	inner    struct{ ID int }
	embedded struct {
		inner
		*byNumber
		time.Duration
	}
	id     int
	tree   struct{ Left, Right *tree }
	object map[string]any
	// level writes itself as text.
	level int
)

func (l level) MarshalText() ([]byte, error) { return []byte(strings.Repeat("+", int(l))), nil }

func (l *level) UnmarshalText(b []byte) error {
	*l = level(len(b))
	return nil
}

func TestRoundTrips(t *testing.T) {
	for _, n := range []int64{0, 1, 23, 24, 255, 256, 1 << 40, math.MaxInt64, -1, -24, -25, math.MinInt64} {
		roundTrip(t, n, n)
		roundTrip(t, int32(n), int32(n))
		roundTrip(t, uint64(n), uint64(n))
		roundTrip(t, id(n), id(n))
		roundTrip(t, time.Duration(n), time.Duration(n))
		roundTrip(t, *big.NewInt(n), *big.NewInt(n))
	}
	for _, f := range []float64{0, 0.1, 1.5, -65504, math.MaxFloat32, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(-1)} {
		roundTrip(t, f, f)
		roundTrip(t, float32(f), float32(f))
	}
	roundTrip(t, true, true)
	roundTrip(t, [3]int{1, 2, 3}, [3]int{1, 2, 3})
	roundTrip(t, [3]byte{1, 2, 3}, [3]byte{1, 2, 3})
	for _, s := range []string{"", "a", "Zoë\x00<&>", "\xff\xfe is not UTF-8", strings.Repeat("x", 70_000)} {
		roundTrip(t, s, s)
		roundTrip(t, []byte(s), []byte(s))
		roundTrip(t, map[string]string{s: s}, map[string]string{s: s})
		roundTrip(t, json.RawMessage(s), json.RawMessage(s))
	}

	u := user{Name: "Ada", Friend: &user{Age: 3}, Since: time.Unix(1, 2).UTC(), Photo: []byte{0, 255}, Numbers: map[string][]float64{"": {1.5}}}
	roundTrip(t, u, u)
	roundTrip(t, user{private: 1}, user{})
	roundTrip(t, &u, &u)
	roundTrip(t, (*user)(nil), nil)
	roundTrip(t, []user(nil), nil)
	roundTrip(t, []user{}, []user{})
	roundTrip(t, []byte(nil), nil)
	roundTrip(t, []byte{}, []byte{})
	roundTrip(t, []*user{nil, &u}, []*user{nil, &u})
	roundTrip(t, map[int]string{-1: "a", 300: "b"}, map[int]string{-1: "a", 300: "b"})
	roundTrip(t, map[int]string(nil), nil)
	roundTrip(t, map[int]string{}, map[int]string{})
	roundTrip(t, byNumber{"a", 2}, byNumber{"a", 2})
	roundTrip(t, inOrder{A: "a", B: []int{1}}, inOrder{A: "a", B: []int{1}})
	roundTrip(t, tree{Left: &tree{Right: &tree{}}}, tree{Left: &tree{Right: &tree{}}})
	roundTrip(t, struct{ object }{object{"a": time.Now()}}, struct{ object }{}) // as of JSON, it is not exported
	roundTrip(t, make([]int, 200_000), make([]int, 200_000))
	large := map[int]int{}
	for i := range 150_000 {
		large[i] = -i
	}
	roundTrip(t, large, large)
	roundTrip(t, sql.NullString{String: "a", Valid: true}, sql.NullString{String: "a", Valid: true})
	roundTrip(t, sql.Null[time.Duration]{}, sql.Null[time.Duration]{})

	roundTrip(t, netip.MustParseAddr("::1%eth0"), netip.MustParseAddr("::1%eth0"))
	roundTrip(t, map[netip.Addr]int{netip.MustParseAddr("1.2.3.4"): 1}, map[netip.Addr]int{netip.MustParseAddr("1.2.3.4"): 1})
	roundTrip(t, url.URL{Scheme: "https", Host: "h", RawQuery: "a=b"}, url.URL{Scheme: "https", Host: "h", RawQuery: "a=b"})
	roundTrip(t, level(3), level(3))
	roundTrip(t, map[level]*level{1: ptr(level(2))}, map[level]*level{1: ptr(level(2))})
	roundTrip(t, *big.NewRat(1, 3), *big.NewRat(1, 3))
}

func TestWhatComesBackInAny(t *testing.T) {
	huge := new(big.Int).SetUint64(math.MaxUint64)
	roundTrip[any](t, nil, nil)
	roundTrip[any](t, "a", "a")
	roundTrip[any](t, true, true)
	roundTrip[any](t, 1, int64(1))
	roundTrip[any](t, uint8(1), int64(1))
	roundTrip[any](t, int64(math.MinInt64), int64(math.MinInt64))
	roundTrip[any](t, uint64(math.MaxUint64), *huge)
	roundTrip[any](t, float32(0.1), float64(float32(0.1)))
	roundTrip[any](t, 2.0, 2.0)
	roundTrip[any](t, []byte{1}, []byte{1})
	roundTrip[any](t, []int{1}, []any{int64(1)})
	roundTrip[any](t, map[string]int{"a": 1}, map[string]any{"a": int64(1)})
	roundTrip[any](t, object{"a": object{"b": nil}}, map[string]any{"a": map[string]any{"b": nil}})
	roundTrip[any](t, inner{1}, map[string]any{"ID": int64(1)})
	roundTrip[any](t, &inner{1}, map[string]any{"ID": int64(1)})
	roundTrip[any](t, inOrder{A: "a"}, []any{"a", nil})
	roundTrip[any](t, level(2), "++")
	at := time.Date(2024, 2, 3, 4, 5, 6, 7, time.UTC)
	roundTrip[any](t, at, at)
	roundTrip[any](t, &at, at)
	roundTrip(t, object{"a": 1, "b": nil}, object{"a": int64(1), "b": nil})
	roundTrip(t, struct{ error }{}, struct{ error }{})
}

func TestEqualValuesHaveEqualBytes(t *testing.T) {
	c := cbor.New[map[string]any]()
	m := map[string]any{}
	for _, k := range strings.Split("the quick brown fox jumps over a lazy dog and back", " ") {
		m[k] = map[string]any{k: 1, "": 2}
	}
	first, err := c.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if again, _ := c.Append(nil, m); !bytes.Equal(again, first) {
			t.Fatalf("%x and %x are the same map", first, again)
		}
	}
}

// These are stored: they stay what they are.
func TestWireFormatHasNotChanged(t *testing.T) {
	v := struct {
		User  user
		Any   []any
		Num   byNumber
		Order inOrder
		Addr  netip.Addr
		Level level
		Big   *big.Int
	}{
		user{Name: "Ada", Age: 36, Friend: &user{}, Since: time.Unix(1_700_000_000, 120).In(time.FixedZone("", 5400)),
			Photo: []byte{0, 255}, Numbers: map[string][]float64{"b": {1.5, 0.1}, "aa": nil}},
		[]any{1, "a", 1.25, nil, []byte{1}, map[string]int{"a": -1}},
		byNumber{"a", 0}, inOrder{A: "b", B: []int{1000}}, netip.MustParseAddr("1.2.3.4"), 2, big.NewInt(-1),
	}
	c := codecOf(v)
	got, err := c.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "wire", "v1.cbor")
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
		t.Errorf("it is written as\n%x, but servers in use hold\n%x", got, want)
	}
	back, err := c.Decode(want)
	if err != nil || !back.User.Since.Equal(v.User.Since) || back.Big.Cmp(v.Big) != 0 || back.Addr != v.Addr || back.Order.B[0] != 1000 {
		t.Errorf("it is read as %+v, %v", back, err)
	}
	if c.ID() != 4 {
		t.Errorf("the id is %d", c.ID())
	}
	if got := cbor.New[user]().Schema(); got != userSchema {
		t.Errorf("the schema of user is %#08x, not %#08x", got, userSchema)
	}
}

const userSchema uint32 = 0xf7a92ff4

func TestItIsSmallerThanJSON(t *testing.T) {
	u := user{Name: "Ada", Age: 36, Friend: &user{}, Photo: make([]byte, 100), Numbers: map[string][]float64{"a": {1, 2, 3}}}
	j, _ := json.Marshal(u)
	b, _ := cbor.New[user]().Append(nil, u)
	if 4*len(b) > 3*len(j) {
		t.Errorf("%d bytes of CBOR, %d of JSON", len(b), len(j))
	}
}

func TestDecodeOfSomethingElseIsAnError(t *testing.T) {
	for _, data := range []string{"", "{}", "\xa1", "\x61a", "\x81\x01", "\xf6\xf6", "\xa1\x64Name\x01", "\xa1\x64name\x61a", "\xbf\xff", "\xa1\x64Else\x01", "\xff"} {
		if v, err := cbor.New[user]().Decode([]byte(data)); err == nil {
			t.Errorf("Decode(%q) is %+v", data, v)
		} else if !strings.Contains(err.Error(), "cbor_test.user") {
			t.Errorf("Decode(%q): %v: does not name the type", data, err)
		}
	}
	if _, err := cbor.New[int8]().Decode([]byte("\x19\x01\x00")); err == nil {
		t.Error("256 is an int8")
	}
}
