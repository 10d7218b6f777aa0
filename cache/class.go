package cache

import (
	"context"
	"errors"
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

// ClassOf returns the class of an error.
func ClassOf(err error) ErrorClass {
	var network net.Error
	var panicked *PanicError
	switch {
	case errors.Is(err, ErrOverloaded):
		return ClassOverload
	case errors.As(err, &panicked):
		return ClassPanic
	case errors.Is(err, context.Canceled):
		return ClassCanceled
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrLoadTimeout):
		return ClassTimeout
	case errors.As(err, &network):
		if network.Timeout() {
			return ClassTimeout
		}
		return ClassNetwork
	}
	return ClassOther
}
