package redisproc

import (
	"os/exec"
	"runtime"
	"time"
)

// process is one run of a program.
type process struct {
	cmd    *exec.Cmd
	log    *tail
	exited chan struct{}
}

// spawn starts a program. The thread that starts it waits for it: the kernel
// kills the child when that thread ends, so the thread must not end before.
func spawn(bin, dir string, args []string) (*process, error) {
	p := &process{cmd: exec.Command(bin, args...), log: newTail(), exited: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.log, p.log
	p.cmd.SysProcAttr = attributes()
	p.cmd.WaitDelay = time.Second // a child that saves a snapshot has the pipe too
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.cmd.Wait()
			close(p.exited)
		}
	}()
	return p, <-started
}

// kill ends the process at once and returns when it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// stop asks the process to end, and ends it if it takes longer than grace.
func (p *process) stop(grace time.Duration) {
	resume(p.cmd.Process)
	terminate(p.cmd.Process)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.kill()
	}
}
