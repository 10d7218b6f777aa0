package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestEachErrorIsOfOneClass(t *testing.T) {
	seen := map[cache.ErrorClass]bool{}
	for _, c := range []struct {
		err  error
		want cache.ErrorClass
	}{
		{nil, cache.ClassOther},
		{errors.New("no"), cache.ClassOther},
		{io.EOF, cache.ClassNetwork},
		{net.ErrClosed, cache.ClassNetwork},
		{cache.ErrUnavailable, cache.ClassOther},
		{context.DeadlineExceeded, cache.ClassTimeout},
		{cache.ErrLoadTimeout, cache.ClassTimeout},
		{os.ErrDeadlineExceeded, cache.ClassTimeout},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, cache.ClassTimeout},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, cache.ClassNetwork},
		{context.Canceled, cache.ClassCanceled},
		{&cache.PanicError{Value: 1}, cache.ClassPanic},
		{&cache.PanicError{Value: context.Canceled}, cache.ClassPanic},
		{cache.ErrOverloaded, cache.ClassOverload},
		{errors.Join(context.DeadlineExceeded, cache.ErrOverloaded), cache.ClassOverload},
	} {
		seen[c.want] = true
		for _, err := range []error{c.err, fmt.Errorf("larder: %w", c.err)} {
			if got := cache.ClassOf(err); got != c.want {
				t.Errorf("%v is of the class %v, not %v", err, got, c.want)
			}
		}
	}
	for _, c := range cache.ErrorClasses() {
		if !seen[c] || c.String() == "unknown" || c.String() == "" {
			t.Errorf("the class %v is not tested", c)
		}
	}
}

// rude is an error of which a method panics.
type rude struct{}

func (*rude) Error() string { panic("Error") }
func (*rude) Is(error) bool { panic("Is") }

// uncomparable is an error that Go cannot compare, although its type does not say so.
type uncomparable struct{ any }

func (uncomparable) Error() string { return "uncomparable" }

func TestClassOf_AnErrorThatPanicsIsOfTheClassOther(t *testing.T) {
	for _, err := range []error{&rude{}, uncomparable{[]int{1}}, errors.Join(&rude{}, io.EOF)} {
		if got := cache.ClassOf(err); got != cache.ClassOther {
			t.Errorf("%T is of the class %v", err, got)
		}
	}
}
