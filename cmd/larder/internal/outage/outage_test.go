package outage

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// short is a schedule of all faults that is done in some seconds, with what a
// machine can do beside other tests: few reads, few keys, and patience with Redis.
func short(t *testing.T, strategy string) Config {
	c := Default()
	c.Time, c.Strategies, c.Seed = 8*time.Second, []string{strategy}, seed(t)
	c.Rate, c.Keys, c.Capacity, c.Writes = 300, 100, 30, 10
	c.timeout, c.patience = 250*time.Millisecond, time.Minute
	return c
}

func TestNoReadFailsAndNoneIsOldWhenRedisDies(t *testing.T) {
	for _, strategy := range Strategies() {
		t.Run(strategy, func(t *testing.T) {
			r, err := Run(t.Context(), short(t, strategy), t.Output(), nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Check(false)
			r.Section().Text(t.Output())
			for _, b := range r.Broken {
				t.Error(b)
			}
			one := r.Results[0]
			if one.Acknowledged == 0 || one.NotAcknowledged == 0 || len(one.Phases) != 1+2*len(Faults()) {
				t.Errorf("%d invalidations, %d failed, %d phases", one.Acknowledged, one.NotAcknowledged, len(one.Phases))
			}
			best := 0.0
			for _, p := range one.Phases {
				best = max(best, p.Former)
				if hurts := p.Fault != "" && p.Fault != "oom" && p.Fault != "readonly" && p.Fault != "slow"; hurts && p.All.Unasked == 0 && p.All.Reads.Count >= 50 {
					t.Errorf("%s: Redis could be asked by all %d reads", p.Fault, p.All.Reads.Count)
				}
				if p.All.Control.Count == 0 || p.All.Origin.Count == 0 {
					t.Errorf("%s: nothing to compare with: %+v", p.name(), p.All)
				}
			}
			if best < 0.3 {
				t.Errorf("the hit ratio was never more than %v: that it recovers says nothing", best)
			}
		})
	}
}

// seed returns $LARDER_SEED, or one that is drawn; it is printed with the report.
func seed(t *testing.T) uint64 {
	s := os.Getenv("LARDER_SEED")
	if s == "" {
		return uint64(rand.Uint32())
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("LARDER_SEED: %v", err)
	}
	return n
}

func TestEveryFaultIsWhatItSays(t *testing.T) {
	s, err := openSite(t.Context(), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	rdb := redis.NewClient(&redis.Options{Addr: s.proxy.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1})
	defer rdb.Close()
	says := map[string][2]string{ // to a write and to a read; "" is that it works
		"refused":    {"connection refused", "connection refused"},
		"blackholed": {"timeout", "timeout"},
		"paused":     {"timeout", "timeout"},
		"slow":       {"", ""},
		"loading":    {"LOADING", "LOADING"},
		"oom":        {"OOM", ""},
		"readonly":   {"READONLY", ""},
		"killed":     {"connection refused", "connection refused"},
	}
	for _, f := range faults {
		if err := rdb.Set(t.Context(), "before", 1, 0).Err(); err != nil {
			t.Fatalf("before %s: %v", f.name, err)
		}
		if err := f.begin(s, t.Context()); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		if f.name == "loading" { // it takes a moment until the server is there
			deadline := time.Now().Add(10 * time.Second)
			for rdb.Get(t.Context(), "x").Err() != nil && !strings.Contains(rdb.Get(t.Context(), "x").Err().Error(), "LOADING") && time.Now().Before(deadline) {
			}
		}
		for i, do := range []func(context.Context) error{
			func(ctx context.Context) error { return rdb.Set(ctx, "during", 1, 0).Err() },
			func(ctx context.Context) error { return rdb.Get(ctx, "x").Err() },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			began := time.Now()
			err := do(ctx)
			took := time.Since(began)
			cancel()
			if err == redis.Nil {
				err = nil
			}
			want := says[f.name][i]
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) && !(want == "timeout" && errors.Is(err, os.ErrDeadlineExceeded)) {
				t.Errorf("%s: command %d gives %v, not %q", f.name, i, err, want)
			}
			if f.name == "slow" && took < slowness {
				t.Errorf("slow: it took %v", took)
			}
		}
		if err := f.end(s, t.Context()); err != nil {
			t.Fatalf("after %s: %v", f.name, err)
		}
		deadline := time.Now().Add(10 * time.Second)
		for err = errors.New("never"); err != nil && time.Now().Before(deadline); { // a pool that could not dial waits
			err = rdb.Set(t.Context(), "after", 1, 0).Err()
		}
		if err != nil {
			t.Fatalf("after %s: %v", f.name, err)
		}
	}
}

func TestARunThatIsInterruptedEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := short(t, "l2")
	c.Time = 10 * time.Minute
	time.AfterFunc(500*time.Millisecond, cancel)
	if r, err := Run(ctx, c, t.Output(), nil); !errors.Is(err, context.Canceled) || len(r.Results) != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestAnInterruptLeavesWhatWasMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := short(t, "l2")
	c.Time, c.Faults = 10*time.Second, []string{"refused", "slow"}
	time.AfterFunc(5*time.Second, cancel) // in the first fault, or after it
	r, err := Run(ctx, c, t.Output(), nil)
	if !errors.Is(err, context.Canceled) || len(r.Results) != 1 {
		t.Fatalf("%v, %+v", err, r)
	}
	if p := r.Results[0].Phases; len(p)%2 != 1 || p[0].All.Reads.Count == 0 {
		t.Errorf("the phases are %+v", p)
	}
}

func TestWhatCannotBeRunSaysSo(t *testing.T) {
	for what, change := range map[string]func(*Config){
		`"bored"`: func(c *Config) { c.Faults = []string{"bored"} },
		`"l3"`:    func(c *Config) { c.Strategies = []string{"l3"} },
	} {
		c := short(t, "l2")
		change(&c)
		if _, err := Run(t.Context(), c, t.Output(), nil); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
