module github.com/larder-cache/larder/codec/compare

go 1.26.0

require (
	github.com/alicebob/miniredis/v2 v2.40.0
	github.com/larder-cache/larder v0.0.0
	github.com/larder-cache/larder/codec/cbor v0.0.0
	github.com/larder-cache/larder/codec/compress v0.0.0
	github.com/redis/go-redis/v9 v9.23.0
)

replace (
	github.com/larder-cache/larder => ../..
	github.com/larder-cache/larder/codec/cbor => ../cbor
	github.com/larder-cache/larder/codec/compress => ../compress
)
