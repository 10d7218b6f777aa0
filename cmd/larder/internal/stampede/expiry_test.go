package stampede

import (
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

const ms = int64(time.Millisecond)

func TestLoadsBelongToTheExpiryThatCausedThem(t *testing.T) {
	loads := []load{
		{key: 0, begin: 500 * ms, end: 520 * ms},
		{key: 0, begin: 0, end: 20 * ms},
		{key: 0, begin: 10 * ms, end: 200 * ms}, // long in the queue
		{key: 0, begin: 250 * ms, end: 270 * ms},
		{key: 1, begin: 255 * ms, end: 275 * ms},
	}
	var sizes []int
	for _, e := range expiriesOf(loads, 100*time.Millisecond) {
		sizes = append(sizes, len(e))
	}
	if len(sizes) != 3 || sizes[0] != 3 || sizes[1] != 1 || sizes[2] != 1 {
		t.Errorf("the expiries have %v loads", sizes)
	}
	if all := expiriesOf(nil, 1); all != nil {
		t.Errorf("nothing is %v", all)
	}
}

func TestSomebodyWaitsUntilTheLastHasAnAnswer(t *testing.T) {
	waits := []wait{{10 * ms, 5 * ms, 0}, {0, 30 * ms, 0}, {20 * ms, 5 * ms, 0}, {400 * ms, ms, 0}}
	if w := windows(waits, 100*time.Millisecond); len(w) != 2 || w[0] != 30*time.Millisecond || w[1] != time.Millisecond {
		t.Errorf("the windows are %v", w)
	}
}

func TestAnotherLoadInItsTurnBreaksThePromise(t *testing.T) {
	c := Default() // a turn is 80 ms, of which half is judged
	for what, k := range map[string]struct {
		way   string
		after int64
		late  time.Duration
		level results.Level
	}{
		"soon":                         {"lock", 30 * ms, 0, results.Fail},
		"when the first was slow":      {"lock", 60 * ms, 0, ""},
		"on a machine that was busy":   {"lock", 30 * ms, 50 * time.Millisecond, results.Warn},
		"of who promises nothing":      {"local", 30 * ms, 0, ""},
		"of a refresh":                 {"stale", 60 * ms, 0, results.Warn},
		"of a refresh that is too old": {"stale", 600 * ms, 0, ""},
	} {
		loads := []load{{begin: 0, end: 600 * ms}, {begin: k.after, end: k.after + ms}}
		o := outcome{way: wayOf(k.way), loads: loads, late: k.late}
		o.expiries = expiriesOf(loads, c.gap())
		notes := o.judge(c)
		if k.level == "" && len(notes) != 0 || k.level != "" && (len(notes) != 1 || notes[0].Level != k.level || !strings.Contains(notes[0].Text, "1 of 2 loads")) {
			t.Errorf("%s: %+v", what, notes)
		}
	}
	if notes := (&outcome{way: wayOf("lock")}).judge(c); len(notes) != 1 || notes[0].Level != results.Warn {
		t.Errorf("nothing at all: %+v", notes)
	}
}

func TestConfigsThatMakeNoSenseNameTheFlag(t *testing.T) {
	for flag, change := range map[string]func(*Config){
		"--goroutines":     func(c *Config) { c.Goroutines = 0 },
		"--processes":      func(c *Config) { c.Processes = 65 },
		"--keys":           func(c *Config) { c.Keys = 0 },
		"--db-conns":       func(c *Config) { c.Connections = 0 },
		"--db-latency":     func(c *Config) { c.Load = 0 },
		"--ttl":            func(c *Config) { c.TTL = 19 * c.Load },
		"--time":           func(c *Config) { c.Time = 3 * time.Second },
		"--rate":           func(c *Config) { c.Rate = 0 },
		"--rate is 100000": func(c *Config) { c.Rate, c.Time = 1e5, time.Minute },
	} {
		c := Default()
		change(&c)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
	for _, c := range []Config{Default(), Default().Quick()} {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
}
