package redisstore

import (
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// keyText returns the function that writes a K as text, or an error that says
// why there is none. Equal keys have equal texts and different keys have
// different texts. A key for which ok is false has none, and cannot be cached.
func keyText[K comparable]() (func(K) (text string, ok bool), error) {
	var zero K
	switch any(zero).(type) {
	case string:
		return func(k K) (string, bool) { return any(k).(string), true }, nil
	case int:
		return func(k K) (string, bool) { return strconv.Itoa(any(k).(int)), true }, nil
	case int64:
		return func(k K) (string, bool) { return strconv.FormatInt(any(k).(int64), 10), true }, nil
	}
	t := reflect.TypeFor[K]()
	write, err := keyFields.writer(t)
	if err != nil {
		return nil, fmt.Errorf("a key of type %v has no text of its own: %w: set StoreOptions.Key", t, err)
	}
	return func(k K) (string, bool) { return write(reflect.ValueOf(&k).Elem()) }, nil
}

// textWriter writes the values of one type as text. It is injective where ok is
// true. If ok is false, the value has no text, which is "" then.
type textWriter func(reflect.Value) (text string, ok bool)

// fieldsOf says which fields of structs a textWriter reads, and how.
type fieldsOf struct {
	// private reads unexported fields too, and asks no field for its MarshalText:
	// that is not possible for the values of unexported fields.
	private bool
	// handles accepts a unique.Handle, which can be compared and has no text.
	handles bool
}

var (
	keyFields     = fieldsOf{}
	privateFields = fieldsOf{private: true}
	handleFields  = fieldsOf{private: true, handles: true}
)

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// writer returns the textWriter of a type.
func (f fieldsOf) writer(t reflect.Type) (textWriter, error) {
	if !f.private && t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && t.Implements(textMarshaler) {
		return marshalWriter(t)
	}
	return f.kindWriter(t)
}

// readMark begins the texts of values whose MarshalText cannot be read back.
const readMark = "!"

// marshalWriter returns the textWriter of a type with a MarshalText. What that
// writes may be the text of many values: it may be promoted from one of several
// fields, leave something out, or fail. So its text counts only if UnmarshalText
// makes the same value of it again. Any other value is written by its kind, behind
// a mark that no text which counts begins with.
func marshalWriter(t reflect.Type) (textWriter, error) {
	reads := reflect.PointerTo(t).Implements(textUnmarshaler)
	own, err := keyFields.kindWriter(t)
	if err != nil {
		own, err = privateFields.kindWriter(t)
	}
	if err != nil && reads {
		own, err = handleFields.kindWriter(t)
	}
	if err != nil || !reads {
		return own, err
	}
	return func(v reflect.Value) (string, bool) {
		if text, ok := readable(v); ok && !strings.HasPrefix(text, readMark) {
			return text, true
		}
		text, ok := own(v)
		if !ok {
			return "", false
		}
		return readMark + text, true
	}, nil
}

// readable returns what the MarshalText of v writes, if UnmarshalText reads it as
// a value that is equal to v. A panic in either means that it does not.
func readable(v reflect.Value) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = "", false
		}
	}()
	k := v.Interface()
	b, err := k.(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return "", false
	}
	text = string(b)
	back := reflect.New(v.Type())
	if err := back.Interface().(encoding.TextUnmarshaler).UnmarshalText(b); err != nil {
		return "", false
	}
	return text, back.Elem().Interface() == k
}

// kindWriter returns the textWriter of a type that does not ask it for its own
// MarshalText.
func (f fieldsOf) kindWriter(t reflect.Type) (textWriter, error) {
	switch t.Kind() {
	case reflect.String:
		return func(v reflect.Value) (string, bool) { return v.String(), true }, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(v reflect.Value) (string, bool) { return strconv.FormatInt(v.Int(), 10), true }, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(v reflect.Value) (string, bool) { return strconv.FormatUint(v.Uint(), 10), true }, nil
	case reflect.Bool:
		return func(v reflect.Value) (string, bool) { return strconv.FormatBool(v.Bool()), true }, nil
	case reflect.Array:
		return f.arrayWriter(t)
	case reflect.Struct:
		return f.structWriter(t)
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return nil, fmt.Errorf("a %v may be -0, which is equal to 0, or NaN, which is equal to nothing", t)
	case reflect.Interface:
		return nil, fmt.Errorf("a %v may hold values of several types", t)
	}
	return nil, fmt.Errorf("a %v is compared by where it points, and not by what is there", t)
}

func (f fieldsOf) arrayWriter(t reflect.Type) (textWriter, error) {
	if t.Elem().Kind() == reflect.Uint8 {
		return func(v reflect.Value) (string, bool) { return hex.EncodeToString(v.Bytes()), true }, nil
	}
	element, err := f.writer(t.Elem())
	if err != nil {
		return nil, err
	}
	return func(v reflect.Value) (string, bool) {
		parts := make([]string, v.Len())
		for i := range parts {
			var ok bool
			if parts[i], ok = element(v.Index(i)); !ok {
				return "", false
			}
		}
		return join(parts), true
	}, nil
}

var errUnexported = errors.New("it is unexported")

func (f fieldsOf) structWriter(t reflect.Type) (textWriter, error) {
	if f.handles && t.PkgPath() == "unique" {
		return func(reflect.Value) (string, bool) { return "", false }, nil
	}
	var places []int
	var fields []textWriter
	for i := range t.NumField() {
		field := t.Field(i)
		if f.private && field.Name == "_" {
			continue // == does not compare it
		}
		write, err := f.writer(field.Type)
		if !f.private && !field.IsExported() {
			err = errUnexported
		}
		if err != nil {
			return nil, fmt.Errorf("field %s of %v: %w", field.Name, t, err)
		}
		places, fields = append(places, i), append(fields, write)
	}
	return func(v reflect.Value) (string, bool) {
		parts := make([]string, len(fields))
		for i, write := range fields {
			var ok bool
			if parts[i], ok = write(v.Field(places[i])); !ok {
				return "", false
			}
		}
		return join(parts), true
	}, nil
}

var escape = strings.NewReplacer("%", "%25", "|", "%7C")

// join joins parts so that no others of the same number give the same text.
func join(parts []string) string {
	for i, p := range parts {
		parts[i] = escape.Replace(p)
	}
	return strings.Join(parts, "|")
}
