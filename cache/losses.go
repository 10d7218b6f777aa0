package cache

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// TypeChecker is a Codec that knows which parts of its type do not survive it:
// Decode returns the value without them, and no error. The codecs of this package
// and of codec/cbor are TypeCheckers. redisstore.New refuses what they report, unless
// it is told to accept it.
type TypeChecker interface {
	// Losses returns those parts, nil if there are none.
	Losses() []Loss
}

// Loss is a part of a type that does not survive a Codec.
type Loss struct {
	// Field is where it is in the type, such as "Password" or "Orders[].note".
	// It is "*" for all of the type.
	Field string
	// Reason says why it does not survive.
	Reason string
}

// String returns the field and the reason.
func (l Loss) String() string { return l.Field + ": " + l.Reason }

// Methods are an interface by which a type writes itself and the one by which it
// reads itself, such as json.Marshaler and json.Unmarshaler.
type Methods struct{ Write, Read reflect.Type }

// LossesFor returns the losses of V for a codec that obeys another tag of struct
// fields before JSON's, or "", and lets types write and read themselves by methods,
// of which the first have precedence. It follows the rules of encoding/json. A type
// that writes and reads itself is believed to do both completely.
func LossesFor[V any](tag string, methods ...Methods) []Loss {
	c := lossFinder{tag: tag, methods: methods, seen: map[visit]bool{}}
	c.find(reflect.TypeFor[V](), "", true)
	return c.losses
}

var jsonMethods = []Methods{
	{jsonMarshaler, reflect.TypeFor[json.Unmarshaler]()},
	{textMarshaler, textUnmarshaler},
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

type lossFinder struct {
	tag     string // before json
	methods []Methods
	seen    map[visit]bool
	losses  []Loss
}

// visit is a type that has been looked at, and whether it was addressable.
type visit struct {
	t           reflect.Type
	addressable bool
}

func (c *lossFinder) add(path, format string, args ...any) {
	if path = strings.TrimPrefix(path, "."); path == "" {
		path = "*"
	}
	c.losses = append(c.losses, Loss{path, fmt.Sprintf(format, args...)})
}

// find adds the losses of a type at a path. addressable is false for the elements
// of maps, whose methods on pointers JSON does not call.
func (c *lossFinder) find(t reflect.Type, path string, addressable bool) {
	if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer && c.itself(t, path, addressable) {
		return
	}
	if t.Name() != "" && t.Kind() != reflect.Interface || t.Kind() == reflect.Struct { // all recursion goes through one of these
		v := visit{t, addressable}
		if c.seen[v] {
			return
		}
		c.seen[v] = true
	}
	switch t.Kind() {
	case reflect.Pointer:
		c.find(t.Elem(), path, true)
	case reflect.Slice:
		c.find(t.Elem(), path+"[]", true)
	case reflect.Array:
		c.find(t.Elem(), path+"[]", addressable)
	case reflect.Map:
		c.key(t.Key(), path)
		c.find(t.Elem(), path+"[]", false)
	case reflect.Struct:
		c.structure(t, path, addressable)
	case reflect.Interface:
		c.add(path, "its type %v is an interface, whose values come back as others, such as float64 and map[string]any, or not at all", t)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		c.add(path, "a %v cannot be written", t)
	}
}

// itself reports whether a type writes itself, and adds what is wrong with it.
func (c *lossFinder) itself(t reflect.Type, path string, addressable bool) bool {
	p := reflect.PointerTo(t)
	writer := slices.IndexFunc(c.methods, func(m Methods) bool { return p.Implements(m.Write) })
	reader := slices.IndexFunc(c.methods, func(m Methods) bool { return p.Implements(m.Read) })
	switch {
	case writer < 0 && reader < 0:
		return false
	case writer < 0:
		c.add(path, "%v reads itself by %v and does not write itself", t, c.methods[reader].Read)
		return true
	case reader < 0:
		c.add(path, "%v writes itself by %v and does not read itself", t, c.methods[writer].Write)
		return true
	}
	m := c.methods[writer]
	if c.tag == "" && !addressable && !t.Implements(m.Write) {
		c.add(path, "%v has %s for pointers only, which is not called for what is in a map", t, m.Write.Method(0).Name)
		return true
	}
	if field, ok := promoted(t, m.Write); ok {
		for f := range t.Fields() {
			if f.Name != field && f.Name != "_" && f.Type.Size() > 0 {
				c.add(path+"."+f.Name, "%v is written by the %s of its embedded %s alone", t, m.Write.Method(0).Name, field)
			}
		}
	}
	return true
}

// key adds what is wrong with the keys of maps in JSON.
func (c *lossFinder) key(t reflect.Type, path string) {
	if c.tag != "" {
		c.find(t, path+"[]", false)
		return
	}
	writes, reads := t.Implements(textMarshaler), reflect.PointerTo(t).Implements(textUnmarshaler)
	switch k := t.Kind(); {
	case k == reflect.String && reads:
		c.add(path, "the keys of the map, of type %v, are written as strings and read by their UnmarshalText", t)
	case k == reflect.String || writes && reads:
	case writes || reads:
		c.add(path, "the keys of the map, of type %v, are written or read by a method, and not both", t)
	case k < reflect.Int || k > reflect.Uintptr:
		c.add(path, "the keys of the map, of type %v, cannot be written", t)
	}
}
