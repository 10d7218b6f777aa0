package cache_test

import (
	"encoding"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

type (
	point struct {
		X, Y int
		Tag  string `json:"tag"`
		note string
	}
	tree  struct{ Left, Right *tree }
	list  []list
	graph map[string]graph
	loop  *loop
	even  struct{ Next *odd }
	odd   struct{ Next *even }
	base  struct{ ID int }
)

func TestSchemaOfTheSameShapeIsTheSame(t *testing.T) {
	other := func() uint32 {
		type point struct {
			X, Y  int
			Tag   string `json:"tag" db:"other"`
			other bool
		}
		return cache.SchemaOf[point]()
	}
	type renamed point
	for i, got := range []uint32{other(), cache.SchemaOf[renamed](), cache.SchemaOf[point]()} {
		if want := cache.SchemaOf[point](); got != want {
			t.Errorf("schema %d is %08x, want %08x", i, got, want)
		}
	}
	type id int
	if cache.SchemaOf[id]() != cache.SchemaOf[int]() {
		t.Error("the name of an integer counts")
	}
	// It is stored: a schema that changes with a release loses every value.
	if got := cache.SchemaOf[point](); got != cache.SchemaOf[struct {
		X, Y int
		Tag  string `json:"tag"`
	}]() {
		t.Errorf("the schema of a struct without a name is not that of one with: %08x", got)
	}
}

func TestTheSchemasOfJSONHaveNotChanged(t *testing.T) {
	got := []uint32{cache.SchemaOf[point](), cache.SchemaOf[user](), cache.SchemaOf[graph](), cache.SchemaOf[struct {
		base
		N [3]*int
	}]()}
	if want := []uint32{0x8c54280f, 0xb61e6b63, 0xd904ff12, 0x5dbbe881}; !slices.Equal(got, want) {
		t.Errorf("the schemas are %#08x, but servers in use hold values of %#08x", got, want)
	}
}

type inBinary struct{ N int }

func (inBinary) MarshalBinary() ([]byte, error) { return nil, nil }

func TestSchemaForAnotherTag(t *testing.T) {
	type plain struct {
		A int `json:"a"`
		B inBinary
	}
	type tagged struct {
		A int `json:"a" other:"x"`
		B inBinary
	}
	type emptied struct {
		A int `json:"a" other:""`
		B inBinary
	}
	type ordered struct {
		_ struct{} `other:",toarray"`
		A int      `json:"a"`
		B inBinary
	}
	type renamed struct {
		A int `json:"b"`
		B inBinary
	}
	binary := reflect.TypeFor[encoding.BinaryMarshaler]()
	all := []uint32{
		cache.SchemaFor[plain]("other"), cache.SchemaFor[tagged]("other"), cache.SchemaFor[emptied]("other"),
		cache.SchemaFor[ordered]("other"), cache.SchemaFor[renamed]("other"), cache.SchemaFor[plain]("other", binary),
	}
	for i, s := range all {
		if j := slices.Index(all, s); j != i {
			t.Errorf("shapes %d and %d have the same schema", j, i)
		}
	}
	if cache.SchemaOf[plain]() != cache.SchemaOf[tagged]() || cache.SchemaOf[plain]() != cache.SchemaOf[ordered]() {
		t.Error("a tag that JSON does not read changes the schema of JSON")
	}
	// The interfaces are those that are named, and no others.
	type withTime struct{ T time.Time }
	if cache.SchemaFor[withTime]("other") == cache.SchemaFor[withTime]("other", binary) {
		t.Error("a type that writes itself by no interface named counts by its name")
	}
}

func TestSchemaOfDifferentShapesDiffers(t *testing.T) {
	seen := map[uint32]string{}
	add := func(name string, schema uint32) {
		t.Helper()
		if was, ok := seen[schema]; ok {
			t.Errorf("%s has the schema of %s: %08x", name, was, schema)
		}
		seen[schema] = name
	}
	add("point", cache.SchemaOf[point]())
	add("a field less", cache.SchemaOf[struct{ X, Y int }]())
	add("a field renamed", cache.SchemaOf[struct {
		X, Z int
		Tag  string `json:"tag"`
	}]())
	add("a type changed", cache.SchemaOf[struct {
		X, Y int64
		Tag  string `json:"tag"`
	}]())
	add("a JSON tag changed", cache.SchemaOf[struct {
		X, Y int
		Tag  string `json:"label"`
	}]())
	add("fields exchanged", cache.SchemaOf[struct {
		Y, X int
		Tag  string `json:"tag"`
	}]())
	add("fields one level down", cache.SchemaOf[struct {
		P point
	}]())
	add("embedded", cache.SchemaOf[struct{ base }]())
	add("not embedded", cache.SchemaOf[struct{ ID int }]())
	add("empty", cache.SchemaOf[struct{}]())
	add("int", cache.SchemaOf[int]())
	add("int8", cache.SchemaOf[int8]())
	add("string", cache.SchemaOf[string]())
	add("any", cache.SchemaOf[any]())
	add("*int", cache.SchemaOf[*int]())
	add("**int", cache.SchemaOf[**int]())
	add("[]int", cache.SchemaOf[[]int]())
	add("[3]int", cache.SchemaOf[[3]int]())
	add("[4]int", cache.SchemaOf[[4]int]())
	add("map[string]int", cache.SchemaOf[map[string]int]())
	add("map[int]string", cache.SchemaOf[map[int]string]())
	add("map[string][]int", cache.SchemaOf[map[string][]int]())
	add("time.Time", cache.SchemaOf[time.Time]())
	add("netip.Addr", cache.SchemaOf[netip.Addr]())
	add("url.URL", cache.SchemaOf[url.URL]())
}

func TestSchemaOfARecursiveTypeEnds(t *testing.T) {
	seen := map[uint32]bool{
		cache.SchemaOf[tree](): true, cache.SchemaOf[list](): true, cache.SchemaOf[graph](): true,
		cache.SchemaOf[loop](): true, cache.SchemaOf[even](): true,
	}
	if len(seen) != 5 {
		t.Errorf("5 recursive types have %d schemas", len(seen))
	}
	if cache.SchemaOf[even]() != cache.SchemaOf[odd]() {
		t.Error("two types that are each other's shape differ")
	}
	if cache.SchemaOf[tree]() != cache.SchemaOf[tree]() {
		t.Error("a recursive type has two schemas")
	}
}
