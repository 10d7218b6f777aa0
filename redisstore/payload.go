package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// payloads turns the values of a store into payloads and back. It writes with its
// first codec and reads with all.
type payloads[V any] struct {
	codecs     []coded[V]
	compressor cache.Compressor // may be nil
	largest    int              // that is written, or decompressed
	size       atomic.Int64     // of the last that was encoded
	plain      atomic.Int64     // of the last that was decompressed
	panicked   func(error)      // is told of what panics
}

// coded is a codec and what identifies its values.
type coded[V any] struct {
	cache.Codec[V]
	field  string // of the options
	id     byte
	schema uint32
}

// newPayloads returns those of a store's options, or panics.
func newPayloads[K comparable, V any](o *StoreOptions[K, V], panicked func(error)) *payloads[V] {
	p := &payloads[V]{compressor: o.Compressor, largest: o.MaxValue, panicked: panicked}
	switch {
	case p.largest < 0:
		panic(fmt.Sprintf("larder: redisstore: StoreOptions.MaxValue is %d: it cannot be negative", p.largest))
	case p.largest == 0:
		p.largest = maxValue
	}
	codec := o.Codec
	if codec == nil {
		codec = cache.DefaultCodec[V]()
	}
	p.add("Codec", codec)
	if err := losses(codec, o.AcceptLosses); err != nil {
		panic(err.Error())
	}
	for i, c := range o.Reads {
		p.add(fmt.Sprintf("Reads[%d]", i), c)
	}
	return p
}

// losses returns an error that names the fields which a codec loses, unless they are
// accepted.
func losses[V any](codec cache.Codec[V], accepted []string) error {
	c, ok := codec.(cache.TypeChecker)
	if !ok || slices.Contains(accepted, "*") {
		return nil
	}
	var lost, names []string
	for _, l := range c.Losses() {
		if !slices.Contains(accepted, l.Field) {
			lost, names = append(lost, "\n\t"+l.String()), append(names, strconv.Quote(l.Field))
		}
	}
	if lost == nil {
		return nil
	}
	return fmt.Errorf("larder: redisstore.New: a value of type %v would come back from Redis as another, since its codec loses a part of it:%s\n"+
		"Change the type, choose another Codec, or accept it with StoreOptions.AcceptLosses: []string{%s}",
		reflect.TypeFor[V](), strings.Join(lost, ""), strings.Join(names, ", "))
}

func (p *payloads[V]) add(field string, c cache.Codec[V]) {
	if c == nil {
		panic(fmt.Sprintf("larder: redisstore: StoreOptions.%s is nil", field))
	}
	field = "StoreOptions." + field
	var id byte
	var schema uint32
	if err := contain.Call(context.Background(), field, func() { id, schema = c.ID(), c.Schema() }); err != nil {
		panic(fmt.Sprintf("larder: redisstore: %v", err))
	}
	if p.of(id) != nil {
		panic(fmt.Sprintf("larder: redisstore: %s has the id %d, which a codec before it has", field, id))
	}
	p.codecs = append(p.codecs, coded[V]{c, field, id, schema})
}

// of returns the codec with an id, or nil.
func (p *payloads[V]) of(id byte) *coded[V] {
	for i := range p.codecs {
		if p.codecs[i].id == id {
			return &p.codecs[i]
		}
	}
	return nil
}

// put makes v the payload of e, which is to be appended to bytes before release
// is called.
func (p *payloads[V]) put(ctx context.Context, e *envelope, v V) (release func(), err error) {
	var payload []byte
	codec := &p.codecs[0]
	failed := p.call(ctx, codec.field, func() { payload, err = codec.Append(make([]byte, 0, p.size.Load()), v) })
	if err = cmp.Or(failed, err); err != nil {
		return nil, err
	}
	if len(payload) > p.largest {
		return nil, fmt.Errorf("larder: a value of %d bytes is larger than MaxValue, %d: it is not stored", len(payload), p.largest)
	}
	p.size.Store(int64(len(payload)))
	e.payload, release = textOf(payload), func() {}
	if p.compressor == nil {
		return release, nil
	}
	scratch := borrow(len(payload))
	var small []byte
	var method byte
	failed = p.call(ctx, compressorField, func() { small, method = p.compressor.Compress((*scratch)[:0], payload) })
	switch {
	case failed != nil: // who knows what it does with the memory that it was lent
		return nil, failed
	case method > maxMethod:
		err = fmt.Errorf("larder: the Compressor has method %d, more than %d", method, maxMethod)
	case method != 0 && len(small) < len(payload):
		e.method, e.payload = method, textOf(small)
	}
	return func() { giveBack(scratch) }, err
}

const compressorField = "StoreOptions.Compressor"

// call calls a codec or the Compressor.
func (p *payloads[V]) call(ctx context.Context, field string, f func()) error {
	err := contain.Call(ctx, field, f)
	if err != nil {
		p.panicked(err)
	}
	return err
}

// get returns the value of e, with cache.Hit, or the kind of miss that it is. What a codec
// or the Compressor panics of cannot be read.
func (p *payloads[V]) get(ctx context.Context, e *envelope) (v V, kind cache.Kind) {
	c := p.of(e.codec)
	if c == nil || c.schema != e.schema || e.method != 0 && p.compressor == nil {
		return v, cache.MissSchema
	}
	if e.method != 0 {
		reads := false
		if p.call(ctx, compressorField, func() { reads = p.compressor.Reads(e.method) }) != nil || !reads {
			return v, cache.MissSchema
		}
	}
	data, err := bytesOf(e.payload), error(nil)
	if e.method != 0 {
		scratch := borrow(int(p.plain.Load()))
		packed := data
		if p.call(ctx, compressorField, func() { data, err = p.compressor.Decompress((*scratch)[:0], packed, e.method, p.largest) }) != nil {
			return v, cache.MissCorrupt // and the memory is nobody's
		}
		defer giveBack(scratch)
		if err != nil || len(data) > p.largest {
			return v, cache.MissCorrupt
		}
		p.plain.Store(int64(len(data)))
	}
	if failed := p.call(ctx, c.field, func() { v, err = c.Decode(data) }); failed != nil || err != nil {
		var zero V
		return zero, cache.MissCorrupt
	}
	return v, cache.Hit
}

// scratch is memory for what is compressed or decompressed. A piece that was
// borrowed is given back, and never what somebody else has returned, which may be
// a part of anything.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch is how large a piece may be that is kept, in bytes.
const maxScratch = 1 << 20

func borrow(size int) *[]byte {
	b := scratch.Get().(*[]byte)
	if size = min(size, maxScratch); cap(*b) < size {
		*b = make([]byte, 0, size)
	}
	return b
}

func giveBack(b *[]byte) {
	if cap(*b) <= maxScratch {
		scratch.Put(b)
	}
}
