package redisstore

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/larder-cache/larder/cache"
)

// payloads turns the values of a store into payloads and back. It writes with its
// first codec and reads with all.
type payloads[V any] struct {
	codecs     []coded[V]
	compressor cache.Compressor // may be nil
	largest    int              // that is written, or decompressed
	size       atomic.Int64     // of the last that was encoded
	plain      atomic.Int64     // of the last that was decompressed
}

// coded is a codec and what identifies its values.
type coded[V any] struct {
	cache.Codec[V]
	id     byte
	schema uint32
}

// newPayloads returns those of a store's options, or panics.
func newPayloads[K comparable, V any](o *StoreOptions[K, V]) *payloads[V] {
	p := &payloads[V]{compressor: o.Compressor, largest: o.MaxValue}
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
	for i, c := range o.Reads {
		p.add(fmt.Sprintf("Reads[%d]", i), c)
	}
	return p
}

func (p *payloads[V]) add(field string, c cache.Codec[V]) {
	if c == nil {
		panic(fmt.Sprintf("larder: redisstore: StoreOptions.%s is nil", field))
	}
	id := c.ID()
	if p.of(id) != nil {
		panic(fmt.Sprintf("larder: redisstore: StoreOptions.%s has the id %d, which a codec before it has", field, id))
	}
	p.codecs = append(p.codecs, coded[V]{c, id, c.Schema()})
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
func (p *payloads[V]) put(e *envelope, v V) (release func(), err error) {
	payload, err := p.codecs[0].Append(make([]byte, 0, p.size.Load()), v)
	if err != nil {
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
	small, method := p.compressor.Compress((*scratch)[:0], payload)
	switch {
	case method > maxMethod:
		err = fmt.Errorf("larder: the Compressor has method %d, more than %d", method, maxMethod)
	case method != 0 && len(small) < len(payload):
		e.method, e.payload = method, textOf(small)
	}
	return func() { giveBack(scratch) }, err
}

// get returns the value of e, with cache.Hit, or the kind of miss that it is.
func (p *payloads[V]) get(e *envelope) (v V, kind cache.Kind) {
	c := p.of(e.codec)
	if c == nil || c.schema != e.schema || e.method != 0 && (p.compressor == nil || !p.compressor.Reads(e.method)) {
		return v, cache.MissSchema
	}
	data, err := bytesOf(e.payload), error(nil)
	if e.method != 0 {
		scratch := borrow(int(p.plain.Load()))
		defer giveBack(scratch)
		data, err = p.compressor.Decompress((*scratch)[:0], data, e.method, p.largest)
		if err != nil || len(data) > p.largest {
			return v, cache.MissCorrupt
		}
		p.plain.Store(int64(len(data)))
	}
	if v, err = c.Decode(data); err != nil {
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
