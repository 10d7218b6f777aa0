//go:build !linux

package redisproc

import "syscall"

// attributes keep the child in the process group of its parent, so that at
// least an interrupt at the terminal ends both.
func attributes() *syscall.SysProcAttr { return nil }
