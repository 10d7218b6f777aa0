package cache_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func set(t testing.TB, s *cache.Switch, mode cache.Mode, percent float64) {
	t.Helper()
	if err := s.Set(mode, percent); err != nil {
		t.Fatal(err)
	}
}

func TestASwitchIsOnUntilItIsSet(t *testing.T) {
	var zero cache.Switch
	for name, s := range map[string]*cache.Switch{"nil": nil, "zero": &zero, "new": cache.NewSwitch(nil), "child": cache.NewSwitch(&zero)} {
		if got := cache.ModeOf(s, "k"); got != cache.ModeOn {
			t.Errorf("%s is %v", name, got)
		}
	}
	if mode, percent := zero.Mode(); mode != cache.ModeOn || percent != 100 {
		t.Errorf("the zero Switch is %v for %v%%", mode, percent)
	}
	for _, m := range []cache.Mode{cache.ModeBypass, cache.ModeShadow, cache.ModeOn} {
		set(t, &zero, m, 100)
		if got := cache.ModeOf(&zero, "k"); got != m {
			t.Errorf("a key is %v after %v was set", got, m)
		}
	}
	set(t, &zero, cache.ModeBypass, 0)
	if got := cache.ModeOf(&zero, "k"); got != cache.ModeOn || zero.String() != "on" {
		t.Errorf("bypass for no keys is %v, %s", got, &zero)
	}
}

// What is chosen now must be chosen by the processes of the next version, too.
func TestTheChoiceOfKeysDoesNotChange(t *testing.T) {
	type named string
	type id uint16
	type pair struct {
		A string
		B int
	}
	var s cache.Switch
	for _, c := range []struct {
		mode func() cache.Mode
		at   float64 // from which percentage on
	}{
		{func() cache.Mode { return cache.ModeOf(&s, "user:42") }, 59.97329},
		{func() cache.Mode { return cache.ModeOf(&s, named("user:42")) }, 59.97329},
		{func() cache.Mode { return cache.ModeOf(&s, 42) }, 50.40756},
		{func() cache.Mode { return cache.ModeOf(&s, id(42)) }, 50.40756},
		{func() cache.Mode { return cache.ModeOf(&s, "42") }, 50.40756},
		{func() cache.Mode { return cache.ModeOf(&s, -7) }, 79.43629},
		{func() cache.Mode { return cache.ModeOf(&s, pair{"a", 1}) }, 49.71187},
		{func() cache.Mode { return cache.ModeOf(&s, [2]byte{1, 2}) }, 75.20010},
	} {
		low, high := 0.0, 100.0
		for range 40 {
			middle := (low + high) / 2
			set(t, &s, cache.ModeBypass, middle)
			if c.mode() == cache.ModeBypass {
				high = middle
			} else {
				low = middle
			}
		}
		if math.Abs(high-c.at) > 0.0001 {
			t.Errorf("chosen from %.5f%% on, not %.5f%%", high, c.at)
		}
	}
}

func TestAPercentageOfKeysIsChosenStably(t *testing.T) {
	const n = 20_000
	a, b := cache.NewSwitch(nil), cache.NewSwitch(nil)
	for name, mode := range map[string]func(*cache.Switch, int) cache.Mode{
		"integers": func(s *cache.Switch, i int) cache.Mode { return cache.ModeOf(s, i) },
		"strings":  func(s *cache.Switch, i int) cache.Mode { return cache.ModeOf(s, fmt.Sprint("user:", i)) },
		"arrays":   func(s *cache.Switch, i int) cache.Mode { return cache.ModeOf(s, [2]int{i, 7}) },
	} {
		before := make([]bool, n)
		for _, percent := range []float64{0, 0.5, 1, 10, 20, 50, 99.9, 100} {
			set(t, a, cache.ModeShadow, percent)
			set(t, b, cache.ModeBypass, percent)
			chosen := 0
			for i := range n {
				is := mode(a, i) == cache.ModeShadow
				if other := mode(b, i) == cache.ModeBypass; is != other {
					t.Fatalf("%s: two switches at %v%% choose differently", name, percent)
				}
				if before[i] && !is {
					t.Fatalf("%s: %d is not chosen at %v%%, but at less", name, i, percent)
				}
				if before[i] = is; is {
					chosen++
				}
			}
			// Five times the standard deviation of a choice by lot.
			want, off := percent/100*n, 5*math.Sqrt(n*percent/100*(1-percent/100))
			if math.Abs(float64(chosen)-want) > off {
				t.Errorf("%s: %d of %d are chosen at %v%%", name, chosen, n, percent)
			}
		}
	}
}

func TestTheStricterModeApplies(t *testing.T) {
	space := cache.NewSwitch(nil)
	s := cache.NewSwitch(cache.NewSwitch(space))
	for _, c := range [][3]cache.Mode{
		{cache.ModeOn, cache.ModeOn, cache.ModeOn},
		{cache.ModeBypass, cache.ModeOn, cache.ModeBypass},
		{cache.ModeOn, cache.ModeBypass, cache.ModeBypass},
		{cache.ModeShadow, cache.ModeOn, cache.ModeShadow},
		{cache.ModeOn, cache.ModeShadow, cache.ModeShadow},
		{cache.ModeShadow, cache.ModeBypass, cache.ModeBypass},
		{cache.ModeBypass, cache.ModeShadow, cache.ModeBypass},
	} {
		set(t, space, c[0], 100)
		set(t, s, c[1], 100)
		if got := cache.ModeOf(s, 1); got != c[2] {
			t.Errorf("space %v, cache %v: %v", c[0], c[1], got)
		}
	}
	// A part each: who is in both has the stricter.
	set(t, space, cache.ModeBypass, 10)
	set(t, s, cache.ModeShadow, 20)
	var count [3]int
	for i := range 10_000 {
		count[cache.ModeOf(s, i)]++
	}
	for i, want := range []int{8000, 1000, 1000} {
		if math.Abs(float64(count[i]-want)) > 250 {
			t.Errorf("%v has %d of 10000 keys", cache.Mode(i), count[i])
		}
	}
}

func TestASwitchIsWrittenAndReadAsText(t *testing.T) {
	for text, want := range map[string]string{
		"on": "on", "bypass": "bypass", "shadow": "shadow", "shadow:10%": "shadow:10%", "bypass:0.1%": "bypass:0.1%",
		"bypass:100%": "bypass", "shadow:0%": "on", " bypass\n": "bypass", "shadow:1e1%": "shadow:10%", "bypass:0.0000001%": "bypass:0.0000001%",
	} {
		var s, again cache.Switch
		if err := s.UnmarshalText([]byte(text)); err != nil || s.String() != want {
			t.Errorf("%q is read as %v, %v", text, &s, err)
			continue
		}
		b, err := json.Marshal(&s)
		if err1 := json.Unmarshal(b, &again); err != nil || err1 != nil || again.String() != want {
			t.Errorf("%s comes back as %v, %v, %v", b, &again, err, err1)
		}
	}
	var s cache.Switch
	set(t, &s, cache.ModeShadow, 30)
	for text, want := range map[string]string{
		"": "no mode", "off": "off", "On": "On", "shadow:": "percentage", "shadow:10": `"10"`, "shadow:x%": "x%", "shadow:101%": "101",
		"shadow:-1%": "-1", "shadow:NaN%": "NaN", "shadow:10%%": "10%%", "on:10%": "on:10%", "unknown": "unknown",
	} {
		if err := s.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not name %q", text, err, want)
		}
	}
	if err := s.Set(3, 10); err == nil {
		t.Error("there is a fourth mode")
	}
	if s.String() != "shadow:30%" {
		t.Errorf("errors have changed the Switch to %v", &s)
	}
}

func TestFlippingASwitchUnderLoad(t *testing.T) {
	space := cache.NewSwitch(nil)
	s := cache.NewSwitch(space)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				// A mode and a percentage that were not set together would show.
				if got := cache.ModeOf(s, i); got == cache.ModeShadow {
					t.Errorf("key %d is %v, which is at 0%%", i, got)
					return
				}
			}
		})
	}
	for range 20_000 {
		set(t, s, cache.ModeBypass, 100)
		set(t, s, cache.ModeShadow, 0)
		set(t, space, cache.ModeBypass, 50)
		set(t, space, cache.ModeOn, 100)
	}
	close(stop)
	wg.Wait()
}

func TestASwitchThatIsOnAllocatesNothing(t *testing.T) {
	s := cache.NewSwitch(cache.NewSwitch(nil))
	key := strings.Repeat("k", 100)
	if n := testing.AllocsPerRun(100, func() { cache.ModeOf(s, key) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzSwitchText(f *testing.F) {
	for _, s := range []string{"on", "bypass", "shadow:10%", "shadow:", "on:1%", "bypass:1e-9%", "shadow:100.0001%", " bypass:+Inf%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, again cache.Switch
		if err := s.UnmarshalText([]byte(text)); err != nil {
			if s.String() != "on" {
				t.Fatalf("%q is an error and sets %v", text, &s)
			}
			return
		}
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again.String() != s.String() {
			t.Fatalf("%q is written as %v and read as %v, %v", text, &s, &again, err)
		}
	})
}

func ExampleSwitch() {
	space := cache.NewSwitch(nil) // for all caches of a Redis
	users := cache.NewSwitch(space)

	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.Func("users", "`mode` of the cache: on, bypass, shadow:10%", func(s string) error {
		return users.UnmarshalText([]byte(s))
	})
	flags.Parse([]string{"-users", "shadow:100%"})
	fmt.Println(users, cache.ModeOf(users, 42))

	space.Set(cache.ModeBypass, 100)
	fmt.Println(users, cache.ModeOf(users, 42))
	// Output:
	// shadow shadow
	// shadow bypass
}
