module github.com/larder-cache/larder/codec/compress

go 1.26.0

require (
	github.com/klauspost/compress v1.20.4
	github.com/larder-cache/larder v0.0.0
	go.uber.org/goleak v1.3.0
)

replace github.com/larder-cache/larder => ../..
