package cache

import (
	"fmt"
	"reflect"
	"strconv"
)

// placeOf returns a number from 0 to less than 100 that is the same for a key in
// all processes and versions.
func placeOf[K comparable](key K) float64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a, 64 bits
	h := uint64(offset)
	for _, b := range keyText(key) {
		h = (h ^ uint64(b)) * prime
	}
	// The upper bits of FNV differ little between short texts: the finalizer of
	// MurmurHash3 (A. Appleby) spreads them.
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return float64(h>>11) / (1 << 53) * 100
}

func keyText[K comparable](key K) []byte {
	switch v := reflect.ValueOf(&key).Elem(); v.Kind() {
	case reflect.String:
		return []byte(v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(nil, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(nil, v.Uint(), 10)
	}
	return fmt.Append(nil, key)
}
