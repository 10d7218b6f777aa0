package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

// logbook is what was written, without the time.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logbook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

// lines returns what was written since the last call.
func (b *logbook) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := strings.TrimSpace(b.text.String())
	b.text.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func (b *logbook) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := b.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the lines are\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func logTo(b *logbook, level slog.Level, o *cache.LogOptions) cache.Observer {
	return cache.Log(slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), o)
}

var errRefused = errors.New("refused")

func TestAStoreThatIsDownIsOneLineInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b logbook
		o := logTo(&b, slog.LevelInfo, nil)
		down := cache.Event{Kind: cache.Unavailable, Cache: "users", Level: cache.Shared, N: 1, Err: errRefused}
		for range 100 {
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					for range 100 {
						o.Observe(down)
					}
				})
			}
			wg.Wait()
			time.Sleep(295 * time.Millisecond) // 29.5 seconds for 100,000
		}
		got := b.lines()
		want := []string{"", " suppressed=33999", " suppressed=33999"}
		if len(got) != 3 {
			t.Fatalf("there are %d lines: %q", len(got), got)
		}
		for i, line := range got {
			if line != `level=WARN msg="larder: unavailable" cache=users cache_level=shared err=refused`+want[i] {
				t.Errorf("line %d is %s", i, line)
			}
		}
		down.Cache = "orders"
		o.Observe(down) // has a limit of its own
		b.expect(t, `level=WARN msg="larder: unavailable" cache=orders cache_level=shared err=refused`)
	})
}

func TestABreakerHasBothItsLinesOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b logbook
		o := logTo(&b, slog.LevelInfo, nil)
		opened := cache.Event{Kind: cache.BreakerOpened, Cache: "shop", Level: cache.Shared, N: 1, Err: errRefused}
		closed := cache.Event{Kind: cache.BreakerClosed, Cache: "shop", Level: cache.Shared, N: 1, Took: time.Second}
		skipped := cache.Event{Kind: cache.Unavailable, Cache: "users", Level: cache.Shared, N: 1, Err: fmt.Errorf("open: %w", cache.ErrOverloaded)}
		const open, shut = `level=WARN msg="larder: breaker opened" cache=shop cache_level=shared err=refused`, `level=INFO msg="larder: breaker closed" cache=shop cache_level=shared took=1s`
		o.Observe(opened)
		o.Observe(skipped)
		o.Observe(closed)
		b.expect(t, open, shut)
		for range 5 {
			o.Observe(opened)
			o.Observe(closed)
			time.Sleep(time.Second)
		}
		b.expect(t)
		o.Observe(opened) // and stays open
		time.Sleep(4 * time.Second)
		o.Observe(skipped)
		b.expect(t)
		time.Sleep(6 * time.Second)
		o.Observe(skipped)
		o.Observe(skipped)
		o.Observe(closed)
		o.Observe(closed)
		b.expect(t, open+" suppressed=5", shut)
	})
}

func TestOnlyWhatSomebodyShouldLookAtIsAWarning(t *testing.T) {
	all := cache.Kinds()
	for _, err := range []error{nil, errRefused, context.Canceled} {
		var b logbook
		o := logTo(&b, slog.LevelInfo, nil)
		for _, k := range all {
			o.Observe(cache.Event{Kind: k, N: 2, Err: err})
		}
		want := map[string]bool{}
		kinds := []cache.Kind{cache.LoadPanic, cache.HookPanic, cache.EncodeFailed, cache.QuarantineLost, cache.LoadTimeout, cache.LoadRefused,
			cache.MissCorrupt, cache.ShadowDiffered, cache.StaleOnError, cache.BreakerOpened, cache.BreakerClosed,
			cache.ProblemFound, cache.ProblemSolved}
		if err == errRefused {
			kinds = append(kinds, cache.Load, cache.Invalidated)
		}
		if err != context.Canceled {
			kinds = append(kinds, cache.Unavailable)
		}
		for _, k := range kinds {
			want[k.String()] = true
		}
		lines := b.lines()
		for _, line := range lines {
			_, rest, _ := strings.Cut(line, `msg="larder: `)
			kind, _, _ := strings.Cut(rest, `"`)
			if !want[kind] || !strings.Contains(line, " keys=2") {
				t.Errorf("with the error %v there is the line %s", err, line)
			}
		}
		if len(lines) != len(want) {
			t.Errorf("with the error %v there are %d lines, not %d", err, len(lines), len(want))
		}
	}
}

func TestAllButHitsIsWrittenForDebugging(t *testing.T) {
	var b logbook
	o := logTo(&b, slog.LevelDebug, &cache.LogOptions{Every: time.Hour})
	for range 2 {
		for _, k := range cache.Kinds() {
			o.Observe(cache.Event{Kind: k})
		}
	}
	text := strings.Join(b.lines(), "\n")
	for _, k := range cache.Kinds() {
		n := strings.Count(text, `"larder: `+k.String()+`"`) + strings.Count(text, "msg=larder: "+k.String()+" ")
		switch k {
		case cache.Hit:
			if n != 0 {
				t.Errorf("%d hits are written", n)
			}
		case cache.Miss, cache.Load, cache.Trip, cache.Skipped:
			if n != 2 {
				t.Errorf("%v is written %d times", k, n)
			}
		default:
			if n == 0 {
				t.Errorf("%v is not written", k)
			}
		}
	}
}

func TestALogThatMakesNoSenseIsRefused(t *testing.T) {
	for want, f := range map[string]func(){
		"the logger is nil": func() { cache.Log(nil, nil) },
		"LogOptions.Every":  func() { cache.Log(slog.Default(), &cache.LogOptions{Every: -1}) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("the panic %q does not say %q", got, want)
				}
			}()
			f()
		}()
	}
}
