package bench

import (
	"context"
	"time"
)

// alarm waits. It belongs to one goroutine.
type alarm interface {
	// wait returns true after d, or false as soon as ctx ends.
	wait(ctx context.Context, d time.Duration) bool
	close()
}

// plainAlarm uses a timer of the Go runtime.
type plainAlarm struct{}

func (plainAlarm) wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (plainAlarm) close() {}
