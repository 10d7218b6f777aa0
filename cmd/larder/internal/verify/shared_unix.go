//go:build linux || darwin

package verify

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// supported says whether processes can share memory and be stopped here.
const supported = true

// clock returns the time on the clock that all processes of the machine share,
// in nanoseconds.
func clock() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // fails for unknown clocks only
	return t.Nano()
}

// create makes a file for a T, which share maps.
func create[T any](path string) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	var t *T
	return os.Truncate(path, int64(unsafe.Sizeof(*t)))
}

// share maps a file into memory. What has pointers cannot be shared.
func share[T any](path string) (t *T, done func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, int(unsafe.Sizeof(*t)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	return (*T)(unsafe.Pointer(&b[0])), func() { unix.Munmap(b) }, nil
}

// halt stops a process, or lets it go on.
func halt(p *os.Process, stop bool) error {
	if stop {
		return p.Signal(syscall.SIGSTOP)
	}
	return p.Signal(syscall.SIGCONT)
}
