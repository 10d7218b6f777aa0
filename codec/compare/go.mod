module github.com/larder-cache/larder/codec/compare

go 1.26.0

require (
	github.com/alicebob/miniredis/v2 v2.40.0
	github.com/larder-cache/larder v0.0.0
	github.com/larder-cache/larder/codec/cbor v0.0.0
	github.com/larder-cache/larder/codec/compress v0.0.0
	github.com/redis/go-redis/v9 v9.23.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/fxamacker/cbor/v2 v2.10.0 // indirect
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
)

replace (
	github.com/larder-cache/larder => ../..
	github.com/larder-cache/larder/codec/cbor => ../cbor
	github.com/larder-cache/larder/codec/compress => ../compress
)
