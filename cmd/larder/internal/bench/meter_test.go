package bench

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
		m := startMeter(&out, []step{{"first", 4 * time.Second}, {"second", 4 * time.Second}}, live, colour)
		start := time.Now()
		done := func() int64 { return 100 * time.Since(start).Milliseconds() / 1000 }
		m.next(done)
		time.Sleep(4 * time.Second)
		m.next(done)
		time.Sleep(100 * time.Millisecond)
		m.stop()
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

func TestNumbersForPeople(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := thousands(x); got != want {
			t.Errorf("%v is %q, not %q", x, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "-", 999: "999 ns", 1500: "1.50 µs", 15 * time.Millisecond: "15.0 ms", 1500 * time.Millisecond: "1.50 s", 250 * time.Second: "250 s",
	} {
		if got := brief(d); got != want {
			t.Errorf("%d is %q, not %q", d, got, want)
		}
	}
	for x, want := range map[float64]float64{4376: 4300, 99: 99, 0.123: 0.12, 0: 1} {
		if got := round(x); got < want*0.999 || got > want*1.001 {
			t.Errorf("%v is rounded to %v, not %v", x, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	facts := "processor\t: 0\nmodel name\t: Example 3000\nmodel name\t: Other\n"
	if got := cpuModel(facts); got != "Example 3000" {
		t.Errorf("the CPU is %q", got)
	}
	if got := cpuModel(""); got != "" {
		t.Errorf("the CPU is %q", got)
	}
	e := Environment{Go: "go1", OS: "linux", Arch: "amd64", CPU: "X", GOMAXPROCS: 2}
	if want := "go1 linux/amd64, GOMAXPROCS 2, X"; e.String() != want || ThisEnvironment().Go == "" {
		t.Errorf("the environment is %q", e)
	}
}
