package staleness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/scenariotest"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/redistest"
)

// mistake is the variable that has processes use something else in place of the library.
const mistake = "LARDER_STALENESS_NAIVE"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		if os.Getenv(mistake) != "" {
			pretend()
		}
		if err := Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(redistest.Main(m))
}

// pretend has what keeps nothing take the place of the library, and returns what ends
// that.
func pretend() (undo func()) {
	a, b := ways[0].open, ways[1].open
	ways[0].open, ways[1].open = openNaive(true), openNaive(false)
	return func() { ways[0].open, ways[1].open = a, b }
}

// small is a run that a machine can do beside other tests.
func small() Config {
	c := Default()
	c.Time, c.Processes, c.Keys, c.Lease, c.TTL, c.Writes = 6*time.Second, 2, 8, 200*time.Millisecond, 700*time.Millisecond, 30
	return c
}

// measure runs on a server.
func measure(t *testing.T, ctx context.Context, redis string, c Config) (*results.Section, error) {
	t.Helper()
	return scenariotest.Run(t, ctx, redis, c.Steps(), func(ctx context.Context, on *server.Server, prefix string, meter *progress.Meter) (*results.Section, error) {
		return Run(ctx, on, prefix, c, meter)
	})
}

func TestWhatPeopleBuildIsCaughtAndTheLibraryIsNot(t *testing.T) {
	for _, on := range []string{"", redistest.Standalone(t).Addr()} {
		c := small()
		s, err := measure(t, t.Context(), on, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range scenariotest.Failures(s) {
			t.Error(f)
		}
		for _, name := range []string{"staleness.after_ack", "staleness.larder.after_ack", "staleness.larder.old_at_end", "staleness.lease.after_lease", "staleness.lease.old_at_end"} {
			if n := scenariotest.Metric(t, s, name); n != 0 {
				t.Errorf("%s is %v", name, n)
			}
		}
		for _, name := range []string{"pubsub", "ttl"} {
			if n := scenariotest.Metric(t, s, "staleness."+name+".after_ack"); n == 0 {
				t.Errorf("%s was not caught with anything old", name)
			}
			if d := time.Duration(scenariotest.Metric(t, s, "staleness."+name+".after_ack_max")); d < 50*time.Millisecond {
				t.Errorf("%s gave old rows for only %v", name, d)
			}
		}
		for _, w := range ways {
			name := "staleness." + w.name + "."
			if p50, most := scenariotest.Metric(t, s, name+"propagation_p50"), scenariotest.Metric(t, s, name+"propagation_max"); p50 < 1 || most < p50 || most > 60e9 {
				t.Errorf("%s: changes are seen after %v, at most %v", w.name, p50, most)
			}
			if scenariotest.Metric(t, s, name+"invalidate_p50") < 1 {
				t.Errorf("%s: invalidations take no time", w.name)
			}
		}
		if len(s.Charts) != 4 || len(s.Charts[1].Series) != len(ways) || len(s.Charts[1].Series[0].X) < 10 || len(s.Charts[3].Bands) != 1 {
			t.Errorf("the charts are %+v", s.Charts)
		}
	}
}

func TestALibraryThatKeepsNothingFails(t *testing.T) {
	t.Setenv(mistake, "1")
	defer pretend()()
	s, err := measure(t, t.Context(), "", small())
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(scenariotest.Failures(s), "\n")
	for _, part := range []string{
		"Larder, WaitCoherent: ", " gave what was before an acknowledged invalidation",
		"Larder, as it comes: ", "more than a lease (200ms) before", "read the old one",
	} {
		if !strings.Contains(all, part) {
			t.Errorf("the failures do not say %q:\n%s", part, all)
		}
	}
}

func TestAnInterruptLeavesWhatWasMeasured(t *testing.T) {
	c := small()
	c.Time = 2 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	s, err := measure(t, ctx, "", c)
	if !errors.Is(err, context.DeadlineExceeded) || s == nil || len(s.Tables[0].Rows) != 1 || len(scenariotest.Failures(s)) != 0 {
		t.Errorf("%v, %+v", err, s)
	}
	if s, err := measure(t, ctx, "", c); err == nil || s != nil {
		t.Errorf("before anything was measured: %v, %+v", err, s)
	}
}
