package stampede

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/scenariotest"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
)

// mistake is the variable that has processes break the promise of the lock.
const mistake = "LARDER_STAMPEDE_WITHOUT_LOCK"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		if os.Getenv(mistake) != "" {
			wayOf("lock").open = open(-1, invalidation.Policy{})
		}
		if err := Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(redistest.Main(m))
}

// small is a run that a machine can do beside other tests.
func small() Config {
	c := Default().Quick()
	c.Load, c.TTL, c.Time, c.Goroutines, c.Processes, c.Rate = 15*time.Millisecond, 300*time.Millisecond, 4*time.Second, 16, 3, 1000
	return c
}

// measure runs on a server.
func measure(t *testing.T, ctx context.Context, redis string, c Config) (*results.Section, error) {
	t.Helper()
	return scenariotest.Run(t, ctx, redis, c.Steps(), func(ctx context.Context, on *server.Server, prefix string, meter *progress.Meter) (*results.Section, error) {
		return Run(ctx, on, prefix, c, meter)
	})
}

func TestOnlyTheLibraryLoadsOncePerExpiry(t *testing.T) {
	for _, on := range []string{"", redistest.Standalone(t).Addr()} {
		c := small()
		s, err := measure(t, t.Context(), on, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range scenariotest.Failures(s) {
			t.Error(f)
		}
		none, local, lock := scenariotest.Metric(t, s, "stampede.none.loads_most"), scenariotest.Metric(t, s, "stampede.local.loads_most"), scenariotest.Metric(t, s, "stampede.lock.loads_per_expiry")
		if none < 5 {
			t.Errorf("GET and SET loaded %v times at most: that is no stampede", none)
		}
		if local < 2 || local > none {
			t.Errorf("processes that share nothing loaded %v times at most, of %d", local, c.Processes)
		}
		if lock > 1.5 {
			t.Errorf("with a lock there were %v loads per expiry", lock)
		}
		for _, name := range []string{"none", "local", "lock"} {
			if p99 := time.Duration(scenariotest.Metric(t, s, "stampede."+name+".wait_p99")); p99 < c.Load || p99 > 10*time.Second {
				t.Errorf("%s: who waited had to wait %v, for a load of %v", name, p99, c.Load)
			}
			if w := time.Duration(scenariotest.Metric(t, s, "stampede."+name+".miss_window")); w < c.Load {
				t.Errorf("%s: somebody waited for %v", name, w)
			}
		}
		if len(s.Charts) != 3 || len(s.Charts[2].Series) != len(ways) {
			t.Errorf("the charts are %+v", s.Charts)
		}
	}
}

func TestALockThatDoesNotHoldIsAFailure(t *testing.T) {
	t.Setenv(mistake, "1")
	s, err := measure(t, t.Context(), "", small())
	if err != nil {
		t.Fatal(err)
	}
	if most := scenariotest.Metric(t, s, "stampede.lock.loads_most"); most < 2 {
		t.Errorf("without a lock there were %v loads at most", most)
	}
	said := false
	for _, n := range s.Notes {
		said = said || n.Level != results.Info && strings.Contains(n.Text, "one process loads: ")
	}
	if !said {
		t.Errorf("the notes do not say so: %+v", s.Notes)
	}
}

func TestAnInterruptLeavesWhatWasMeasured(t *testing.T) {
	c := small()
	c.Time = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	s, err := measure(t, ctx, "", c)
	if !errors.Is(err, context.DeadlineExceeded) || s == nil || len(s.Tables[0].Rows) != 1 {
		t.Errorf("%v, %+v", err, s)
	}
	cancel()
	if s, err := measure(t, ctx, "", c); err == nil || s != nil {
		t.Errorf("before anything was measured: %v, %+v", err, s)
	}
}

func TestAServerThatIsGoneIsAnError(t *testing.T) {
	redis := redistest.Private(t)
	on := scenariotest.Open(t, redis.Addr())
	redis.Kill()
	c := small()
	meter := progress.New(io.Discard, c.Steps())
	defer meter.Stop()
	if s, err := Run(t.Context(), on, "gone", c, meter); err == nil || s != nil {
		t.Errorf("%v, %+v", err, s)
	}
}
