package redistest

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"go.uber.org/goleak"
)

// Main runs the tests of a binary, stops the shared servers and, if the tests
// have passed, fails when goroutines are left. It returns the code to exit with.
// Options name goroutines that may be left.
func Main(m interface{ Run() int }, options ...goleak.Option) int {
	shares.Store(true)
	code := m.Run()
	shares.Store(false)
	if err := errors.Join(standalone.stop(), cluster.stop()); err != nil {
		fmt.Fprintln(os.Stderr, "redistest: stop:", err)
		code = max(code, 1)
	}
	if code != 0 || fuzzing() {
		return code
	}
	// A pool that could not dial looks every second whether it can, and notices
	// only then that it was closed.
	options = append(options, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
	if err := goleak.Find(options...); err != nil {
		fmt.Fprintln(os.Stderr, "redistest: goroutines are left:", err)
		return 1
	}
	return 0
}

// fuzzing reports whether the binary fuzzes, which leaves goroutines.
func fuzzing() bool {
	f := flag.Lookup("test.fuzz")
	return f != nil && f.Value.String() != ""
}
