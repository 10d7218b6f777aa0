package compress

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// window is how far back zstd looks for repetitions, in bytes.
const window = 1 << 20

// encoder returns what all Zstd compressors write with. Entries have a checksum
// of their own, and a single segment always says its size.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	return must(zstd.NewWriter(nil, zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithWindowSize(window)))
})

// decoder returns what all read with. It has no reader, so it has no goroutine.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	return must(zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderConcurrency(0)))
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the options are constants
	}
	return v
}
