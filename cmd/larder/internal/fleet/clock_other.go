//go:build !linux && !darwin

package fleet

import "time"

// Now returns the time, in nanoseconds, on a clock that all processes of the machine
// share.
func Now() int64 { return time.Now().UnixNano() }
