package tagcost

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/scenariotest"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

func run(t *testing.T, ctx context.Context, redis string, c Config) (*results.Section, error) {
	t.Helper()
	return scenariotest.Run(t, ctx, redis, Steps(c), func(ctx context.Context, on *server.Server, prefix string, meter *progress.Meter) (*results.Section, error) {
		return Run(ctx, on, prefix, c, meter)
	})
}

func TestOnlyASetOfMembersCostsMoreForMoreMembers(t *testing.T) {
	for _, target := range []string{"", "spawn", "spawn-cluster"} {
		t.Run(target, func(t *testing.T) {
			c := Config{Members: []int{1, 700}, Rounds: 3}
			s, err := run(t, t.Context(), target, c)
			if err != nil {
				t.Fatal(err)
			}
			d := &results.Document{Sections: []*results.Section{s}}
			for _, w := range ways {
				for _, size := range []string{"members_1", "members_700"} {
					if m, ok := d.Metric("tags." + w.name + "." + size + ".p50"); !ok || m.Value() <= 0 {
						t.Errorf("%s of %s is %v, %v", size, w.name, m, ok)
					}
				}
			}
			if _, ok := d.Metric("tags.larder.members_1.heard_p50"); !ok {
				t.Error("no memory has heard of an invalidation")
			}
			if target != "spawn" {
				return
			}
			// Times depend on the machine; what the server does for it does not. A script is
			// one command, and so is what it calls; others may beat meanwhile.
			few, _ := d.Metric("tags.larder.members_1.commands")
			many, _ := d.Metric("tags.larder.members_700.commands")
			naive, _ := d.Metric("tags.naive.members_700.commands")
			if many.Value() > few.Value()+15 || few.Value() <= 0 {
				t.Errorf("Larder needs %v commands for one entry and %v for 700", few.Value(), many.Value())
			}
			if naive.Value() < 700 {
				t.Errorf("to remove 700 members takes %v commands", naive.Value())
			}
		})
	}
}

func TestInvalidatedEntriesAreGone(t *testing.T) {
	on := scenariotest.Open(t, "")
	for _, w := range ways {
		way, err := w.open(t.Context(), on, "gone-"+w.name)
		if err != nil {
			t.Fatal(err)
		}
		if err := way.fill(t.Context(), "a", 20); err != nil {
			t.Fatal(err)
		}
		if _, _, err := way.invalidate(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		switch v := way.(type) {
		case *larder:
			if e, err := v.both.Get(t.Context(), key("a", 7)); e != nil || err != nil {
				t.Errorf("an invalidated entry is %v, %v", e, err)
			}
		case *naive:
			if n := v.rdb.Exists(t.Context(), v.prefix+":"+key("a", 7), v.set("a")).Val(); n != 0 {
				t.Errorf("%d keys are left", n)
			}
		}
		if err := way.close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestInterruptKeepsWhatWasMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := Config{Members: []int{1}, Rounds: 1}
	last := ways[1].open
	defer func() { ways[1].open = last }()
	ways[1].open = func(context.Context, *server.Server, string) (way, error) {
		cancel()
		return nil, ctx.Err()
	}
	s, err := run(t, ctx, "", c)
	if !errors.Is(err, context.Canceled) || len(s.Tables[0].Rows) != 1 {
		t.Errorf("%v, rows %v", err, s.Tables[0].Rows)
	}
}

func TestConfigsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, c := range []Config{{}, {Members: []int{0}, Rounds: 1}, {Members: []int{2, 1}, Rounds: 1}, {Members: []int{1}}, {Members: []int{1_000_000}, Rounds: 6}} {
		if c.Check() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if Default().Check() != nil || Quick().Check() != nil {
		t.Error("a configuration without flags is refused")
	}
}
