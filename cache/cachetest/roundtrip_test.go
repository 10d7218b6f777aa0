package cachetest_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/cachetest"
)

// noted is a testing.TB that keeps what it is told and does not fail.
type noted struct {
	testing.TB
	errors []string
}

func (n *noted) Helper() {}
func (n *noted) Errorf(format string, args ...any) {
	n.errors = append(n.errors, fmt.Sprintf(format, args...))
}

type parcel struct {
	ID    int
	Note  string `json:"-"`
	Of    map[string][]*parcel
	At    time.Time
	Any   any
	Score float64
	seen  bool
}

// keeping is a codec that keeps the bytes it decodes.
type keeping struct{ cache.Bytes }

func (keeping) Decode(data []byte) ([]byte, error) { return data, nil }

func TestRoundTrip_SaysWhereAValueDiffers(t *testing.T) {
	check := func(value parcel, says ...string) {
		t.Helper()
		n := &noted{TB: t}
		cachetest.RoundTrip(n, nil, parcel{ID: 1, At: time.Now()}, value)
		if len(n.errors) != min(len(says), 1) {
			t.Errorf("%+v: %q, want %q", value, n.errors, says)
			return
		}
		for _, s := range says {
			if !strings.Contains(n.errors[0], s) {
				t.Errorf("%+v: %q does not say %s", value, n.errors[0], s)
			}
		}
	}
	check(parcel{ID: 7, Of: map[string][]*parcel{"a": {nil, {ID: 8, At: time.Now()}}}, Score: -0.5})
	check(parcel{Any: []any{"a", true, nil, 1.5}})
	check(parcel{Note: "x"}, "value 1 of cachetest_test.parcel", `value.Note is "" and was "x"`)
	check(parcel{seen: true}, "value.seen is false and was true")
	check(parcel{Of: map[string][]*parcel{"a": {nil, {Note: "x"}}}}, `value.Of["a"][1].Note`)
	check(parcel{Any: 1}, "value.Any is float64(1) and was int(1)")
	check(parcel{Any: map[string]any{"a": []int{1}}}, `value.Any["a"]`)
	check(parcel{Score: math.NaN()}, "cannot be written", "NaN")
	check(parcel{Of: map[string][]*parcel{"\xff": nil}}, "cannot be written", "UTF-8")

	n := &noted{TB: t}
	cachetest.RoundTrip(n, nil, []byte(nil), []byte{}, []byte("a"))
	cachetest.RoundTrip(n, cache.Codec[[]byte](keeping{}), []byte("abc"))
	cachetest.RoundTrip[string](n, nil)
	if len(n.errors) != 3 || !strings.Contains(n.errors[0], "value 0 of []uint8") ||
		!strings.Contains(n.errors[1], "value[0]") || !strings.Contains(n.errors[2], "tests nothing") {
		t.Errorf("%q", n.errors)
	}
}
