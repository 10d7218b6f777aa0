package contain

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Observer is the name of an Observer in errors.
const Observer = "the Observer"

// Observe tells o, which may be nil, of e. It returns a *cache.PanicError if o panics,
// which it has written to slog.Default, as also that o has ended the goroutine.
func Observe(o cache.Observer, e cache.Event) (err error) {
	if o == nil {
		return nil
	}
	returned := false
	defer func() {
		if !returned {
			err = &cache.PanicError{Function: Observer, Value: recover(), Stack: debug.Stack()}
			Log(e.Cache, err)
		}
	}()
	o.Observe(e)
	returned = true
	return nil
}

// Log writes of a panic that nobody else is told of: one line in ten seconds.
func Log(cacheName string, err error) { lines.write(cacheName, err) }

var lines limited

// limited writes a line in ten seconds.
type limited struct {
	mu         sync.Mutex
	next       time.Time
	suppressed int64
}

const every = 10 * time.Second

func (l *limited) write(cacheName string, err error) {
	now := time.Now()
	l.mu.Lock()
	if now.Before(l.next) {
		l.suppressed++
		l.mu.Unlock()
		return
	}
	n := l.suppressed
	l.next, l.suppressed = now.Add(every), 0
	l.mu.Unlock()
	attrs := []slog.Attr{slog.String("cache", cacheName), slog.String("err", err.Error()), slog.Int64("suppressed", n)}
	if p, ok := errors.AsType[*cache.PanicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	// The handler is the user's too, and there is nobody left to tell.
	_ = Call(context.Background(), "the handler of slog.Default", func() {
		slog.Default().LogAttrs(context.Background(), slog.LevelError, "larder: hook panic", attrs...)
	})
}
