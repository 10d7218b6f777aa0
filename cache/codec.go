package cache

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// Codec turns values into bytes and back, for stores outside the process. Both
// methods may be called at once from many goroutines.
type Codec[V any] interface {
	// ID names the encoding among all that a store may meet. Larder's own are
	// below 64; choose yours from 64 on.
	ID() byte
	// Schema identifies the shape of V as this codec writes it. A stored
	// value of another schema is a miss, so that a value of an older struct
	// is loaded again and not misread. Use SchemaOf, or 0 if the bytes
	// describe themselves completely.
	Schema() uint32
	// Append appends the bytes of v to dst, and keeps neither.
	Append(dst []byte, v V) ([]byte, error)
	// Decode returns the value of data, which it must not keep or change: the
	// memory has other bytes when it has returned.
	Decode(data []byte) (V, error)
}

// The ids of the codecs in this package. 4 is that of codec/cbor.
const (
	codecJSON   = 1
	codecBytes  = 2
	codecString = 3
)

// DefaultCodec returns the codec that stores use if none is chosen: the bytes
// themselves for []byte and string, JSON for all other types.
func DefaultCodec[V any]() Codec[V] {
	if c, ok := any(Bytes{}).(Codec[V]); ok {
		return c
	}
	if c, ok := any(Text{}).(Codec[V]); ok {
		return c
	}
	return JSON[V]()
}

// JSON returns a codec on encoding/json. It costs what encoding/json costs. Methods
// of types and of their pointers write and read values alike.
//
// A time.Time comes back Equal, without its monotonic reading and the name of its
// zone. Numbers in values of type any come back as float64: Losses reports such
// fields, and those that JSON leaves out. Strings that are not valid UTF-8 would
// come back as others, and are an error of Append.
func JSON[V any]() Codec[V] { return jsonCodec[V]{SchemaOf[V]()} }

type jsonCodec[V any] struct{ schema uint32 }

func (jsonCodec[V]) ID() byte         { return codecJSON }
func (c jsonCodec[V]) Schema() uint32 { return c.schema }

// Losses returns what encoding/json leaves out of a V or reads as something else.
func (jsonCodec[V]) Losses() []Loss { return LossesFor[V]("", jsonMethods...) }

func (jsonCodec[V]) Append(dst []byte, v V) ([]byte, error) {
	b, err := json.Marshal(&v) // for a copy, methods of pointers are not called
	if err == nil {
		err = checkText(reflect.ValueOf(&v), b)
	}
	if err != nil {
		return dst, fmt.Errorf("larder: encode %T as JSON: %w", v, err)
	}
	return append(dst, b...), nil
}

func (jsonCodec[V]) Decode(data []byte) (v V, err error) {
	if err = json.Unmarshal(data, &v); err != nil {
		err = fmt.Errorf("larder: decode %T from JSON: %w", v, err)
	}
	return v, err
}

// Bytes is the codec of []byte: the bytes themselves. A nil slice comes back
// empty and not nil.
type Bytes struct{}

func (Bytes) ID() byte                                    { return codecBytes }
func (Bytes) Schema() uint32                              { return 0 }
func (Bytes) Append(dst []byte, v []byte) ([]byte, error) { return append(dst, v...), nil }

// Decode returns a copy of data.
func (Bytes) Decode(data []byte) ([]byte, error) { return append([]byte{}, data...), nil }

// Text is the codec of string: its bytes.
type Text struct{}

func (Text) ID() byte                                    { return codecString }
func (Text) Schema() uint32                              { return 0 }
func (Text) Append(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil }
func (Text) Decode(data []byte) (string, error)          { return string(data), nil }
