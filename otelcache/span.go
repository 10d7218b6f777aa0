package otelcache

import (
	"context"

	"github.com/larder-cache/larder/cache"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// The attributes of spans.
const (
	cacheKey   = attribute.Key("larder.cache")   // the name given
	keysKey    = attribute.Key("larder.keys")    // how many keys it is about
	hitKey     = attribute.Key("larder.hit")     // whether there was an entry
	hitsKey    = attribute.Key("larder.hits")    // for how many keys there was one
	busyKey    = attribute.Key("larder.busy")    // another process loads it already
	foundKey   = attribute.Key("larder.found")   // how many values the origin has
	outcomeKey = attribute.Key("larder.outcome") // what became of a load
	storedKey  = attribute.Key("larder.stored")  // how many entries were stored
	refusedKey = attribute.Key("larder.refused") // how many were not, as something was invalidated
	passedKey  = attribute.Key("larder.passed")  // how many were not, as there is a writer
	errorKey   = attribute.Key("error.type")     // the class of an error
)

// tracing starts spans of a cache.
type tracing struct {
	tracer trace.Tracer
	name   string
}

// span is one that ends with end, which is deferred.
type span struct {
	trace.Span
	returned bool
}

func (t tracing) start(ctx context.Context, verb string, keys int) (context.Context, *span) {
	ctx, s := t.tracer.Start(ctx, verb+" "+t.name, trace.WithAttributes(cacheKey.String(t.name), keysKey.Int(keys)))
	return ctx, &span{Span: s}
}

// done says that what the span is about has returned err, which is recorded unless
// it is nil, and sets attributes.
func (s *span) done(err error, attributes ...attribute.KeyValue) {
	s.returned = true
	if !s.IsRecording() {
		return
	}
	s.SetAttributes(attributes...)
	if err != nil {
		s.RecordError(err)
		s.failed(cache.ClassOf(err), err.Error())
	}
}

// end ends the span. If nothing has returned, there was a panic, whose value may be
// anything and is not recorded.
func (s *span) end() {
	if !s.returned {
		s.failed(cache.ClassPanic, "it panicked or ended its goroutine")
	}
	s.End()
}

func (s *span) failed(class cache.ErrorClass, text string) {
	s.SetAttributes(errorKey.String(class.String()))
	s.SetStatus(codes.Error, text)
}

// check panics unless a function of this package has what it needs.
func check(of string, tracer trace.Tracer, name string) {
	switch {
	case tracer == nil:
		panic("larder: otelcache." + of + ": tracer is nil")
	case name == "":
		panic("larder: otelcache." + of + ": name is empty")
	}
}
