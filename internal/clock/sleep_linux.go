package clock

import (
	"syscall"
	"unsafe"
)

// The clocks of Linux: both count from the boot, the first while the machine is awake.
const (
	clockMonotonic = 1
	clockBootTime  = 7
)

// sleeps returns for how many nanoseconds the machine has slept since its boot.
func sleeps() (ns int64, ok bool) {
	awake, ok1 := read(clockMonotonic)
	all, ok2 := read(clockBootTime)
	return all - awake, ok1 && ok2
}

func read(id uintptr) (ns int64, ok bool) {
	var t syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano(), errno == 0
}
