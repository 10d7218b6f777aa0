package otelcache

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Observer returns an Observer that records how long loads (larder.load), round
// trips to the servers (larder.trip, larder.trip.keys) and the way of an invalidation
// over the bus (larder.invalidation.lag) take, as histograms. All other events it
// ignores: their numbers come from Register. One is enough for all stores and Loaders
// of a program. An error is the meter's.
//
// An event that is recorded costs what the SDK's histogram does, any other a
// comparison.
func Observer(meter metric.Meter) (cache.Observer, error) {
	if meter == nil {
		return nil, errors.New("larder: otelcache.Observer: meter is nil")
	}
	var o observer
	var errs [4]error
	// The bounds are those of promcache.
	o.load, errs[0] = meter.Float64Histogram("larder.load", metric.WithUnit("s"), metric.WithDescription("How long the origin took."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30))
	o.trip, errs[1] = meter.Float64Histogram("larder.trip", metric.WithUnit("s"), metric.WithDescription("How long round trips to the servers took."),
		metric.WithExplicitBucketBoundaries(.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1))
	o.keys, errs[2] = meter.Int64Histogram("larder.trip.keys", metric.WithUnit("{key}"), metric.WithDescription("How many keys went in a round trip."),
		metric.WithExplicitBucketBoundaries(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024))
	o.lag, errs[3] = meter.Float64Histogram("larder.invalidation.lag", metric.WithUnit("s"), metric.WithDescription("How long invalidations of this process took to come back over the bus."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return &o, nil
}

type observer struct {
	load, trip, lag metric.Float64Histogram
	keys            metric.Int64Histogram
	attributes      sync.Map // of where, to []metric.RecordOption
}

// where is what the attributes say.
type where struct {
	cache string
	level cache.Level
}

// Observe records the event if it is one of those that take time.
func (o *observer) Observe(e cache.Event) {
	switch e.Kind {
	case cache.Load:
		record(o, e, o.load)
	case cache.Heard:
		record(o, e, o.lag)
	case cache.Trip:
		record(o, e, o.trip)
		o.keys.Record(context.Background(), int64(max(e.N, 1)), o.of(e)...)
	}
}

func record(o *observer, e cache.Event, h metric.Float64Histogram) {
	h.Record(context.Background(), float64(e.Took)/float64(time.Second), o.of(e)...)
}

// of returns the attributes of an event, which are made once for each cache and
// level.
func (o *observer) of(e cache.Event) []metric.RecordOption {
	w := where{e.Cache, e.Level}
	if found, ok := o.attributes.Load(w); ok {
		return found.([]metric.RecordOption)
	}
	set := attribute.NewSet(attribute.String("cache", e.Cache), attribute.String("level", e.Level.String()))
	made, _ := o.attributes.LoadOrStore(w, []metric.RecordOption{metric.WithAttributeSet(set)})
	return made.([]metric.RecordOption)
}
