package cache

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// LogOptions change what Log writes. The zero LogOptions are the defaults.
type LogOptions struct {
	// Every is how far apart two warnings of one kind and cache are at least. The
	// default is 10s.
	Every time.Duration
}

// Log returns an Observer that writes to l what somebody should look at, as warnings:
//
//   - a store that could not be asked or told, a breaker that has opened, and as a line
//     of level Info that it has closed again;
//   - loads that have failed, panicked, took too long or were refused, and values past
//     their time that were served for that;
//   - each problem with the servers or the rights there, and as a line of level Info that
//     it is solved: these are never suppressed;
//   - values that could not be encoded or read, invalidations that have failed,
//     quarantines that were lost, and a shadow that differed.
//
// The first of a kind and cache is written at once, and then one in LogOptions.Every,
// with the number of those before it that were not written, as "suppressed": when a
// store is down that is one line, not one for each read. What a breaker refuses is no
// news. A breaker that opens and closes again and again has both its lines or none, and
// one that then stays open has its line after LogOptions.Every. Errors of callers who
// have left are no warnings.
//
// All else is written with level Debug, line by line, if l writes that at all; hits
// never are.
//
// A line has the names of the cache and the level, never keys or values; but an error
// is written as it is, so what an origin puts into its errors is in the log, and what a
// load function gives to panic.
//
// It costs a look-up in a map for each warning, and starts no goroutine.
// Log panics if l is nil, or LogOptions.Every negative.
func Log(l *slog.Logger, o *LogOptions) Observer {
	every := 10 * time.Second
	switch {
	case l == nil:
		panic("larder: cache.Log: the logger is nil")
	case o == nil || o.Every == 0:
	case o.Every < 0:
		panic(fmt.Sprintf("larder: cache.Log: LogOptions.Every is %v: it cannot be negative", o.Every))
	default:
		every = o.Every
	}
	return &logger{log: l, every: every, limits: map[topic]*limit{}}
}

type logger struct {
	log    *slog.Logger
	every  time.Duration
	due    atomic.Int64 // when a breaker that has opened without a line shall have one; 0: there is none
	mu     sync.RWMutex
	limits map[topic]*limit // as many as there are kinds and names
}

// topic is what has a limit of its own.
type topic struct {
	cache, server string
	level         Level
	kind          Kind
}

type limit struct {
	mu         sync.Mutex
	next       time.Time // no line before
	suppressed int64     // since the last line
	open       bool      // the last line said that a breaker has opened
	late       *Event    // it has opened since, and is open
}

func (l *logger) Observe(e Event) {
	if e.Kind == Hit {
		return
	}
	if due := l.due.Load(); due != 0 && int64(Now()) >= due {
		l.overdue()
	}
	if e.Kind == BreakerClosed && l.limit(e, BreakerOpened).shut() {
		l.write(slog.LevelInfo, e, 0)
		return
	}
	switch e.Kind { // a problem is told once, when it begins and when it ends
	case ProblemFound:
		l.write(slog.LevelWarn, e, 0)
		return
	case ProblemSolved:
		l.write(slog.LevelInfo, e, 0)
		return
	}
	if warns(e) {
		m := l.limit(e, e.Kind)
		if n, ok := m.pass(e, l.every); ok {
			l.write(slog.LevelWarn, e, n)
		} else if e.Kind == BreakerOpened {
			l.due.CompareAndSwap(0, int64(Now().Add(l.every)))
		}
		return
	}
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.write(slog.LevelDebug, e, 0)
	}
}

// warns reports whether somebody should look at an event.
func warns(e Event) bool {
	switch e.Kind {
	case LoadPanic, HookPanic, EncodeFailed, QuarantineLost, LoadTimeout, LoadRefused, MissCorrupt, ShadowDiffered, StaleOnError, BreakerOpened:
		return true
	case Load, Invalidated:
		return e.Err != nil && ClassOf(e.Err) != ClassCanceled
	case Unavailable:
		class := ClassOf(e.Err)
		return class != ClassCanceled && class != ClassOverload // of which BreakerOpened has told
	}
	return false
}

func (l *logger) limit(e Event, kind Kind) *limit {
	of := topic{e.Cache, e.Server, e.Level, kind}
	l.mu.RLock()
	found := l.limits[of]
	l.mu.RUnlock()
	if found != nil {
		return found
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limits[of] == nil {
		l.limits[of] = &limit{}
	}
	return l.limits[of]
}

// pass reports whether a line may be written now, and how many were not since the last
// one.
func (m *limit) pass(e Event, every time.Duration) (suppressed int64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if now.Before(m.next) {
		m.suppressed++
		if e.Kind == BreakerOpened {
			m.late = &e
		}
		return 0, false
	}
	suppressed, m.suppressed = m.suppressed, 0
	m.next, m.open, m.late = now.Add(every), e.Kind == BreakerOpened, nil
	return suppressed, true
}

// shut reports whether the last line said that the breaker is open, and notes that it
// is not.
func (m *limit) shut() (open bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	open, m.open, m.late = m.open, false, nil
	return open
}

// overdue writes of the breakers that have opened soon after they did so before, and
// are still open: that they open again and again is one line, that they stay open must
// be one too.
func (l *logger) overdue() {
	l.due.Store(0)
	l.mu.RLock()
	all := slices.Collect(maps.Values(l.limits))
	l.mu.RUnlock()
	for _, m := range all {
		m.mu.Lock()
		late := m.late
		m.mu.Unlock()
		if late == nil {
			continue
		}
		if n, ok := m.pass(*late, l.every); ok {
			l.write(slog.LevelWarn, *late, n-1) // it is among them
		} else {
			l.due.CompareAndSwap(0, int64(Now().Add(l.every)))
		}
	}
}

func (l *logger) write(level slog.Level, e Event, suppressed int64) {
	attrs := make([]slog.Attr, 0, 7)
	if e.Cache != "" {
		attrs = append(attrs, slog.String("cache", e.Cache))
	}
	attrs = append(attrs, slog.String("cache_level", e.Level.String()))
	if e.Server != "" {
		attrs = append(attrs, slog.String("server", e.Server))
	}
	if e.N > 1 {
		attrs = append(attrs, slog.Int("keys", e.N))
	}
	if e.Took > 0 {
		attrs = append(attrs, slog.Duration("took", e.Took))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("err", e.Err.Error()))
	}
	if suppressed > 0 {
		attrs = append(attrs, slog.Int64("suppressed", suppressed))
	}
	l.log.LogAttrs(context.Background(), level, "larder: "+e.Kind.String(), attrs...)
}
