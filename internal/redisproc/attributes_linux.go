package redisproc

import "syscall"

// attributes make the kernel kill the child when its parent dies. The child has
// a process group of its own, so that an interrupt at the terminal leaves it to
// the parent to stop it, which may want to ask it something first.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
