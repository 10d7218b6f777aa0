// Package compress has compressors for the values that redisstore keeps, on
// github.com/klauspost/compress:
//
//	redisstore.New(space, "pages", &redisstore.StoreOptions[string, Page]{Compressor: compress.S2(0)})
//
// S2 is the one to begin with: it costs little. Zstd makes values smaller still,
// and takes several times as long; docs/codecs.md has figures. All of them read
// what any of them has written, so that a fleet changes from one to another at
// once. A fleet that does not compress yet has ReadOnly first, in every process.
//
// They are safe for concurrent use, start no goroutines and need not be closed.
package compress
