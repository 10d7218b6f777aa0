package compress

import (
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/larder-cache/larder/cache"
)

// DefaultMin is the size in bytes from which values are compressed unless another
// is given: below, it saves little and costs more than it saves.
const DefaultMin = 1024

// The methods, as they are in envelopes.
const (
	methodS2   = 1
	methodZstd = 2
)

var (
	errMethod = errors.New("larder: not a method of codec/compress")
	errLarge  = errors.New("larder: more would be decompressed than is allowed")
	errSize   = errors.New("larder: compressed without a size")
)

// S2 returns a compressor that writes S2 blocks. Values shorter than min bytes, 0
// for DefaultMin, and those that it does not make smaller by an eighth are stored
// as they are. It panics if min is negative.
func S2(min int) cache.Compressor { return compressor{appendS2, methodS2, least("S2", min)} }

// Zstd returns a compressor that writes Zstandard frames at the library's default
// level, with a window of 1 MiB. Values are left as they are as by S2. It panics if
// min is negative.
//
// All Zstd compressors of a process share their encoders and decoders: as many as
// GOMAXPROCS, each with a few MiB of memory from when it is first used.
func Zstd(min int) cache.Compressor { return compressor{appendZstd, methodZstd, least("Zstd", min)} }

// ReadOnly returns a compressor that reads what the others have written and stores
// all values as they are: for the first step of a fleet that begins to compress,
// and the last of one that stops.
func ReadOnly() cache.Compressor { return compressor{} }

func least(name string, min int) int {
	if min < 0 {
		panic(fmt.Sprintf("larder: compress.%s: min is %d: it cannot be negative", name, min))
	}
	if min == 0 {
		return DefaultMin
	}
	return min
}

type compressor struct {
	write  func(dst, src []byte) []byte // nil for ReadOnly
	method byte
	min    int
}

func (c compressor) Compress(dst, src []byte) ([]byte, byte) {
	if c.write == nil || len(src) < c.min {
		return dst, 0
	}
	out := c.write(dst, src)
	if saved := len(src) - (len(out) - len(dst)); saved <= 0 || saved < len(src)/8 {
		return dst, 0
	}
	return out, c.method
}

func (c compressor) Reads(method byte) bool { return method == methodS2 || method == methodZstd }

func (c compressor) Decompress(dst, src []byte, method byte, limit int) ([]byte, error) {
	switch method {
	case methodS2:
		return readS2(dst, src, limit)
	case methodZstd:
		return readZstd(dst, src, limit)
	}
	return dst, errMethod
}

// room returns dst with room for n bytes more, and the n bytes behind it. It
// compares n with the limit first.
func room(dst []byte, n uint64, limit int) (grown, behind []byte, err error) {
	if n > uint64(max(limit, 0)) {
		return dst, nil, errLarge
	}
	grown = slices.Grow(dst, int(n))
	return grown, grown[len(dst) : len(dst)+int(n) : len(dst)+int(n)], nil
}

func appendS2(dst, src []byte) []byte {
	most := s2.MaxEncodedLen(len(src))
	if most < 0 {
		return append(dst, src...) // too large for s2, and not smaller
	}
	dst = slices.Grow(dst, most)
	return dst[:len(dst)+len(s2.Encode(dst[len(dst):len(dst)+most], src))]
}

func readS2(dst, src []byte, limit int) ([]byte, error) {
	n, err := s2.DecodedLen(src)
	if err != nil {
		return dst, fmt.Errorf("larder: decompress: %w", err)
	}
	grown, behind, err := room(dst, uint64(n), limit)
	if err != nil {
		return dst, err
	}
	out, err := s2.Decode(behind, src)
	if err != nil {
		return dst, fmt.Errorf("larder: decompress: %w", err)
	}
	return grown[:len(dst)+len(out)], nil
}

func appendZstd(dst, src []byte) []byte { return encoder().EncodeAll(src, dst) }

func readZstd(dst, src []byte, limit int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(src); err != nil {
		return dst, fmt.Errorf("larder: decompress: %w", err)
	}
	if !h.HasFCS || h.Skippable {
		return dst, errSize
	}
	grown, behind, err := room(dst, h.FrameContentSize, limit)
	if err != nil {
		return dst, err
	}
	// The decoder fills the capacity that it is given and takes no other memory for
	// what comes out, be it of several frames.
	out, err := decoder().DecodeAll(src, behind[:0])
	if err != nil {
		return dst, fmt.Errorf("larder: decompress: %w", err)
	}
	return grown[:len(dst)+len(out)], nil
}
