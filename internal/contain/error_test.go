package contain

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// rude is an error that Go cannot compare, and of which a method panics.
type rude struct{ all []int }

func (rude) Error() string { return "rude" }

func (rude) Is(error) bool { panic("boom") }

func TestIs_AnErrorOfWhichAMethodPanicsIsNotTheTarget(t *testing.T) {
	wrapped := fmt.Errorf("it failed: %w", io.EOF)
	if !Is(wrapped, io.EOF) || Is(wrapped, io.ErrUnexpectedEOF) || Is(nil, io.EOF) {
		t.Error("it differs from errors.Is")
	}
	if Is(rude{}, io.EOF) || Is(errors.Join(io.EOF, rude{}), io.ErrUnexpectedEOF) {
		t.Error("an error of which a method panics is the target")
	}
	for _, otherwise := range []bool{true, false} {
		if got := Says(rude{}, func(err error) bool { return errors.Is(err, io.EOF) }, otherwise); got != otherwise {
			t.Errorf("it says %v", got)
		}
	}
}

func TestDoApart_ReturnsTheErrorAndHowItEnded(t *testing.T) {
	if err := DoApart("f", func() error { return io.EOF }); err != io.EOF {
		t.Errorf("it is %v", err)
	}
	if err := DoApart("f", func() error { return nil }); err != nil {
		t.Errorf("it is %v", err)
	}
	for text, f := range map[string]func() error{
		"f ended its goroutine": func() error { runtime.Goexit(); return nil },
		"f panicked: boom":      func() error { panic("boom") },
	} {
		if err := DoApart("f", f); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("it is %v, not %s", err, text)
		}
	}
}
