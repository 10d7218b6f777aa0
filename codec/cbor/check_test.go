package cbor_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/codec/cbor"
)

func codecOf[V any](V) cache.Codec[V] { return cbor.New[V]() }

func TestTimesComeBackExactlyOrNotAtAll(t *testing.T) {
	zone := func(seconds int) *time.Location { return time.FixedZone("somewhere", seconds) }
	amsterdam := time.Date(1910, 1, 1, 12, 0, 0, 0, zone(19*60+32))
	for _, at := range []time.Time{
		{}, time.Unix(0, 0).UTC(), time.Unix(1_700_000_000, 123_456_789).UTC(), time.Unix(-1, 999_999_999).UTC(),
		time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2024, 2, 29, 1, 2, 3, 4, zone(5*3600+45*60)), time.Date(2024, 2, 29, 1, 2, 3, 4, zone(-23*3600-59*60)),
		time.Now(), time.Now().UTC(), time.Now().Round(0),
	} {
		roundTrip(t, at, at)
		back, err := trip(map[string]any{"at": []any{at}})
		if at.IsZero() {
			if err == nil {
				t.Errorf("a zero time in an any comes back as %v", back)
			}
			refused(t, &at)
			refused(t, struct{ At *time.Time }{&at})
			continue
		}
		if err != nil || !same(back["at"].([]any)[0], at) {
			t.Errorf("%v in an any comes back as %v, %v", at, back, err)
		}
		p, err := trip(&at)
		if err != nil || !same(*p, at) {
			t.Errorf("a pointer to %v comes back as one to %v, %v", at, p, err)
		}
	}
	type event struct {
		Name string
		At   []time.Time
	}
	for _, bad := range []time.Time{
		amsterdam, time.Date(2024, 1, 1, 0, 0, 0, 0, zone(1)), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 1, 1, 0, 0, 0, 0, zone(24*3600)),
	} {
		refused(t, bad)
		refused(t, event{At: []time.Time{{}, bad}})
		refused(t, map[string]*event{"a": nil, "b": {At: []time.Time{bad}}})
		refused[any](t, []any{1, event{At: []time.Time{bad}}})
		refused(t, map[time.Time]int{bad: 1})
	}
}

// trip returns v as it comes back.
func trip[V any](v V) (V, error) {
	c := cbor.New[V]()
	data, err := c.Append(nil, v)
	if err != nil {
		var zero V
		return zero, err
	}
	return c.Decode(data)
}

type (
	cycle   struct{ Next *cycle }
	itself  []itself
	loop    *loop
	counted struct {
		N    int
		Next *counted
	}
)

func TestWhatContainsItselfIsAnErrorAndNoCrash(t *testing.T) {
	c := &cycle{}
	c.Next = c
	refused(t, c)
	refused(t, *c)
	list := itself{nil}
	list[0] = list
	refused(t, list)
	var l loop
	l = &l
	refused(t, l)
	m := map[string]any{}
	m["m"] = m
	refused(t, m)
	refused[any](t, []any{m})
	refused[any](t, c)
}

func TestEveryDepthThatIsWrittenIsRead(t *testing.T) {
	deepest := 0
	for n := 1; n < 2*cbor.MaxDepth; n++ {
		var c *counted
		var a any = int64(1)
		for i := range n {
			c = &counted{i, c}
			a = []any{a}
		}
		if back, err := trip(c); err == nil {
			deepest = n
			depth := 0
			for ; back != nil; back = back.Next {
				depth++
			}
			if depth != n {
				t.Fatalf("a list of %d comes back as one of %d", n, depth)
			}
		} else if strings.Contains(err.Error(), "decode") {
			t.Fatalf("%d levels: %v", n, err)
		}
		if _, err := trip(a); err != nil && strings.Contains(err.Error(), "decode") {
			t.Fatalf("%d levels of any: %v", n, err)
		}
	}
	if deepest < cbor.MaxDepth/2-1 || deepest > cbor.MaxDepth {
		t.Errorf("lists of up to %d come back", deepest)
	}
}

func TestWhatCannotBeReadAgainIsAnErrorOfAppend(t *testing.T) {
	refused[any](t, map[int]string{1: "a"})
	refused[any](t, map[string]any{"a": []map[bool]int{{true: 1}}})
	refused[any](t, byNumber{A: "a"})
	refused[any](t, map[any]any{"a": 1})
	refused[any](t, make(chan int))
	refused[any](t, complex(1, 2))
	refused(t, struct{ Err error }{errors.New("e")})
	refused(t, []io.Reader{nil, strings.NewReader("a")})
	refused(t, []fmt.Stringer{time.Second})
}

type (
	writeOnly struct{ n int }
	jsonOnly  struct{ n int }
	jsonOpen  struct{ N int }
)

func (writeOnly) MarshalText() ([]byte, error) { return []byte("a"), nil }
func (jsonOnly) MarshalJSON() ([]byte, error)  { return []byte("1"), nil }
func (jsonOpen) MarshalJSON() ([]byte, error)  { return []byte("1"), nil }

func panicOf[V any]() (p any) {
	defer func() { p = recover() }()
	cbor.New[V]()
	return nil
}

func TestNewPanicsForTypesThatCouldNotBeRead(t *testing.T) {
	for want, p := range map[string]any{
		"writeOnly": panicOf[map[string][]*writeOnly](), "field F: cbor_test.jsonOnly": panicOf[struct{ F jsonOnly }](),
		"chan int": panicOf[chan int](), "func()": panicOf[struct{ F func() }](), "complex128": panicOf[[]complex128](),
	} {
		if !strings.Contains(fmt.Sprint(p), want) || !strings.Contains(fmt.Sprint(p), "cbor.New[") {
			t.Errorf("the panic %v does not speak of %q", p, want)
		}
	}
	for i, p := range []any{panicOf[jsonOpen](), panicOf[any](), panicOf[tree](), panicOf[embedded](), panicOf[time.Time]()} {
		if p != nil {
			t.Errorf("%d: %v", i, p)
		}
	}
	refused[any](t, jsonOnly{})
	roundTrip(t, jsonOpen{7}, jsonOpen{7})
}

func TestAChangeOfTagsIsAnotherSchema(t *testing.T) {
	schemas := map[string]uint32{
		"plain": codecOf(struct{ A, B int }{}).Schema(),
		"a cbor tag": codecOf(struct {
			A int `cbor:"a"`
			B int
		}{}).Schema(),
		"another": codecOf(struct {
			A int `cbor:"b"`
			B int
		}{}).Schema(),
		"a number": codecOf(struct {
			A int `cbor:"1,keyasint"`
			B int
		}{}).Schema(),
		"a JSON tag": codecOf(struct {
			A int `json:"a"`
			B int
		}{}).Schema(),
		"in order": codecOf(struct {
			_    struct{} `cbor:",toarray"`
			A, B int
		}{}).Schema(),
		"exchanged": codecOf(struct{ B, A int }{}).Schema(),
		"JSON only": codecOf(jsonOpen{}).Schema(),
		"time":      codecOf(time.Time{}).Schema(),
	}
	seen := map[uint32]string{}
	for name, s := range schemas {
		if seen[s] != "" {
			t.Errorf("%s has the schema of %s", name, seen[s])
		}
		seen[s] = name
	}
	type jsonOpen struct{ M int } // what only JSON writes counts by its fields
	if codecOf(jsonOpen{}).Schema() == schemas["JSON only"] {
		t.Error("another field is the same schema")
	}
	if codecOf(struct{ A, B int }{}).Schema() != codecOf(struct {
		A, B int
		note string
	}{}).Schema() {
		t.Error("an unexported field is another schema")
	}
}
