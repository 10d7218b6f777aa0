package bench

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// clockAlarm is a timer of the kernel that the runtime waits for as for a
// connection. The runtime's own timers are up to a millisecond late on Linux
// if the process is idle, which is longer than most of what is measured.
type clockAlarm struct {
	fd   int
	file *os.File
	buf  [8]byte
}

func newAlarm() alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return plainAlarm{}
	}
	return &clockAlarm{fd: fd, file: os.NewFile(uintptr(fd), "timer")}
}

func (a *clockAlarm) wait(ctx context.Context, d time.Duration) bool {
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(max(int64(d), 1))}
	if unix.TimerfdSettime(a.fd, 0, &at, nil) != nil {
		return plainAlarm{}.wait(ctx, d)
	}
	stop := context.AfterFunc(ctx, func() { a.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err := a.file.Read(a.buf[:])
	return err == nil
}

func (a *clockAlarm) close() { a.file.Close() }
