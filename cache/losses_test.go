package cache_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

type (
	// money writes itself by methods of its pointer.
	money   struct{ cents int }
	percent struct{ value int } // the same as text
	address struct {
		Street string
		geo    [2]float64
	}
	onlyWrites struct{ N int }
	onlyReads  struct{ N int }
	folded     string   // a key of maps that is read in another way than it is written
	dated      struct { // loses Shop
		time.Time
		Shop int
	}
	datedWhole struct { // does not
		time.Time
		Shop int
	}
	datedAlone struct{ time.Time }
	priced     struct { // loses Name
		Name string
		*money
	}
	left   struct{ Name, Left string }
	right  struct{ Name, Right string }
	hidden struct{ Shown int }
)

func (m *money) MarshalJSON() ([]byte, error) { return json.Marshal(fmt.Sprint(m.cents, " cents")) }
func (m *money) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	_, err := fmt.Sscanf(s, "%d cents", &m.cents)
	return err
}

func (p *percent) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%d%%", p.value), nil }
func (p *percent) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "%d%%", &p.value)
	return err
}

func (onlyWrites) MarshalJSON() ([]byte, error) { return []byte(`"1"`), nil }
func (*onlyReads) UnmarshalJSON([]byte) error   { return nil }
func (f *folded) UnmarshalText(b []byte) error  { *f = folded(strings.ToLower(string(b))); return nil }
func (d datedWhole) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		At   time.Time
		Shop int
	}{d.Time, d.Shop})
}

func TestJSON_MethodsOfPointersAreCalledBothWays(t *testing.T) {
	roundTrip(t, cache.JSON[money](), money{999}, money{999})
	roundTrip(t, cache.JSON[percent](), percent{7}, percent{7})
	roundTrip(t, cache.JSON[struct{ Price money }](), struct{ Price money }{money{999}}, struct{ Price money }{money{999}})
	roundTrip(t, cache.JSON[[2]percent](), [2]percent{{1}, {2}}, [2]percent{{1}, {2}})
	roundTrip(t, cache.JSON[struct{ N big.Int }](), struct{ N big.Int }{*big.NewInt(7)}, struct{ N big.Int }{*big.NewInt(7)})
	roundTrip(t, cache.JSON[big.Int](), *big.NewInt(-7), *big.NewInt(-7))
	roundTrip(t, cache.JSON[*money](), &money{999}, &money{999})
}

func TestJSON_StringsThatAreNotUTF8AreAnError(t *testing.T) {
	type row struct {
		Name string
		Of   map[string]string
		Any  any
		Left string `json:"-"`
		At   time.Time
		note string
	}
	c := cache.JSON[*row]()
	for name, r := range map[string]row{
		"field":   {Name: "a\xff"},
		"key":     {Of: map[string]string{"\xff": "a"}},
		"element": {Of: map[string]string{"a": "\xfe"}},
		"any":     {Any: []any{1, "\xff"}},
	} {
		if data, err := c.Append(nil, &r); err == nil || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%s: it is written as %q, %v", name, data, err)
		}
	}
	if data, err := cache.JSON[json.RawMessage]().Append(nil, json.RawMessage("\"\xff\"")); err == nil {
		t.Errorf("a message is written as %q", data)
	}
	for _, s := range []string{"\ufffd", `\ufffd`, "\u2028", ""} {
		r := &row{Name: s, Of: map[string]string{s: s}, Any: s}
		roundTrip(t, c, r, r)
	}
	r := &row{Name: "\ufffd", Left: "\xff", note: "\xff"}
	roundTrip(t, c, r, &row{Name: "\ufffd"})
}

func lossesOf[V any]() []cache.Loss { return cache.JSON[V]().(cache.TypeChecker).Losses() }

// losing fails the test unless JSON loses the fields of a V that are named.
func losing[V any](t *testing.T, fields ...string) {
	t.Helper()
	var got []string
	for _, l := range lossesOf[V]() {
		got = append(got, l.Field)
		if l.Reason == "" {
			t.Errorf("%v loses %s without a reason", reflect.TypeFor[V](), l.Field)
		}
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		t.Errorf("%v loses %q, want %q: %v", reflect.TypeFor[V](), got, fields, lossesOf[V]())
	}
}

func TestJSON_LossesAreNamedByField(t *testing.T) {
	losing[struct {
		ID       int
		Password string `json:"-"`
		Dash     string `json:"-,"`
		mu       sync.Mutex
		_        int
		none     struct{}
	}](t, "Password", "mu")
	losing[map[string][]*address](t, "[][].geo")
	losing[struct{ Home, Work address }](t, "Home.geo")
	losing[struct {
		A any
		E error
		S fmt.Stringer
	}](t, "A", "E", "S")
	losing[any](t, "*")
	losing[map[string]any](t, "[]")
	losing[struct{ F func() }](t, "F")
	losing[chan int](t, "*")
	losing[complex128](t, "*")
	// Names that occur twice.
	losing[struct {
		left
		right
	}](t, "left.Name", "right.Name")
	losing[struct {
		left
		Name string
	}](t, "left.Name")
	losing[struct {
		A string `json:"B"`
		B string
	}](t, "B")
	losing[struct {
		left `json:"l"`
		right
	}](t)
	type tagged = struct {
		left `json:"l"`
		right
	}
	roundTrip(t, cache.JSON[tagged](), tagged{left{"a", "b"}, right{"c", "d"}}, tagged{left{"a", "b"}, right{"c", "d"}})
	losing[struct{ *hidden }](t, "hidden")
	losing[struct{ hidden }](t)
	// Methods.
	losing[onlyWrites](t, "*")
	losing[[]onlyReads](t, "[]")
	losing[dated](t, "Shop")
	losing[struct {
		time.Time
		Shop int
	}](t, "Shop")
	losing[datedWhole](t)
	losing[datedAlone](t)
	losing[[]priced](t, "[].Name")
	losing[struct {
		time.Time
		netip.Addr
	}](t, "Addr")
	// Maps.
	losing[map[string]money](t, "[]")
	losing[map[string]struct{ Price money }](t, "[].Price")
	losing[map[string][]money](t)
	losing[map[string]*money](t)
	losing[struct {
		Price  money
		Prices map[string]struct{ At money }
	}](t, "Prices[].At")
	losing[map[folded]int](t, "*")
	losing[map[percent]int](t, "*")
	losing[map[bool]int](t, "*")
	losing[struct{ Of map[struct{ A int }]int }](t, "Of")
}

func TestJSON_WholeTypesHaveNoLosses(t *testing.T) {
	losing[int](t)
	losing[string](t)
	losing[*[]map[int8][3]float64](t)
	losing[struct {
		user2
		At    time.Time
		From  netip.Addr
		Raw   json.RawMessage
		N     json.Number
		Big   *big.Int
		Price money
		Bytes []byte
		ByIP  map[netip.Addr]time.Duration
	}](t)
	for _, l := range [][]cache.Loss{lossesOf[tree](), lossesOf[list](), lossesOf[graph](), lossesOf[loop](), lossesOf[even]()} {
		if l != nil {
			t.Errorf("a recursive type loses %v", l)
		}
	}
	losing[struct{ *recursive }](t, "recursive")
}

type (
	user2 struct {
		Name string `json:"name,omitempty"`
		Age  int    `json:",string"`
	}
	recursive struct {
		*recursive
		N int
	}
)

func TestSchemaOf_KnowsWhatIsEmbedded(t *testing.T) {
	type Base struct{ ID int }
	schemas := []uint32{
		cache.SchemaOf[struct{ Base }](), cache.SchemaOf[struct{ Base Base }](),
		cache.SchemaOf[struct{ *Base }](), cache.SchemaOf[struct{ Base *Base }](),
	}
	for i, s := range schemas {
		if j := slices.Index(schemas, s); j != i {
			t.Errorf("shapes %d and %d have the schema %08x", j, i, s)
		}
	}
	// Under a name of its own, it is written as a field.
	if a, b := cache.SchemaOf[struct {
		Base `json:"base"`
	}](), cache.SchemaOf[struct {
		Base Base `json:"base"`
	}](); a != b {
		t.Errorf("an embedded struct with a name has the schema %08x, and a field %08x", a, b)
	}
}

// Methods of pointers are called where they were not before, so what was written then
// must not be read.
func TestSchemaOf_KnowsWhichMethodsWrite(t *testing.T) {
	before := func(shape string) uint32 {
		h := fnv.New32a()
		io.WriteString(h, shape)
		return h.Sum32()
	}
	if got, want := cache.SchemaOf[*money](), before("ptrcache_test.money"); got != want {
		t.Errorf("the schema of *money is %08x, and was %08x when its methods were called too", got, want)
	}
	if got := cache.SchemaOf[money](); got == before("cache_test.money") {
		t.Errorf("the schema of money is %08x, as when its methods were not called", got)
	}
	if got, want := cache.SchemaOf[time.Time](), before("time.Time"); got != want {
		t.Errorf("the schema of time.Time is %08x, and was %08x", got, want)
	}
	textOnly := cache.SchemaOf[percent]()
	asJSON := func() uint32 {
		type percent struct{ money } // also called cache_test.percent
		return cache.SchemaOf[percent]()
	}()
	if textOnly == asJSON {
		t.Error("a schema does not say by which method a type writes itself")
	}
}
