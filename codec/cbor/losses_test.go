package cbor_test

import (
	"math/big"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/codec/cbor"
)

// losing fails the test unless CBOR loses the fields of a V that are named.
func losing[V any](t *testing.T, fields ...string) {
	t.Helper()
	losses := cbor.New[V]().(cache.TypeChecker).Losses()
	var got []string
	for _, l := range losses {
		got = append(got, l.Field)
	}
	slices.Sort(got)
	slices.Sort(fields)
	if !slices.Equal(got, fields) {
		t.Errorf("%T loses %q, want %q: %v", *new(V), got, fields, losses)
	}
}

type inPart struct {
	time.Time
	Shop int
}

func TestLosses_AreNamedByField(t *testing.T) {
	losing[struct {
		Kept   int    `json:"-" cbor:"kept"`
		Lost   string `json:"-"`
		Too    string `json:"too" cbor:"-"`
		Any    any
		secret int
	}](t, "Lost", "Too", "Any", "secret")
	losing[inPart](t, "Shop")
	losing[struct {
		_     struct{} `cbor:",toarray"`
		At    time.Time
		From  netip.Addr
		N     *big.Int
		Raw   map[[2]int]string
		Bytes []byte
	}](t)
	losing[cycle](t)
	losing[itself](t)
	losing[loop](t)
}

func TestSchema_KnowsWhatIsEmbedded(t *testing.T) {
	type Base struct{ ID int }
	a, b := cbor.New[struct{ Base }](), cbor.New[struct{ Base Base }]()
	if a.Schema() == b.Schema() {
		t.Errorf("both have the schema %08x", a.Schema())
	}
	named := cbor.New[struct {
		Base `cbor:"base"`
	}]()
	field := cbor.New[struct {
		Base Base `cbor:"base"`
	}]()
	if named.Schema() != field.Schema() {
		t.Errorf("under a name, the schemas are %08x and %08x", named.Schema(), field.Schema())
	}
}
