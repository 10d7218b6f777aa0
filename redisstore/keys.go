package redisstore

import (
	"encoding"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/larder-cache/larder/invalidation"
)

// The keys of a space named ns, with lane n:
//
//	ns:v:store:key      a value, a fill token or a quarantine
//	ns:l:store:key      while a value is refreshed ahead of its time: by which fill
//	ns:t:{ns:n}:tag     the version of a tag
//	ns:s:{ns:n}         the version of all entries whose key is in the lane
//	ns:b:{ns:n}         a hash: the tail of the lane's log, the tails of its
//	                    tags, the processes that listen, and the settings
//	ns:c:{ns:n}         the channel of the lane's log
//
// Names have no colon and the key comes last, so two keys are equal only if all
// their parts are. The braces put a lane's keys in one slot of a cluster.

// refreshKey returns the key under which it says who refreshes a value.
func (s *Space) refreshKey(key string) string { return s.ns + ":l:" + key[len(s.ns)+len(":v:"):] }

func (s *Space) tagKey(tag string) string { return s.tagPrefixes[s.lane(tag)] + tag }
func (s *Space) starKey(lane int) string  { return s.starKeys[lane] }

// makeKeys makes what is in the keys of every read.
func (s *Space) makeKeys() {
	for lane := range s.lanes {
		s.tagPrefixes = append(s.tagPrefixes, s.ns+":t:"+s.hashTag(lane)+":")
		s.starKeys = append(s.starKeys, s.ns+":s:"+s.hashTag(lane))
	}
}

func (s *Space) laneKey(lane int) string { return s.ns + ":b:" + s.hashTag(lane) }
func (s *Space) hashTag(lane int) string { return "{" + s.ns + ":" + strconv.Itoa(lane) + "}" }

// lane returns the lane of a tag or of a value's key. All processes agree on it.
func (s *Space) lane(name string) int {
	if s.lanes == 1 {
		return 0
	}
	return int(invalidation.Hash(name) % uint32(s.lanes))
}

// tail returns the tail of a tag.
func (s *Space) tail(tag string) tail {
	sum := invalidation.Hash(tag)
	return tail{s.lane(tag), int(sum / uint32(s.lanes) % tailsPerLane)}
}

func tailName(i int) string { return "t" + strconv.Itoa(i) }

// keyText returns the function that writes a K as text. It is injective; "" is
// a key that cannot be cached.
func keyText[K comparable]() (func(K) string, error) {
	var zero K
	switch any(zero).(type) {
	case string:
		return func(k K) string { return any(k).(string) }, nil
	case int:
		return func(k K) string { return strconv.Itoa(any(k).(int)) }, nil
	case int64:
		return func(k K) string { return strconv.FormatInt(any(k).(int64), 10) }, nil
	}
	t := reflect.TypeFor[K]()
	write, err := writer(t)
	if err != nil {
		return nil, fmt.Errorf("%w: set Options.Key", err)
	}
	return func(k K) string { return write(reflect.ValueOf(&k).Elem()) }, nil
}

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

func writer(t reflect.Type) (func(reflect.Value) string, error) {
	if t.Implements(textMarshaler) && t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface {
		return func(v reflect.Value) string {
			b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
			if err != nil {
				return ""
			}
			return string(b)
		}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return reflect.Value.String, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(v reflect.Value) string { return strconv.FormatInt(v.Int(), 10) }, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(v reflect.Value) string { return strconv.FormatUint(v.Uint(), 10) }, nil
	case reflect.Bool:
		return func(v reflect.Value) string { return strconv.FormatBool(v.Bool()) }, nil
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return func(v reflect.Value) string { return hex.EncodeToString(v.Bytes()) }, nil
		}
		part, err := writer(t.Elem())
		if err != nil {
			return nil, err
		}
		return func(v reflect.Value) string {
			parts := make([]string, v.Len())
			for i := range parts {
				parts[i] = part(v.Index(i))
			}
			return join(parts)
		}, nil
	case reflect.Struct:
		return structWriter(t)
	}
	return nil, fmt.Errorf("a key of type %v has no text of its own", t)
}

func structWriter(t reflect.Type) (func(reflect.Value) string, error) {
	fields := make([]func(reflect.Value) string, t.NumField())
	for i := range fields {
		f := t.Field(i)
		if !f.IsExported() {
			return nil, fmt.Errorf("a key of type %v has an unexported field %s", t, f.Name)
		}
		var err error
		if fields[i], err = writer(f.Type); err != nil {
			return nil, err
		}
	}
	return func(v reflect.Value) string {
		parts := make([]string, len(fields))
		for i, f := range fields {
			parts[i] = f(v.Field(i))
		}
		return join(parts)
	}, nil
}

var escape = strings.NewReplacer("%", "%25", "|", "%7C")

// join joins parts so that no other parts give the same text.
func join(parts []string) string {
	for i, p := range parts {
		parts[i] = escape.Replace(p)
	}
	return strings.Join(parts, "|")
}
