// Package validkey finds keys that no map can hold.
package validkey

import (
	"fmt"
	"reflect"

	"github.com/larder-cache/larder/cache"
)

// Check returns a function that returns an error, which wraps cache.ErrInvalidKey, for a
// key that Go cannot compare or that is not equal to itself. It is nil if no K is one, so
// that keys of most types cost nothing.
func Check[K comparable]() func(K) error {
	if !doubtful(reflect.TypeFor[K]()) {
		return nil
	}
	return check[K]
}

// doubtful reports whether a value of t may be unequal to itself, or panic when it is
// compared.
func doubtful(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return true
	case reflect.Array:
		return doubtful(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if doubtful(f.Type) {
				return true
			}
		}
	}
	return false
}

func check[K comparable](k K) (err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("%w: %v: use a key of which all parts can be compared", cache.ErrInvalidKey, why)
		}
	}()
	if other := k; k != other {
		return fmt.Errorf("%w: %v of type %T is not equal to itself, as NaN is not: use another key for it", cache.ErrInvalidKey, k, k)
	}
	return nil
}

// First returns the first error that check has of keys; check may be nil.
func First[K any](check func(K) error, keys []K) error {
	if check == nil {
		return nil
	}
	for _, k := range keys {
		if err := check(k); err != nil {
			return err
		}
	}
	return nil
}

// Valid returns the keys of which check has no error, all itself if these are all, and
// the first error; check may be nil.
func Valid[K any](check func(K) error, all []K) (valid []K, err error) {
	if First(check, all) == nil {
		return all, nil
	}
	for _, k := range all {
		if bad := check(k); bad == nil {
			valid = append(valid, k)
		} else if err == nil {
			err = bad
		}
	}
	return valid, err
}
