package cbor

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// check returns an error for a value that would not come back as it was. The
// library would write it without one, or never end. depth is how deep v is.
type check func(v reflect.Value, depth int) error

var (
	timeType          = reflect.TypeFor[time.Time]()
	bigType           = reflect.TypeFor[big.Int]()
	jsonMarshaler     = reflect.TypeFor[json.Marshaler]()
	cborUnmarshaler   = reflect.TypeFor[cbor.Unmarshaler]()
	binaryUnmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
)

var (
	errDeep   = fmt.Errorf("more than %d levels deep, or contained in itself", MaxDepth)
	errMap    = errors.New("a map in an any has keys that are no strings")
	errIface  = errors.New("a value of an interface with methods cannot be read again")
	errOffset = errors.New("a time in a zone whose offset has seconds")
	errZero   = errors.New("a zero time behind a pointer or in an any would become nil")
)

// place is a type where it is: what is in an any comes back as another type.
type place struct {
	t     reflect.Type
	inAny bool
}

// checks are those of the types that were met in an any: results.
var checks sync.Map

type result struct {
	check check
	err   error
}

// checkOf returns the check of a type, nil if all of its values come back, or an
// error if none do.
func checkOf(t reflect.Type) (check, error) {
	return (&compiler{map[place]*node{}}).of(place{t, t.Kind() == reflect.Interface})
}

// node is a type that is compiled, or being compiled: then it is recursive.
type node struct {
	check check
	done  bool
}

type compiler struct{ nodes map[place]*node }

func (c *compiler) of(p place) (check, error) {
	if n := c.nodes[p]; n != nil {
		if n.done {
			return n.check, nil
		}
		return func(v reflect.Value, depth int) error { return n.check(v, depth) }, nil
	}
	n := &node{}
	c.nodes[p] = n
	inner, err := c.compile(p)
	n.done = true
	if inner != nil && err == nil {
		n.check = func(v reflect.Value, depth int) error {
			if depth > MaxDepth {
				return errDeep
			}
			return inner(v, depth+1)
		}
	}
	return n.check, err
}

func (c *compiler) compile(p place) (check, error) {
	t := p.t
	switch k := t.Kind(); {
	case t == timeType:
		return checkTime, nil
	case t == bigType:
		return nil, nil
	case k == reflect.Interface:
		return c.iface(t), nil
	case k == reflect.Pointer:
		return c.pointer(p)
	}
	if itself, err := writesItself(t); itself || err != nil {
		return nil, err
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.structure(p)
	case reflect.Slice, reflect.Array:
		elem, err := c.of(place{t.Elem(), p.inAny})
		if elem == nil || err != nil {
			return nil, err
		}
		return func(v reflect.Value, depth int) error {
			for i := range v.Len() {
				if err := elem(v.Index(i), depth); err != nil {
					return err
				}
			}
			return nil
		}, nil
	case reflect.Map:
		return c.mapping(p)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128, reflect.Uintptr:
		if p.inAny {
			return nil, nil // the library says so
		}
		return nil, fmt.Errorf("a %v cannot be written", t)
	}
	return nil, nil
}

// writesItself reports whether a type has methods that write it, and returns an
// error if none reads what they write.
func writesItself(t reflect.Type) (bool, error) {
	p := reflect.PointerTo(t)
	for _, m := range []struct{ write, read reflect.Type }{
		{cborMarshaler, cborUnmarshaler}, {binaryMarshaler, binaryUnmarshaler}, {textMarshaler, textUnmarshaler},
	} {
		if p.Implements(m.write) {
			if !p.Implements(m.read) {
				return true, fmt.Errorf("%v is a %v but no %v", t, m.write, m.read)
			}
			return true, nil
		}
	}
	if t.Kind() == reflect.Struct && p.Implements(jsonMarshaler) {
		for f := range t.Fields() {
			if !f.IsExported() && !f.Anonymous && f.Name != "_" {
				return false, fmt.Errorf("%v has unexported fields and writes itself as JSON only", t)
			}
		}
	}
	return false, nil
}

func (c *compiler) structure(p place) (check, error) {
	var fields []int
	var inner []check
	for i := range p.t.NumField() {
		f := p.t.Field(i)
		tag, ok := f.Tag.Lookup("cbor")
		if !ok || tag == "" {
			tag = f.Tag.Get("json")
		}
		if tag == "-" || !f.IsExported() && !(f.Anonymous && isStruct(f.Type)) {
			continue // it is not written
		}
		if p.inAny && strings.Contains(tag, ",keyasint") {
			return nil, errMap
		}
		one, err := c.of(place{f.Type, p.inAny})
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if one != nil {
			fields, inner = append(fields, i), append(inner, one)
		}
	}
	if fields == nil {
		return nil, nil
	}
	return func(v reflect.Value, depth int) error {
		for j, i := range fields {
			if err := inner[j](v.Field(i), depth); err != nil {
				return fmt.Errorf("%s: %w", p.t.Field(i).Name, err)
			}
		}
		return nil
	}, nil
}

func isStruct(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

func (c *compiler) mapping(p place) (check, error) {
	if p.inAny && p.t.Key().Kind() != reflect.String {
		return nil, errMap
	}
	key, err := c.of(place{p.t.Key(), p.inAny})
	if err != nil {
		return nil, err
	}
	elem, err := c.of(place{p.t.Elem(), p.inAny})
	if key == nil && elem == nil || err != nil {
		return nil, err
	}
	return func(v reflect.Value, depth int) error {
		for i := v.MapRange(); i.Next(); {
			if key != nil {
				if err := key(i.Key(), depth); err != nil {
					return err
				}
			}
			if elem != nil {
				if err := elem(i.Value(), depth); err != nil {
					return err
				}
			}
		}
		return nil
	}, nil
}

func (c *compiler) pointer(p place) (check, error) {
	elem, err := c.of(place{p.t.Elem(), p.inAny})
	if elem == nil || err != nil {
		return nil, err
	}
	toTime := p.t.Elem() == timeType
	return func(v reflect.Value, depth int) error {
		if v.IsNil() {
			return nil
		}
		if toTime && v.Elem().Addr().Interface().(*time.Time).IsZero() {
			return errZero
		}
		return elem(v.Elem(), depth)
	}, nil
}

// iface checks what is in an interface by the type that it has.
func (c *compiler) iface(t reflect.Type) check {
	methods := t.NumMethod() > 0
	return func(v reflect.Value, depth int) error {
		if v.IsNil() {
			return nil
		}
		if methods {
			return errIface
		}
		v = v.Elem()
		known, ok := checks.Load(v.Type())
		if !ok {
			check, err := (&compiler{map[place]*node{}}).of(place{v.Type(), true})
			known, _ = checks.LoadOrStore(v.Type(), result{check, err})
		}
		r := known.(result)
		if r.err != nil || r.check == nil {
			return r.err
		}
		if t, ok := v.Interface().(time.Time); ok && t.IsZero() {
			return errZero
		}
		return r.check(v, depth)
	}
}

func checkTime(v reflect.Value, _ int) error {
	var t time.Time
	if v.CanAddr() {
		t = *v.Addr().Interface().(*time.Time) // without an allocation
	} else {
		t = v.Interface().(time.Time)
	}
	if _, offset := t.Zone(); offset%60 != 0 && !t.IsZero() {
		return errOffset
	}
	return nil
}
