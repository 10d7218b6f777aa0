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
// types of all exported fields, and so on down. Two builds in which V has the
// same shape agree on it, whatever V and its package are called. A type that
// writes itself (encoding.TextMarshaler, json.Marshaler) counts by its name,
// since its shape says nothing about its bytes.
func SchemaOf[V any]() uint32 { return SchemaFor[V]("", textMarshaler, jsonMarshaler) }

// SchemaFor is SchemaOf for a codec that obeys another tag of struct fields beside
// JSON's, also that of the field "_", and that lets types write themselves which
// implement one of the interfaces writers, and no others.
func SchemaFor[V any](tag string, writers ...reflect.Type) uint32 {
	h := fnv.New32a()
	s := shaper{h, tag, writers, map[reflect.Type]int{}}
	s.shape(reflect.TypeFor[V]())
	return h.Sum32()
}

var (
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
)

type shaper struct {
	w       io.Writer
	tag     string // beside json
	writers []reflect.Type
	seen    map[reflect.Type]int
}

func (s *shaper) shape(t reflect.Type) {
	w, seen := s.w, s.seen
	if t.Kind() != reflect.Interface && t.Kind() != reflect.Pointer &&
		slices.ContainsFunc(s.writers, reflect.PointerTo(t).Implements) {
		io.WriteString(w, t.String())
		return
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
			s.shape(f.Type)
			io.WriteString(w, ";")
		}
		io.WriteString(w, "}")
	case reflect.Map:
		seen[t] = len(seen)
		defer delete(seen, t)
		s.shape(t.Key())
		s.shape(t.Elem())
	case reflect.Array:
		io.WriteString(w, strconv.Itoa(t.Len()))
		s.shape(t.Elem())
	case reflect.Slice, reflect.Pointer:
		if t.Name() != "" {
			seen[t] = len(seen)
			defer delete(seen, t)
		}
		s.shape(t.Elem())
	}
}
