package footprint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/scenariotest"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

func run(ctx context.Context, t *testing.T, redis string, c Config) (*results.Document, error) {
	t.Helper()
	s, err := scenariotest.Run(t, ctx, redis, Steps(c), func(ctx context.Context, on *server.Server, prefix string, meter *progress.Meter) (*results.Section, error) {
		return Run(ctx, on, prefix, c, meter)
	})
	return &results.Document{Sections: []*results.Section{s}}, err
}

func TestAnEntryTakesItsValueAndMore(t *testing.T) {
	c := Config{Entries: []int{5000, 20_000}, Remote: 200, Size: 500}
	for _, target := range []string{"", "spawn", "spawn-cluster"} {
		d, err := run(t.Context(), t, target, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kinds {
			for _, n := range c.Entries {
				// A value of 500 bytes takes 512, and a map that has just grown has twice the
				// places that it needs.
				if m, ok := d.Metric(fmt.Sprintf("memory.%s_%d.bytes_per_entry", k.name, n)); !ok || m.Value() < 512 || m.Value() > 1000 {
					t.Errorf("%d entries of %s: %v, %v", n, k.title, m.Value(), ok)
				}
			}
		}
		plain, ok := d.Metric("memory.redis.set.bytes_per_entry")
		if ok != (target != "") {
			t.Errorf("%q: what a SET takes is known: %v", target, ok)
		}
		larder, _ := d.Metric("memory.redis.larder.bytes_per_entry")
		tagged, _ := d.Metric("memory.redis.larder_tagged.bytes_per_entry")
		if ok && (plain.Value() < 500 || larder.Value() < plain.Value() || tagged.Value() < larder.Value() || tagged.Value() > 1500) {
			t.Errorf("%q: SET %v, Larder %v, with a tag %v", target, plain.Value(), larder.Value(), tagged.Value())
		}
		if !ok && len(d.Sections[0].Notes) != 1 {
			t.Error("nothing says why")
		}
	}
}

func TestInterruptKeepsWhatWasMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	all := kinds
	defer func() { kinds = all }()
	left := 3
	kinds = []kind{{"ends", "ends the run", func(int, int) any {
		if left--; left == 1 {
			cancel()
		}
		return nil
	}}}
	d, err := run(ctx, t, "", Config{Entries: []int{100, 200, 300}, Size: 1})
	if !errors.Is(err, context.Canceled) || len(d.Sections[0].Metrics) != 2 {
		t.Errorf("%v, metrics %v", err, d.Sections[0].Metrics)
	}
}

func TestConfigsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Entries = nil }, func(c *Config) { c.Entries = []int{1} }, func(c *Config) { c.Entries = []int{200, 100} },
		func(c *Config) { c.Remote = -1 }, func(c *Config) { c.Size = 0 },
	} {
		c := Default()
		if change(&c); c.Check() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if Default().Check() != nil || Quick().Check() != nil {
		t.Error("a configuration without flags is refused")
	}
}
