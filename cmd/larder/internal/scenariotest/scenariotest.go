// Package scenariotest runs scenarios in tests.
package scenariotest

import (
	"context"
	"io"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
)

// Open connects to a server as --redis names it, until the test ends.
func Open(t *testing.T, redis string) *server.Server {
	t.Helper()
	target, err := server.ParseTarget(redis)
	if err != nil {
		t.Fatal(err)
	}
	on, err := target.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := on.Close(); err != nil {
			t.Error(err)
		}
	})
	return on
}

// Run runs a scenario on a server, removes its keys, and checks that what it has found
// can stand in a document. It returns what the scenario returns.
func Run(t *testing.T, ctx context.Context, redis string, steps []progress.Step,
	run func(ctx context.Context, on *server.Server, prefix string, meter *progress.Meter) (*results.Section, error),
) (*results.Section, error) {
	t.Helper()
	on := Open(t, redis)
	meter := progress.New(io.Discard, steps)
	defer meter.Stop()
	prefix := server.RunPrefix("scenariotest")
	s, err := run(ctx, on, prefix, meter)
	if s != nil {
		s.Text(t.Output())
		d := document(s)
		d.Schema = results.Schema
		if err := d.Check(); err != nil {
			t.Error(err)
		}
	}
	if _, err := on.Sweep(t.Context(), prefix); err != nil {
		t.Error(err)
	}
	return s, err
}

func document(s *results.Section) *results.Document {
	return &results.Document{Sections: []*results.Section{s}}
}

// Metric returns the value of a metric, which must be there.
func Metric(t *testing.T, s *results.Section, name string) float64 {
	t.Helper()
	m, ok := document(s).Metric(name)
	if !ok {
		t.Fatalf("there is no metric %s", name)
	}
	return m.Value()
}

// Failures returns what was promised and did not hold.
func Failures(s *results.Section) []string { return document(s).Failures() }
