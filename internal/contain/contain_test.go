package contain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/larder-cache/larder/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCall_NamesWhatHasPanicked(t *testing.T) {
	if err := Call(t.Context(), "f", func() {}); err != nil {
		t.Fatal(err)
	}
	err := Call(t.Context(), "Options.Tags", func() { panic(io.EOF) })
	var p *cache.PanicError
	if !errors.As(err, &p) || p.Function != "Options.Tags" || !errors.Is(err, io.EOF) || len(p.Stack) == 0 {
		t.Fatalf("%v", err)
	}
	if err := Call(t.Context(), "f", func() { panic(nil) }); err == nil || !strings.Contains(err.Error(), "f panicked") {
		t.Errorf("%v", err)
	}
}

func TestCall_AGoroutineThatWasEndedIsAnsweredFor(t *testing.T) {
	ctx, scope := Within(t.Context())
	got := make(chan error)
	go func() {
		defer func() { got <- scope.Err(recover(), "something") }()
		Call(ctx, "StoreOptions.Codec", runtime.Goexit)
		t.Error("it goes on")
	}()
	if err := <-got; err.Error() != "larder: StoreOptions.Codec ended its goroutine" {
		t.Errorf("%v", err)
	}
	_, scope = Within(t.Context())
	if err := scope.Err(nil, "something"); err.Error() != "larder: something ended its goroutine" {
		t.Errorf("%v", err)
	}
	if err := scope.Err("boom", "something"); err.Error() != "larder: something panicked: boom" {
		t.Errorf("%v", err)
	}
}

func TestApart_GoesOnAfterGoexit(t *testing.T) {
	for text, f := range map[string]func(){"f ended its goroutine": runtime.Goexit, "f panicked: boom": func() { panic("boom") }} {
		if err := Apart("f", f); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %s", err, text)
		}
	}
	if err := Apart("f", func() {}); err != nil {
		t.Error(err)
	}
}

// observer is a function that observes.
type observer func(cache.Event)

func (f observer) Observe(e cache.Event) { f(e) }

func TestObserve_APanicIsWrittenOnceInAWhile(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(before)
	lines = limited{}
	for range 3 {
		if err := Observe(observer(func(cache.Event) { panic("boom") }), cache.Event{Cache: "users"}); err == nil {
			t.Fatal("the panic is lost")
		}
	}
	if text := out.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "the Observer panicked: boom") || !strings.Contains(text, "cache=users") {
		t.Errorf("%s", text)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Observe(observer(func(cache.Event) { runtime.Goexit() }), cache.Event{})
	}()
	<-ended
	if lines.suppressed != 3 {
		t.Errorf("%d lines are counted", lines.suppressed)
	}
	if Observe(nil, cache.Event{}) != nil || Observe(observer(func(cache.Event) {}), cache.Event{}) != nil {
		t.Error("there was no panic")
	}
}

// handler is the handler of a logger that panics.
type handler struct{ slog.Handler }

func (handler) Enabled(context.Context, slog.Level) bool { panic("handler") }

func TestLog_AHandlerThatPanicsIsContained(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(handler{}))
	defer slog.SetDefault(before)
	lines = limited{}
	Log("users", io.EOF)
}
