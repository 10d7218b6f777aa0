package results

import (
	"testing"
	"time"
)

func TestNumbersForPeople(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := Amount(x); got != want {
			t.Errorf("%v is %q, not %q", x, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "-", 999: "999 ns", 1500: "1.50 µs", 15 * time.Millisecond: "15.0 ms", 1500 * time.Millisecond: "1.50 s", 250 * time.Second: "250 s",
	} {
		if got := Brief(d); got != want {
			t.Errorf("%d is %q, not %q", d, got, want)
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
	for text, want := range map[string]string{"max 100000": "", "": "", "150000 100000": "1.50", "200000 100000": "2", "x 0": ""} {
		if got := cpuQuota(text); got != want {
			t.Errorf("the quota of %q is %q, not %q", text, got, want)
		}
	}
	e := Environment{Go: "go1", OS: "linux", Arch: "amd64", CPU: "X", GOMAXPROCS: 2, Quota: "1.50"}
	if want := "go1 linux/amd64, GOMAXPROCS 2, quota 1.50, X"; e.String() != want || ThisEnvironment().Go == "" {
		t.Errorf("the environment is %q", e)
	}
}
