package cache

import (
	"encoding"
	"encoding/json"
	"hash/fnv"
	"io"
	"reflect"
	"slices"
	"strconv"
)

// SchemaOf returns a fingerprint of the shape of V: the names, JSON tags and
// types of all exported fields, whether they are embedded, and so on down. Two builds in which V has the
// same shape agree on it, whatever V and its package are called. A type that
// writes itself (encoding.TextMarshaler, json.Marshaler) counts by its name,
// and by which of these it is, since its shape says nothing about its bytes.
func SchemaOf[V any]() uint32 { return SchemaFor[V]("", jsonMarshaler, textMarshaler) }

// SchemaFor is SchemaOf for a codec that obeys another tag of struct fields beside
// JSON's, also that of the field "_", and that lets types write themselves which
// implement one of the interfaces writers, and no others. The first of these have
// precedence.
func SchemaFor[V any](tag string, writers ...reflect.Type) uint32 {
	h := fnv.New32a()
	s := shaper{h, tag, writers, map[reflect.Type]int{}}
	s.shape(reflect.TypeFor[V](), tag == "")
	return h.Sum32()
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	// binaryMarshaler, like jsonMarshaler, is what types that write themselves
	// usually have: those count by their names alone.
	binaryMarshaler = reflect.TypeFor[encoding.BinaryMarshaler]()
)

type shaper struct {
	w       io.Writer
	tag     string // beside json
	writers []reflect.Type
	seen    map[reflect.Type]int
}

// shape writes the shape of a type. copied says that a value of it is a part of V
// itself, of which JSON was once given a copy: then methods of pointers were not
// called.
func (s *shaper) shape(t reflect.Type, copied bool) {
	w, seen := s.w, s.seen
	if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer {
		if i := slices.IndexFunc(s.writers, reflect.PointerTo(t).Implements); i >= 0 {
			by := s.writers[i]
			io.WriteString(w, t.String())
			if by != jsonMarshaler && by != binaryMarshaler {
				io.WriteString(w, "/"+by.String())
			}
			if copied && !t.Implements(by) {
				io.WriteString(w, "&")
			}
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
			if s.tag != "" && f.Name == "_" {
				io.WriteString(w, "_`"+f.Tag.Get(s.tag)+"`;")
			}
			if f.PkgPath != "" && !f.Anonymous {
				continue
			}
			io.WriteString(w, f.Name+"`"+f.Tag.Get("json")+"`")
			if own, ok := f.Tag.Lookup(s.tag); s.tag != "" && ok {
				io.WriteString(w, own+"`")
			}
			if s.flattens(f) {
				io.WriteString(w, "+")
			}
			s.shape(f.Type, copied)
			io.WriteString(w, ";")
		}
		io.WriteString(w, "}")
	case reflect.Map:
		seen[t] = len(seen)
		defer delete(seen, t)
		s.shape(t.Key(), false)
		s.shape(t.Elem(), false)
	case reflect.Array:
		io.WriteString(w, strconv.Itoa(t.Len()))
		s.shape(t.Elem(), copied)
	case reflect.Slice, reflect.Pointer:
		if t.Name() != "" {
			seen[t] = len(seen)
			defer delete(seen, t)
		}
		s.shape(t.Elem(), false)
	}
}

// flattens reports whether the fields of an embedded struct are written as those of
// the struct that it is in.
func (s *shaper) flattens(f reflect.StructField) bool {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _ := nameInTag(s.tag, f)
	return f.Anonymous && t.Kind() == reflect.Struct && name == ""
}
