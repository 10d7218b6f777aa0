package cachetest

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

// RoundTrip fails the test for each value that a codec cannot write, or that does not
// come back as it was, and says where the two differ. A nil codec is
// cache.DefaultCodec. Give it values in which no field is zero: what a codec leaves
// out comes back as zero.
//
// A time.Time must come back Equal. It may lose its monotonic reading and the name of
// its zone. A nil slice or map is not equal to an empty one.
//
//	cachetest.RoundTrip(t, nil, User{ID: 7, Name: "Ada", Born: time.Now()})
func RoundTrip[V any](t testing.TB, codec cache.Codec[V], values ...V) {
	t.Helper()
	if codec == nil {
		codec = cache.DefaultCodec[V]()
	}
	if len(values) == 0 {
		t.Errorf("cachetest: RoundTrip of %v without values tests nothing", reflect.TypeFor[V]())
	}
	for i, v := range values {
		data, err := codec.Append(nil, v)
		if err != nil {
			t.Errorf("cachetest: value %d of %v cannot be written: %v", i, reflect.TypeFor[V](), err)
			continue
		}
		written := string(data)
		back, err := codec.Decode(data)
		for j := range data {
			data[j] = '!' // a store uses the memory again
		}
		if err != nil {
			t.Errorf("cachetest: value %d of %v cannot be read again: %v, from %q", i, reflect.TypeFor[V](), err, written)
			continue
		}
		if where := difference(reflect.ValueOf(&v).Elem(), reflect.ValueOf(&back).Elem()); where != "" {
			t.Errorf("cachetest: value %d of %v comes back as another: %s, from %q", i, reflect.TypeFor[V](), where, written)
		}
	}
}

// difference says where two values of one type differ, and returns "" if they do not.
func difference(v, w reflect.Value) string {
	c := comparison{seen: map[[2]uintptr]bool{}}
	return c.of("value", v, w)
}

// comparison is one of two values.
type comparison struct {
	seen map[[2]uintptr]bool // pointers that are being compared
}

func (c *comparison) of(path string, v, w reflect.Value) string {
	differ := func() string { return fmt.Sprintf("%s is %s and was %s", path, show(w), show(v)) }
	if v.IsValid() != w.IsValid() {
		return differ()
	}
	if v.IsValid() && v.Type() != w.Type() {
		return fmt.Sprintf("%s is %v(%s) and was %v(%s)", path, w.Type(), show(w), v.Type(), show(v))
	}
	if v.IsValid() && v.Type() == reflect.TypeFor[time.Time]() && v.CanInterface() {
		if !v.Interface().(time.Time).Equal(w.Interface().(time.Time)) {
			return differ()
		}
		return ""
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface, reflect.Func:
		if v.IsNil() || w.IsNil() {
			if v.IsNil() != w.IsNil() {
				return differ()
			}
			return ""
		}
	}
	switch v.Kind() {
	case reflect.Invalid:
		return ""
	case reflect.Pointer:
		pair := [2]uintptr{v.Pointer(), w.Pointer()}
		if c.seen[pair] {
			return ""
		}
		c.seen[pair] = true
		return c.of(path, v.Elem(), w.Elem())
	case reflect.Interface:
		return c.of(path, v.Elem(), w.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "_" {
				if where := c.of(path+"."+name, v.Field(i), w.Field(i)); where != "" {
					return where
				}
			}
		}
		return ""
	case reflect.Slice, reflect.Array:
		if v.Len() != w.Len() {
			return fmt.Sprintf("%s has %d elements and had %d", path, w.Len(), v.Len())
		}
		for i := range v.Len() {
			if where := c.of(fmt.Sprintf("%s[%d]", path, i), v.Index(i), w.Index(i)); where != "" {
				return where
			}
		}
		return ""
	case reflect.Map:
		if v.Len() != w.Len() {
			return fmt.Sprintf("%s has %d elements and had %d", path, w.Len(), v.Len())
		}
		for i := v.MapRange(); i.Next(); {
			if where := c.of(fmt.Sprintf("%s[%s]", path, show(i.Key())), i.Value(), w.MapIndex(i.Key())); where != "" {
				return where
			}
		}
		return ""
	case reflect.Float32, reflect.Float64:
		if math.IsNaN(v.Float()) && math.IsNaN(w.Float()) {
			return ""
		}
	case reflect.Func:
		return differ() // no codec writes one that is not nil, and two cannot be compared
	}
	if !v.Equal(w) {
		return differ()
	}
	return ""
}

// show prints a value, also that of an unexported field.
func show(v reflect.Value) string {
	if !v.IsValid() {
		return "nothing"
	}
	return fmt.Sprintf("%#v", v)
}
