module github.com/larder-cache/larder/codec/cbor

go 1.26.0

require (
	github.com/fxamacker/cbor/v2 v2.10.0
	github.com/larder-cache/larder v0.0.0
	go.uber.org/goleak v1.3.0
)

require github.com/x448/float16 v0.8.4 // indirect

replace github.com/larder-cache/larder => ../..
