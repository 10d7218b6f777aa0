package otelcache_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/otelcache"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestASpanSaysWhatBecameOfALoad(t *testing.T) {
	tracer, ended := traced(t)
	noRows, broken := errors.New("no rows"), errors.New("broken")
	var answer error
	load := otelcache.Load(tracer, "users", func(context.Context, int) (string, error) { return "Ann", answer }, noRows)
	for _, c := range []struct {
		err  error
		want told
	}{
		{nil, told{"larder.outcome": "loaded"}},
		{fmt.Errorf("42: %w", noRows), told{"larder.outcome": "absent"}},
		{cache.ErrNotFound, told{"larder.outcome": "absent"}},
		{cache.ErrNotModified, told{"larder.outcome": "not modified"}},
		{broken, told{"error.type": "other"}},
		{context.Canceled, told{"error.type": "canceled"}},
	} {
		answer = c.err
		if v, err := load(t.Context(), 42); v != "Ann" || err != answer {
			t.Errorf("the load returns %q, %v, want what the load function did: %v", v, err, answer)
		}
		c.want["larder.keys"] = "1"
		s := one(t, ended(), "load users", c.want)
		if _, bad := c.want["error.type"]; (s.Status.Code == codes.Error) != bad || (len(s.Events) == 1) != bad {
			t.Errorf("after %v the span has %v, %v", c.err, s.Status, s.Events)
		}
	}
}

func TestASpanSaysHowManyValuesABatchHas(t *testing.T) {
	tracer, ended := traced(t)
	var answer error
	load := otelcache.LoadMany(tracer, "users", func(_ context.Context, keys []int) (map[int]string, error) {
		return map[int]string{keys[0]: "Ann"}, answer
	})
	if got, err := load(t.Context(), []int{1, 2, 3}); len(got) != 1 || got[1] != "Ann" || err != nil {
		t.Errorf("the load returns %v, %v", got, err)
	}
	one(t, ended(), "load many users", told{"larder.keys": "3", "larder.found": "1"})
	answer = errors.New("broken")
	if _, err := load(t.Context(), []int{1}); err != answer {
		t.Errorf("the load returns %v", err)
	}
	s := one(t, ended(), "load many users", told{"larder.keys": "1", "larder.found": "1", "error.type": "other"})
	if s.Status.Code != codes.Error || len(s.Events) != 1 {
		t.Errorf("the span has %v, %v", s.Status, s.Events)
	}
}

// A load runs on a goroutine of its own; its span is nevertheless the caller's.
func TestALoadIsWithinTheSpanOfItsCaller(t *testing.T) {
	tracer, ended := traced(t)
	var within trace.SpanID
	load := func(ctx context.Context, _ int) (string, error) {
		within = trace.SpanContextFromContext(ctx).SpanID()
		return "Ann", nil
	}
	users := aside.New(memstore.New[int, string](nil, 100, nil), otelcache.Load(tracer, "users", load), invalidation.Policy{Fresh: time.Minute}, nil)
	ctx, caller := tracer.Start(t.Context(), "caller")
	if _, err := users.Get(ctx, 1); err != nil {
		t.Fatal(err)
	}
	caller.End()
	users.Close(t.Context())
	spans := ended()
	i := slices.IndexFunc(spans, func(s tracetest.SpanStub) bool { return s.Name == "load users" })
	if i < 0 || spans[i].Parent.SpanID() != caller.SpanContext().SpanID() || spans[i].SpanContext.SpanID() != within {
		t.Errorf("the load ran in span %v; spans are %v", within, spans)
	}
}

func TestASpanOfALoadEndsAlsoAfterAPanicWhichGoesOn(t *testing.T) {
	tracer, ended := traced(t)
	for name, end := range map[string]func(){"panic": func() { panic("secret") }, "Goexit": runtime.Goexit} {
		load := otelcache.Load(tracer, "users", func(context.Context, int) (string, error) { end(); return "", nil })
		loadMany := otelcache.LoadMany(tracer, "users", func(context.Context, []int) (map[int]string, error) { end(); return nil, nil })
		for verb, call := range map[string]func(){"load": func() { load(t.Context(), 42) }, "load many": func() { loadMany(t.Context(), []int{42}) }} {
			returned := false
			var v any
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { v = recover() }()
				call()
				returned = true
			}()
			<-done
			if returned || (name == "panic" && v != "secret") {
				t.Errorf("%s of %s: it returns, or the panic is %v", name, verb, v)
			}
			s := one(t, ended(), verb+" users", told{"larder.keys": "1", "error.type": "panic"})
			if s.Status.Code != codes.Error || strings.Contains(fmt.Sprintf("%+v", s), "secret") {
				t.Errorf("%s of %s: the span is %+v", name, verb, s)
			}
		}
	}
}
