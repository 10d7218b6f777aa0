package cache_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestPanicError(t *testing.T) {
	for _, c := range []struct {
		value  any
		text   string
		unwrap error
	}{
		{"boom", "larder: the load function panicked: boom", nil},
		{io.EOF, "larder: the load function panicked: EOF", io.EOF},
		{42, "larder: the load function panicked: 42", nil},
		{nil, "larder: the load function ended its goroutine", nil},
	} {
		e := &cache.PanicError{Value: c.value}
		if e.Error() != c.text || e.Unwrap() != c.unwrap {
			t.Errorf("PanicError of %v is %q and wraps %v", c.value, e, e.Unwrap())
		}
	}
	if got := (&cache.PanicError{Function: "Options.Tags", Value: "boom"}).Error(); got != "larder: Options.Tags panicked: boom" {
		t.Errorf("the function is not named: %s", got)
	}
	if got := (&cache.PanicError{Function: "the Observer"}).Error(); got != "larder: the Observer ended its goroutine" {
		t.Errorf("the function is not named: %s", got)
	}
	if !errors.Is(&cache.PanicError{Value: io.EOF}, io.EOF) {
		t.Error("a panic with an error does not wrap it")
	}
}

func TestPostCommitErrorWrapsItsCause(t *testing.T) {
	var err error = &cache.PostCommitError{Err: cache.ErrUnavailable}
	if !errors.Is(err, cache.ErrUnavailable) || !strings.Contains(err.Error(), "the write is committed") {
		t.Errorf("err is %v", err)
	}
	if pce, ok := errors.AsType[*cache.PostCommitError](errors.Join(io.EOF, err)); !ok || pce.Err != cache.ErrUnavailable {
		t.Error("the error is not found among others")
	}
}

func TestPanicError_DoesNotSayHowAWriteHasEnded(t *testing.T) {
	for _, says := range []error{cache.ErrNotStarted, cache.ErrNotCommitted, &cache.PostCommitError{Err: io.EOF}, &cache.InDoubtError{Err: io.EOF},
		fmt.Errorf("wrapped: %w", cache.ErrNotStarted)} {
		err := &cache.PanicError{Value: says, Function: "Options.Tags"}
		if errors.Is(err, says) || errors.As(err, new(*cache.PostCommitError)) || errors.Is(err, cache.ErrInDoubt) {
			t.Errorf("a panic of %v says so too", says)
		}
	}
	if err := (&cache.PanicError{Value: io.EOF}); !errors.Is(err, io.EOF) {
		t.Error("what else was given to panic is lost")
	}
}
