package progress

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// columns is the width of the terminal.
var columns = 200

// show lets a meter see half of a run at 100 operations a second.
func show(t *testing.T, live, colour bool) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := start(&out, []Step{{"first", 4 * time.Second}, {"second", 4 * time.Second}}, live, colour, func() int { return columns })
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
	if !strings.Contains(got, "\r\x1b[K\x1b[2m[####............]  25%  first: 100 ops/s ████████, 6 s left\x1b[0m") {
		t.Errorf("got %q", got)
	}
	if strings.Contains(got, "\n") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("the line does not go away: %q", got)
	}
	if got := show(t, true, false); strings.Contains(got, "\x1b[2m") || !strings.Contains(got, "first: 100 ops/s") {
		t.Errorf("without colour: %q", got)
	}
}

func TestMeterShowsFiguresAndNoMoreThanFits(t *testing.T) {
	figures := func(live bool, width int) (text string) {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			m := start(&out, []Step{{"reads", 10 * time.Second}}, live, false, func() int { return width })
			n := int64(0)
			m.Next(func() Reading {
				n += 100
				r := Reading{Done: n, P99: time.Duration(n) * time.Microsecond, HitRatio: 0.5}
				if n == 200 {
					r.P99 = 0
				}
				return r
			})
			time.Sleep(6100 * time.Millisecond)
			m.Stop()
			text = out.String()
		})
		return text
	}
	if got := figures(false, 0); !strings.Contains(got, " 60%  reads: 50 ops/s, p99 300 µs, hits 50.0%, 4 s left\n") {
		t.Errorf("in lines: %q", got)
	}
	got := figures(true, 200)
	for _, part := range []string{"p99 100 µs █, hits 50.0% █,", "p99 400 µs ▃ ▇█, hits 50.0% ████,", "p99 2.40 ms ▅▅▆▆▆▇▇▇████, "} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q on a terminal: %q", part, got)
		}
	}
	for line := range strings.SplitSeq(figures(true, 40), "\r\x1b[K") {
		if n := len([]rune(line)); n > 39 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func TestMeterOfWorkThatIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := start(&out, []Step{{Name: "replay"}}, false, false, nil)
		start := time.Now()
		m.Next(func() Reading {
			if time.Since(start) < 3*time.Second {
				return Reading{HitRatio: -1} // it is still counted
			}
			return Reading{Done: 100 * int64(time.Since(start)/time.Second), Of: 2000, HitRatio: -1}
		})
		time.Sleep(5 * time.Second)
		m.Stop()
		if want := "  0%  replay: 0 ops/s\n 20%  replay: 400 of 2,000, 200 ops/s, 16 s left\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}
