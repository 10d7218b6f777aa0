package cbor

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
	"github.com/larder-cache/larder/cache"
)

// ID is what the codec is called in envelopes.
const ID = 4

const (
	// MaxDepth is how deep structs, slices, maps, pointers and anys may be in each
	// other: deeper values, and those that contain themselves, are errors of
	// Append.
	MaxDepth = 500
	// MaxItems is how many elements an array, and how many pairs a map, may have
	// that is decoded.
	MaxItems = 8 << 20
)

// New returns a codec of V. It panics if V has a type that could not be read again:
// one that can only be written, or has unexported fields and nothing but MarshalJSON
// to write itself.
//
// Decode reads all of the bytes before it takes memory for values, so what they
// claim is believed only as far as it is there: at most MaxItems at a time, and for
// each byte at most the memory of one element or pair of the largest kind in V.
//
// The schema is cache.SchemaFor with cbor's struct tags: a value from before a
// change of tags is a miss.
func New[V any]() cache.Codec[V] {
	t := reflect.TypeFor[V]()
	check, err := checkOf(t)
	if err != nil {
		panic(fmt.Sprintf("larder: cbor.New[%v]: %v", t, err))
	}
	return codec[V]{check, cache.SchemaFor[V]("cbor", cborMarshaler, binaryMarshaler, textMarshaler)}
}

type codec[V any] struct {
	check  check // nil if V has nothing to check
	schema uint32
}

var (
	cborMarshaler   = reflect.TypeFor[cbor.Marshaler]()
	binaryMarshaler = reflect.TypeFor[encoding.BinaryMarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
)

var encMode = must(cbor.EncOptions{
	Sort:          cbor.SortBytewiseLexical,
	ShortestFloat: cbor.ShortestFloat16,
	Time:          cbor.TimeRFC3339Nano,
	TimeTag:       cbor.EncTagRequired, // without it, a time in an any would be a string
	IndefLength:   cbor.IndefLengthForbidden,
	TextMarshaler: cbor.TextMarshalerTextString,
}.UserBufferEncMode())

var decMode = must(cbor.DecOptions{
	MaxNestedLevels:   MaxDepth + 20, // tags and the insides of types that write themselves
	MaxArrayElements:  MaxItems,
	MaxMapPairs:       MaxItems,
	IndefLength:       cbor.IndefLengthForbidden,
	IntDec:            cbor.IntDecConvertSignedOrBigInt,
	UTF8:              cbor.UTF8DecodeInvalid, // a string comes back as it was
	FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	DefaultMapType:    reflect.TypeFor[map[string]any](),
	TextUnmarshaler:   cbor.TextUnmarshalerTextString,
}.DecMode())

func must[M any](mode M, err error) M {
	if err != nil {
		panic(err) // the options are constants
	}
	return mode
}

func (codec[V]) ID() byte         { return ID }
func (c codec[V]) Schema() uint32 { return c.schema }

// Losses returns what is left out of a V or read as something else.
func (codec[V]) Losses() []cache.Loss {
	return cache.LossesFor[V]("cbor", cache.Methods{Write: cborMarshaler, Read: cborUnmarshaler},
		cache.Methods{Write: binaryMarshaler, Read: binaryUnmarshaler}, cache.Methods{Write: textMarshaler, Read: textUnmarshaler})
}

func (c codec[V]) Append(dst []byte, v V) ([]byte, error) {
	var err error
	if c.check != nil {
		err = c.check(reflect.ValueOf(&v).Elem(), 0)
	}
	buf := bytes.NewBuffer(dst)
	if err == nil {
		err = encMode.MarshalToBuffer(&v, buf)
	}
	if err != nil {
		return dst, fmt.Errorf("larder: encode %T as CBOR: %w", v, err)
	}
	return buf.Bytes(), nil
}

func (codec[V]) Decode(data []byte) (v V, err error) {
	if err = decMode.Unmarshal(data, &v); err != nil {
		err = fmt.Errorf("larder: decode %T from CBOR: %w", v, err)
	}
	return v, err
}
