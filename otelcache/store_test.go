package otelcache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/otelcache"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// dropped is where spans go that are recorded and that nobody looks at.
type dropped struct{}

func (dropped) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (dropped) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (dropped) Shutdown(context.Context) error                  { return nil }
func (dropped) ForceFlush(context.Context) error                { return nil }

func TestATracedStoreKeepsTheContract(t *testing.T) {
	recorded := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(dropped{})).Tracer("")
	if _, s := recorded.Start(t.Context(), "any"); !s.IsRecording() {
		t.Fatal("spans are not recorded")
	}
	for name, tracer := range map[string]trace.Tracer{"Recorded": recorded, "NotRecorded": noop.NewTracerProvider().Tracer("")} {
		t.Run(name+"/Reference", func(t *testing.T) {
			storetest.Run(t, func(testing.TB) storetest.Subject {
				s := storetest.Reference()
				s.Store, s.Peer = otelcache.Store(tracer, "users", s.Store), otelcache.Store(tracer, "users", s.Peer)
				return s
			})
		})
		keeps(t, name+"/Memory", func() storetest.Subject {
			s := memstore.New[string, string](nil, 1000, nil)
			store := otelcache.Store(tracer, "users", s)
			return storetest.Subject{
				Store: store, Peer: store, InvalidateTags: s.Domain().InvalidateTags,
				Lose:  func(context.Context) error { s.Clear(); return nil },
				Close: func(context.Context) error { return s.Close() },
			}
		})
		keeps(t, name+"/Tiered", func() storetest.Subject {
			d := invalidation.NewDomain()
			l2 := otelcache.Store(tracer, "users", memstore.New[string, string](d, 1000, nil))
			return storetest.Subject{Store: cache.Tiered(memstore.New[string, string](d, 1000, nil), l2), InvalidateTags: d.InvalidateTags}
		})
	}
}

// keeps checks all rules but one. A memstore may return an entry past its time while
// its timer is late, as on a machine that has far too much to do; that it does not
// otherwise is for its own tests.
func keeps(t *testing.T, name string, open func() storetest.Subject) {
	t.Run(name, func(t *testing.T) {
		checked := 0
		for _, r := range storetest.Rules() {
			if r.Name == "expiry/expires" || r.Lacks(open()) != "" {
				continue
			}
			checked++
			if err := r.Check(t.Context(), open()); err != nil {
				t.Errorf("%s: %v", r.Name, err)
			}
		}
		if checked < 30 {
			t.Errorf("only %d rules were checked", checked)
		}
	})
}

// one returns the only span, and fails the test unless it has this name and these
// attributes, besides the name of the cache.
func one(t *testing.T, spans tracetest.SpanStubs, name string, want map[string]string) tracetest.SpanStub {
	t.Helper()
	if len(spans) != 1 {
		t.Fatalf("there are %d spans, want one: %s", len(spans), name)
	}
	got := attributes(spans[0])
	want["larder.cache"] = "users"
	if spans[0].Name != name || !maps.Equal(got, want) {
		t.Errorf("the span is %q with %v, want %q with %v", spans[0].Name, got, name, want)
	}
	return spans[0]
}

func entry(v string) *cache.Entry[string] {
	return &cache.Entry[string]{Value: v, Fresh: cache.Now().Add(time.Minute), Expires: cache.Now().Add(time.Hour)}
}

type told = map[string]string

func TestASpanSaysWhatBecameOfACall(t *testing.T) {
	ctx := t.Context()
	tracer, ended := traced(t)
	s := otelcache.Store(tracer, "users", memstore.New[string, string](nil, 100, nil))

	s.Get(ctx, "a")
	one(t, ended(), "get users", told{"larder.keys": "1", "larder.hit": "false"})

	fill, err := s.Reserve(ctx, cache.Slot[string]{Key: "a"}, cache.Slot[string]{Key: "b"}, cache.Slot[string]{Key: "c"})
	if err != nil {
		t.Fatal(err)
	}
	one(t, ended(), "reserve users", told{"larder.keys": "3", "larder.hits": "0"})
	s.Invalidate(ctx, "b", "z")
	one(t, ended(), "invalidate users", told{"larder.keys": "2"})
	if _, err := fill.Commit(ctx, entry("1"), entry("2"), nil); err != nil {
		t.Fatal(err)
	}
	one(t, ended(), "commit users", told{"larder.keys": "3", "larder.stored": "1", "larder.refused": "1", "larder.passed": "0"})

	s.Get(ctx, "a")
	one(t, ended(), "get users", told{"larder.keys": "1", "larder.hit": "true"})
	s.GetMany(ctx, []string{"a", "b", "c"})
	one(t, ended(), "get many users", told{"larder.keys": "3", "larder.hits": "1"})
	fill, err = s.Reserve(ctx, cache.Slot[string]{Key: "a"}, cache.Slot[string]{Key: "b"})
	if err != nil {
		t.Fatal(err)
	}
	one(t, ended(), "reserve users", told{"larder.keys": "2", "larder.hits": "1"})
	if fill.Found(0) == nil || fill.Found(1) != nil {
		t.Error("Found is not what the store has found")
	}

	writer, err := s.Quarantine(ctx, cache.Slot[string]{Key: "b"})
	if err != nil {
		t.Fatal(err)
	}
	one(t, ended(), "quarantine users", told{"larder.keys": "1"})
	if fill, err = s.Reserve(ctx, cache.Slot[string]{Key: "b"}); err != nil {
		t.Fatal(err)
	}
	ended()
	fill.Commit(ctx, entry("2"))
	one(t, ended(), "commit users", told{"larder.keys": "1", "larder.stored": "0", "larder.refused": "0", "larder.passed": "1"})
	writer.Cancel(ctx)
	one(t, ended(), "cancel users", told{"larder.keys": "1"})

	reader, err := s.Reserve(ctx, cache.Slot[string]{Key: "d"})
	ended()
	if err := errors.Join(err, reader.Cancel(ctx)); err != nil {
		t.Fatal(err)
	}
	if spans := ended(); len(spans) != 0 {
		t.Errorf("the cancel of a reader, which asks nobody, has a span: %v", spans)
	}
}

// ill is a store whose calls all end so.
type ill struct {
	cache.Cache[string, string]
	end func() error
}

func (s ill) Get(context.Context, string) (*cache.Entry[string], error) { return nil, s.end() }
func (s ill) GetMany(context.Context, []string) (map[string]*cache.Entry[string], error) {
	return map[string]*cache.Entry[string]{"a": entry("1")}, s.end()
}
func (s ill) Reserve(context.Context, ...cache.Slot[string]) (cache.Fill[string], error) {
	return nil, s.end()
}
func (s ill) Quarantine(context.Context, ...cache.Slot[string]) (cache.Fill[string], error) {
	return nil, s.end()
}
func (s ill) Invalidate(context.Context, ...string) error { return s.end() }

// calls are those that a store can answer with an error.
func calls(ctx context.Context, s cache.Cache[string, string]) map[string]func() error {
	slot := cache.Slot[string]{Key: "k"}
	return map[string]func() error{
		"get":        func() error { _, err := s.Get(ctx, "k"); return err },
		"get many":   func() error { _, err := s.GetMany(ctx, []string{"k", "l"}); return err },
		"reserve":    func() error { _, err := s.Reserve(ctx, slot); return err },
		"quarantine": func() error { _, err := s.Quarantine(ctx, slot); return err },
		"invalidate": func() error { return s.Invalidate(ctx, "k") },
	}
}

func TestErrorsOfAStoreAreRecordedAndReturned(t *testing.T) {
	tracer, ended := traced(t)
	down := fmt.Errorf("%w: %w", cache.ErrUnavailable, context.DeadlineExceeded)
	for verb, call := range calls(t.Context(), otelcache.Store(tracer, "users", ill{end: func() error { return down }})) {
		if err := call(); err != down {
			t.Errorf("%s returns %v, want the very error of the store", verb, err)
		}
		s := ended()[0]
		if s.Name != verb+" users" || s.Status.Code != codes.Error || attributes(s)["error.type"] != "timeout" || len(s.Events) != 1 || s.Events[0].Name != "exception" {
			t.Errorf("the span of %s is %q: %v, %v, %v", verb, s.Name, s.Status, attributes(s), s.Events)
		}
	}
}

func TestThatAnotherProcessLoadsIsNoError(t *testing.T) {
	tracer, ended := traced(t)
	s := otelcache.Store(tracer, "users", ill{end: func() error { return cache.ErrBusy }})
	if _, err := s.Reserve(t.Context(), cache.Slot[string]{Key: "k", Refresh: true}); err != cache.ErrBusy {
		t.Errorf("the error is %v, want ErrBusy", err)
	}
	if s := one(t, ended(), "reserve users", told{"larder.keys": "1", "larder.busy": "true"}); s.Status.Code == codes.Error || len(s.Events) > 0 {
		t.Errorf("the span has %v, %v", s.Status, s.Events)
	}
}

func TestASpanEndsAlsoAfterAPanicWhichGoesOn(t *testing.T) {
	tracer, ended := traced(t)
	for verb, call := range calls(t.Context(), otelcache.Store(tracer, "users", ill{end: func() error { panic("secret") }})) {
		func() {
			defer func() {
				if v := recover(); v != "secret" {
					t.Errorf("%s: the panic is %v, want the store's", verb, v)
				}
			}()
			call()
		}()
		spans := ended()
		if len(spans) != 1 || spans[0].Status.Code != codes.Error || attributes(spans[0])["error.type"] != "panic" || strings.Contains(fmt.Sprint(spans), "secret") {
			t.Errorf("the spans of %s are %v", verb, spans)
		}
	}
}

func TestSpansHaveNoKeysTagsOrValues(t *testing.T) {
	ctx := t.Context()
	tracer, ended := traced(t)
	memory := memstore.New[string, string](nil, 100, nil)
	s := otelcache.Store(tracer, "users", memory)
	slot := cache.Slot[string]{Key: "secret", Tags: []string{"secret"}}
	e := entry("secret")
	e.Tags = slot.Tags
	for _, open := range []func(context.Context, ...cache.Slot[string]) (cache.Fill[string], error){s.Reserve, s.Quarantine} {
		fill, err := open(ctx, slot)
		if err != nil {
			t.Fatal(err)
		}
		fill.Commit(ctx, e)
	}
	s.Get(ctx, "secret")
	s.GetMany(ctx, []string{"secret"})
	s.Invalidate(ctx, "secret")
	memory.Close()
	for _, call := range calls(ctx, s) {
		call()
	}
	spans := ended()
	if len(spans) < 12 {
		t.Errorf("there are only %d spans", len(spans))
	}
	for _, s := range spans {
		if text := fmt.Sprintf("%+v", s); strings.Contains(text, "secret") {
			t.Errorf("a span says %s", text)
		}
	}
}

// contexts is a store that remembers the span in which it was asked.
type contexts struct {
	cache.Cache[string, string]
	in *[]trace.SpanID
}

func (s contexts) Get(ctx context.Context, key string) (*cache.Entry[string], error) {
	*s.in = append(*s.in, trace.SpanContextFromContext(ctx).SpanID())
	return s.Cache.Get(ctx, key)
}

func TestWhatAStoreTracesIsWithinTheSpan(t *testing.T) {
	tracer, ended := traced(t)
	var in []trace.SpanID
	s := otelcache.Store(tracer, "users", contexts{memstore.New[string, string](nil, 100, nil), &in})
	ctx, caller := tracer.Start(t.Context(), "caller")
	s.Get(ctx, "a")
	caller.End()
	span := ended()[0]
	if span.SpanContext.SpanID() != in[0] || span.Parent.SpanID() != caller.SpanContext().SpanID() {
		t.Errorf("the store was asked in span %v, want %v, whose parent is %v", in[0], span.SpanContext.SpanID(), span.Parent.SpanID())
	}
}

func TestTracingPanicsAndNamesTheArgument(t *testing.T) {
	tracer := noop.NewTracerProvider().Tracer("")
	m := memstore.New[string, string](nil, 100, nil)
	load := func(context.Context, string) (string, error) { return "", nil }
	loadMany := func(context.Context, []string) (map[string]string, error) { return nil, nil }
	for want, f := range map[string]func(){
		"otelcache.Store: tracer":          func() { otelcache.Store(nil, "users", m) },
		"otelcache.Store: name":            func() { otelcache.Store(tracer, "", m) },
		"otelcache.Store: store is nil":    func() { otelcache.Store[string, string](tracer, "users", nil) },
		"otelcache.Store: store is from":   func() { otelcache.Store(tracer, "users", cache.Tiered(m, m)) },
		"otelcache.Load: tracer":           func() { otelcache.Load(nil, "users", load) },
		"otelcache.Load: name":             func() { otelcache.Load(tracer, "", load) },
		"otelcache.Load: load is nil":      func() { otelcache.Load[string, string](tracer, "users", nil) },
		"otelcache.LoadMany: tracer":       func() { otelcache.LoadMany(nil, "users", loadMany) },
		"otelcache.LoadMany: load is nil":  func() { otelcache.LoadMany[string, string](tracer, "users", nil) },
		"otelcache.LoadMany: name is empt": func() { otelcache.LoadMany(tracer, "", loadMany) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "larder: "+want) {
					t.Errorf("the panic is %q, want %q", text, want)
				}
			}()
			f()
		}()
	}
	if a, b := reflect.TypeOf(otelcache.Store(tracer, "a", m)), reflect.TypeOf(otelcache.Store(tracer, "b", otelcache.Store(tracer, "a", m))); a != b {
		t.Errorf("a traced store cannot be traced again: %v, %v", a, b)
	}
}
