package otelcache_test

import (
	"context"
	"testing"

	"github.com/larder-cache/larder/cache"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a store or Loader that has counted this.
type source cache.Stats

func (s *source) Stats() cache.Stats { return cache.Stats(*s) }

// idle returns sources of all levels that have counted nothing.
func idle() []cache.Source {
	return []cache.Source{&source{Level: cache.Origin}, &source{Level: cache.Memory}, &source{Level: cache.Shared}}
}

// metered returns a meter, and what collects from it, by the names of metrics.
func metered(t testing.TB) (metric.Meter, func() map[string]metricdata.Metrics) {
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	t.Cleanup(func() { provider.Shutdown(context.Background()) })
	return provider.Meter("test"), func() map[string]metricdata.Metrics {
		t.Helper()
		var all metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &all); err != nil {
			t.Fatal(err)
		}
		out := map[string]metricdata.Metrics{}
		for _, scope := range all.ScopeMetrics {
			for _, m := range scope.Metrics {
				if _, twice := out[m.Name]; twice {
					t.Errorf("there are two metrics called %s", m.Name)
				}
				out[m.Name] = m
			}
		}
		return out
	}
}

// number returns the value of the point of a counter that has these attributes, given
// as names and values, and no others; -1 if there is none.
func number(all map[string]metricdata.Metrics, name string, attributes ...string) int64 {
	want := set(attributes...)
	if sum, ok := all[name].Data.(metricdata.Sum[int64]); ok {
		for _, p := range sum.DataPoints {
			if p.Attributes.Equals(&want) {
				return p.Value
			}
		}
	}
	return -1
}

func set(attributes ...string) attribute.Set {
	var all []attribute.KeyValue
	for i := 0; i < len(attributes); i += 2 {
		all = append(all, attribute.String(attributes[i], attributes[i+1]))
	}
	return attribute.NewSet(all...)
}

// traced returns a tracer, and the spans that have ended since it was asked last.
func traced(t testing.TB) (trace.Tracer, func() tracetest.SpanStubs) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	t.Cleanup(func() { provider.Shutdown(context.Background()) })
	return provider.Tracer("test"), func() tracetest.SpanStubs {
		defer exporter.Reset()
		return exporter.GetSpans()
	}
}

// attributes returns those of a span, as text.
func attributes(s tracetest.SpanStub) map[string]string {
	out := map[string]string{}
	for _, a := range s.Attributes {
		out[string(a.Key)] = a.Value.Emit()
	}
	return out
}
