package progress

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// show lets a meter see half of a run at 100 operations a second.
func show(t *testing.T, live, colour bool) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := start(&out, []Step{{"first", 4 * time.Second}, {"second", 4 * time.Second}}, live, colour)
		start := time.Now()
		done := func() int64 { return 100 * time.Since(start).Milliseconds() / 1000 }
		m.Next(Count(done))
		time.Sleep(4 * time.Second)
		m.Next(Count(done))
		time.Sleep(100 * time.Millisecond)
		m.Stop()
		text = out.String()
	})
	return text
}

func TestMeterWithoutTerminal(t *testing.T) {
	want := " 25%  first: 100 ops/s, 6 s left\n"
	if got := show(t, false, false); !strings.HasPrefix(got, want) || strings.ContainsAny(got, "\r\x1b") {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMeterOnTerminal(t *testing.T) {
	got := show(t, true, true)
	if !strings.Contains(got, "\r\x1b[K\x1b[2m[####............]  25%  first: 100 ops/s, 6 s left\x1b[0m") {
		t.Errorf("got %q", got)
	}
	if strings.Contains(got, "\n") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("the line does not go away: %q", got)
	}
	if got := show(t, true, false); strings.Contains(got, "\x1b[2m") || !strings.Contains(got, "first: 100 ops/s") {
		t.Errorf("without colour: %q", got)
	}
}
