package contain

import "errors"

// Is is errors.Is for errors of the user's, of which methods may panic, and which Go may
// not be able to compare. They are not the target then.
func Is(err, target error) bool {
	return Says(err, func(err error) bool { return errors.Is(err, target) }, false)
}

// Says returns what f says of an error, or otherwise if a method of the error panics.
func Says(err error, f func(error) bool, otherwise bool) (says bool) {
	defer func() {
		if recover() != nil {
			says = otherwise
		}
	}()
	return f(err)
}
