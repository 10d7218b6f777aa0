package throughput

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func run(ctx context.Context, c Config) (*results.Section, error) {
	m := progress.New(io.Discard, Steps(c))
	defer m.Stop()
	return Run(ctx, c, m)
}

func TestAllOperationsAreHitsAndAllocateNothing(t *testing.T) {
	c := Quick()
	c.Time = 60 * time.Millisecond
	s, err := run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	d := &results.Document{Schema: results.Schema, Sections: []*results.Section{s}}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Notes {
		if n.Level != results.Info {
			t.Error(n.Text)
		}
	}
	for _, of := range subjects {
		ops, ok := d.Metric("throughput." + of.name + ".ops")
		allocs, _ := d.Metric("throughput." + of.name + ".allocs_per_op")
		if !ok || ops.Value() < 1000 || allocs.Value() > 0.01 {
			t.Errorf("%s: %v operations a second, %v allocations each", of.name, ops.Value(), allocs.Value())
		}
	}
	if m, ok := d.Metric("throughput.timing_overhead"); !ok || m.Value() <= 0 {
		t.Errorf("to time an operation takes %v ns", m.Value())
	}
}

func TestInterruptKeepsWhatWasMeasured(t *testing.T) {
	c := Quick()
	c.Time = 20 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := subjects
	defer func() { subjects = all }()
	ends := subject{"ends", "ends the run", func(c Config) (func() func(uint32) uint32, func()) {
		cancel()
		return all[0].open(c)
	}}
	subjects = []subject{all[0], all[1], ends, all[2]}
	s, err := run(ctx, c)
	if !errors.Is(err, context.Canceled) || len(s.Tables[0].Rows) != 2 {
		t.Errorf("%v, %d rows", err, len(s.Tables[0].Rows))
	}
}

func TestConfigsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Keys = 0 }, func(c *Config) { c.Workers = 0 }, func(c *Config) { c.Time = 0 },
	} {
		c := Default()
		if change(&c); c.Check() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := Default().Check(); err != nil {
		t.Error(err)
	}
}
