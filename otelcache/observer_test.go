package otelcache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/otelcache"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// broken is a Meter that cannot make what is used here.
type broken struct{ metric.Meter }

var errMeter = errors.New("no instruments")

func (broken) Int64ObservableCounter(string, ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return nil, errMeter
}

func (broken) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errMeter
}

// histogram returns the count, the sum and the bounds of the point with attributes.
func histogram(all map[string]metricdata.Metrics, name string, attributes ...string) (count uint64, sum float64, bounds int) {
	want := set(attributes...)
	switch h := all[name].Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range h.DataPoints {
			if p.Attributes.Equals(&want) {
				return p.Count, p.Sum, len(p.Bounds)
			}
		}
	case metricdata.Histogram[int64]:
		for _, p := range h.DataPoints {
			if p.Attributes.Equals(&want) {
				return p.Count, float64(p.Sum), len(p.Bounds)
			}
		}
	}
	return 0, 0, 0
}

func TestDurationsAreRecorded(t *testing.T) {
	meter, collect := metered(t)
	o, err := otelcache.Observer(meter)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		o.Observe(cache.Event{Kind: cache.Load, Cache: "users", Level: cache.Origin, N: 9, Took: 250 * time.Millisecond, Err: context.Canceled})
	}
	o.Observe(cache.Event{Kind: cache.Load, Cache: "orders", Level: cache.Origin, N: 1, Took: time.Second})
	o.Observe(cache.Event{Kind: cache.Trip, Level: cache.Shared, N: 5, Took: 2 * time.Millisecond})
	o.Observe(cache.Event{Kind: cache.Trip, Level: cache.Shared, Took: 2 * time.Millisecond}) // at least one key
	o.Observe(cache.Event{Kind: cache.Heard, Level: cache.Shared, N: 1, Took: 4 * time.Second})
	all := collect()
	for _, c := range []struct {
		name   string
		at     []string
		count  uint64
		sum    float64
		bounds int
		unit   string
	}{
		{"larder.load", []string{"cache", "users", "level", "origin"}, 2, 0.5, 15, "s"},
		{"larder.load", []string{"cache", "orders", "level", "origin"}, 1, 1, 15, "s"},
		{"larder.trip", []string{"cache", "", "level", "shared"}, 2, 0.004, 13, "s"},
		{"larder.trip.keys", []string{"cache", "", "level", "shared"}, 2, 6, 11, "{key}"},
		{"larder.invalidation.lag", []string{"cache", "", "level", "shared"}, 1, 4, 16, "s"},
	} {
		if count, sum, bounds := histogram(all, c.name, c.at...); count != c.count || sum != c.sum || bounds != c.bounds || all[c.name].Unit != c.unit {
			t.Errorf("%s%q is %d, %v, with %d bounds, in %s; want %+v", c.name, c.at, count, sum, bounds, all[c.name].Unit, c)
		}
	}
	if len(all) != 4 {
		t.Errorf("there are %d metrics, want 4", len(all))
	}
}

func TestOtherEventsAreNotRecordedAndCostNothing(t *testing.T) {
	meter, collect := metered(t)
	o, err := otelcache.Observer(meter)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range cache.Kinds() {
		if k == cache.Load || k == cache.Trip || k == cache.Heard {
			continue
		}
		if n := testing.AllocsPerRun(10, func() { o.Observe(cache.Event{Kind: k, Cache: "users", N: 1, Took: time.Second}) }); n > 0 {
			t.Errorf("%q allocates %v times", k, n)
		}
	}
	if all := collect(); len(all) != 0 {
		t.Errorf("there are metrics: %v", all)
	}
}

func TestARecordedEventDoesNotAllocate(t *testing.T) {
	meter, _ := metered(t)
	o, err := otelcache.Observer(meter)
	if err != nil {
		t.Fatal(err)
	}
	e := cache.Event{Kind: cache.Trip, Cache: "users", Level: cache.Shared, N: 1, Took: time.Millisecond}
	o.Observe(e)
	if n := testing.AllocsPerRun(100, func() { o.Observe(e) }); n > 0 {
		t.Errorf("a trip allocates %v times", n)
	}
}
