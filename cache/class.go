package cache

import (
	"context"
	"errors"
	"io"
	"net"
)

// ErrorClass is a kind of failure, of which there are few: fit for a label.
type ErrorClass uint8

// The classes of errors.
const (
	ClassOther    ErrorClass = iota // anything else, such as the origin's own errors
	ClassTimeout                    // a deadline has passed
	ClassCanceled                   // the caller has left
	ClassNetwork                    // a connection could not be made or was lost
	ClassPanic                      // a function of the user's has panicked
	ClassOverload                   // too many wait, or it is not asked for a while
	classes
)

// String returns the name of the class in lower case.
func (c ErrorClass) String() string {
	if c < classes {
		return [classes]string{"other", "timeout", "canceled", "network", "panic", "overload"}[c]
	}
	return "unknown"
}

// ErrorClasses returns all classes, in order.
func ErrorClasses() []ErrorClass {
	all := make([]ErrorClass, classes)
	for i := range all {
		all[i] = ErrorClass(i)
	}
	return all
}

// ClassOf returns the class of an error. It allocates nothing. An error of which a
// method panics, or that Go cannot compare, is ClassOther.
func ClassOf(err error) (class ErrorClass) {
	defer func() {
		if recover() != nil {
			class = ClassOther
		}
	}()
	if errors.Is(err, ErrOverloaded) || errors.Is(err, ErrBreakerOpen) {
		return ClassOverload
	}
	if _, ok := errors.AsType[*PanicError](err); ok {
		return ClassPanic
	}
	switch {
	case errors.Is(err, context.Canceled):
		return ClassCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrLoadTimeout):
		return ClassTimeout
	}
	if network, ok := errors.AsType[net.Error](err); ok {
		if network.Timeout() {
			return ClassTimeout
		}
		return ClassNetwork
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // as go-redis says it
		return ClassNetwork
	}
	return ClassOther
}
