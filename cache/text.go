package cache

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"
)

var errNotUTF8 = errors.New("it has a string that is not valid UTF-8, which would come back as another")

// checkText returns an error if a string in v is not valid UTF-8: encoding/json
// writes, or reads, another one in its place. data is what it has written.
func checkText(v reflect.Value, data []byte) error {
	if !utf8.Valid(data) {
		return errNotUTF8
	}
	// The replacement is written in one of these two ways; a string may have them too.
	if !bytes.Contains(data, []byte(`\ufffd`)) && !bytes.Contains(data, []byte("\ufffd")) {
		return nil
	}
	return checkStrings(v)
}

// checkStrings looks at all strings in v. encoding/json has written it, so it does not
// contain itself.
func checkStrings(v reflect.Value) error {
	if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
		if itself, err := checkMethods(v); itself {
			return err
		}
	}
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return errNotUTF8
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return checkStrings(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := checkStrings(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			if err := errors.Join(checkStrings(i.Key()), checkStrings(i.Value())); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Tag.Get("json") == "-" || !f.IsExported() && !f.Anonymous {
				continue
			}
			if err := checkStrings(v.Field(i)); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
	}
	return nil
}

// checkMethods reports whether v writes itself, and checks what it writes as text.
func checkMethods(v reflect.Value) (itself bool, err error) {
	if !v.CanInterface() {
		return false, nil
	}
	if v.CanAddr() {
		v = v.Addr()
	}
	switch m := v.Interface().(type) {
	case json.Marshaler:
		return true, nil // its bytes have been looked at
	case encoding.TextMarshaler:
		if b, err := m.MarshalText(); err == nil && !utf8.Valid(b) {
			return true, errNotUTF8
		}
		return true, nil
	}
	return false, nil
}
