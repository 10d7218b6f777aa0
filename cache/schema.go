package cache

import (
	"encoding"
	"encoding/json"
	"hash/fnv"
	"io"
	"reflect"
	"strconv"
)

// SchemaOf returns a fingerprint of the shape of V: the names, JSON tags and
// types of all exported fields, and so on down. Two builds in which V has the
// same shape agree on it, whatever V and its package are called. A type that
// writes itself (encoding.TextMarshaler, json.Marshaler) counts by its name,
// since its shape says nothing about its bytes.
func SchemaOf[V any]() uint32 {
	h := fnv.New32a()
	shape(h, reflect.TypeFor[V](), map[reflect.Type]int{})
	return h.Sum32()
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
)

func shape(w io.Writer, t reflect.Type, seen map[reflect.Type]int) {
	if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer {
		if p := reflect.PointerTo(t); p.Implements(textMarshaler) || p.Implements(jsonMarshaler) {
			io.WriteString(w, t.String())
			return
		}
	}
	if n, ok := seen[t]; ok { // a recursive type
		io.WriteString(w, "^"+strconv.Itoa(n))
		return
	}
	io.WriteString(w, t.Kind().String())
	switch t.Kind() {
	case reflect.Struct:
		seen[t] = len(seen)
		defer delete(seen, t) // a type that occurs twice is not recursive
		io.WriteString(w, "{")
		for f := range t.Fields() {
			if f.PkgPath != "" && !f.Anonymous {
				continue
			}
			io.WriteString(w, f.Name+"`"+f.Tag.Get("json")+"`")
			shape(w, f.Type, seen)
			io.WriteString(w, ";")
		}
		io.WriteString(w, "}")
	case reflect.Map:
		seen[t] = len(seen)
		defer delete(seen, t)
		shape(w, t.Key(), seen)
		shape(w, t.Elem(), seen)
	case reflect.Array:
		io.WriteString(w, strconv.Itoa(t.Len()))
		shape(w, t.Elem(), seen)
	case reflect.Slice, reflect.Pointer:
		if t.Name() != "" {
			seen[t] = len(seen)
			defer delete(seen, t)
		}
		shape(w, t.Elem(), seen)
	}
}
