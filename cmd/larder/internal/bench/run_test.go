package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// small is a configuration that takes little time.
func small() Config {
	c := Default()
	c.Keys, c.Ops, c.WarmUp, c.Workers = 200, 400, 100, 8
	c.Rate, c.Arrivals, c.Latency = 4000, workload.Constant, 100*time.Microsecond
	return c
}

func candidate(name string, make func(db *simdb.DB) strategy.Strategy) Candidate {
	return Candidate{name, func(_ context.Context, db *simdb.DB) (strategy.Strategy, error) { return make(db), nil }}
}

func noCache() Candidate {
	return candidate("no cache", func(db *simdb.DB) strategy.Strategy { return strategy.NoCache{DB: db} })
}

func TestRunAccountsForEveryOperation(t *testing.T) {
	var out, progress bytes.Buffer
	r := NewReport(small(), "v1", server.Info{Note: "nowhere"})
	if err := r.Run(t.Context(), []Candidate{noCache(), noCache()}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Strategies {
		p := s.Latency
		if !s.Complete || s.Failed != 0 || s.StaleReads != 0 || s.FirstError != "" {
			t.Errorf("%+v", s)
		}
		if p.Planned != 400 || p.Done != 400 || s.Throughput.Done != 400 || s.ReadsChecked < 800 || s.ReadsChecked > 900 {
			t.Errorf("operations: %d planned, %d done, %d in the closed loop, %d reads", p.Planned, p.Done, s.Throughput.Done, s.ReadsChecked)
		}
		if p.Database.Queries() != 400 || p.Hits != 0 || p.Avoided != 0 || p.Database.Service.Count != 400 {
			t.Errorf("without a cache %d hits, %d queries avoided, database %+v", p.Hits, p.Avoided, p.Database)
		}
		if sum := p.Get.Planned.Count + p.Write.Planned.Count + p.InvTag.Service.Count; sum != 400 || p.Get.Planned.Max < p.Get.Service.P50 {
			t.Errorf("%d latencies, gets %+v", sum, p.Get)
		}
		if p.Database != r.Strategies[0].Latency.Database && p.Database.Reads != r.Strategies[0].Latency.Database.Reads {
			t.Error("the strategies did not do the same")
		}
	}
	if r.Rate != 4000 || r.Calibration.Capacity <= 0 || r.Sequence.Ops != recording || r.Interrupted {
		t.Errorf("report is %+v", r)
	}
	r.Text(&out)
	for _, part := range []string{"nowhere", "strategy", "no cache", "p99.9", "stale reads", "were checked", "####", "sha256"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the text has no %q:\n%s", part, out.String())
		}
	}
}

func TestRunFindsStaleReads(t *testing.T) {
	c := small()
	c.Mix, c.Ops, c.Latency = workload.Mix{80, 15, 5}, 2000, 2*time.Millisecond
	c.Workers, c.Keys = 32, 50
	r := NewReport(c, "", server.Info{})
	bad := candidate("careless", func(db *simdb.DB) strategy.Strategy { return &careless{NoCache: strategy.NoCache{DB: db}} })
	var out bytes.Buffer
	if err := r.Run(t.Context(), []Candidate{bad}, &out, &out); err != nil {
		t.Fatal(err)
	}
	r.Text(&out)
	if r.StaleReads() == 0 || !strings.Contains(out.String(), "STALE READS: ") {
		t.Errorf("%d stale reads:\n%s", r.StaleReads(), out.String())
	}
	if p := r.Strategies[0].Latency; p.HitRatio <= 0 || p.Avoided != p.Hits {
		t.Errorf("hit ratio %v, %d hits, %d queries avoided", p.HitRatio, p.Hits, p.Avoided)
	}
}

// stubborn ends the run in the middle, and must be closed nevertheless.
type stubborn struct {
	strategy.NoCache
	interrupt context.CancelFunc
	closed    *error
}

func (s stubborn) Write(ctx context.Context, id uint32) (simdb.Row, error) {
	s.interrupt()
	return s.NoCache.Write(ctx, id)
}

func (s stubborn) Close(ctx context.Context) error {
	*s.closed = ctx.Err()
	return nil
}

func TestInterruptedRunKeepsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	closed := errors.New("never")
	r := NewReport(small(), "", server.Info{})
	var out bytes.Buffer
	err := r.Run(ctx, []Candidate{noCache(), candidate("stubborn", func(db *simdb.DB) strategy.Strategy {
		return stubborn{strategy.NoCache{DB: db}, cancel, &closed}
	}), noCache()}, &out, &out)
	if !errors.Is(err, context.Canceled) || !r.Interrupted || len(r.Strategies) != 2 || r.Strategies[1].Complete || r.Strategies[1].Failed != 0 {
		t.Errorf("%v, report %+v", err, r)
	}
	if closed != nil {
		t.Errorf("the strategy was closed with %v", closed)
	}
	r.Text(&out)
	if !strings.Contains(out.String(), "stubborn (interrupted)") {
		t.Errorf("the table does not say so:\n%s", out.String())
	}
}

func TestRunReportsACandidateThatCannotOpen(t *testing.T) {
	broken := Candidate{"broken", func(context.Context, *simdb.DB) (strategy.Strategy, error) { return nil, errors.New("no luck") }}
	err := NewReport(small(), "", server.Info{}).Run(t.Context(), []Candidate{broken}, new(bytes.Buffer), new(bytes.Buffer))
	if err == nil || err.Error() != "broken: no luck" {
		t.Errorf("error is %v", err)
	}
}

func TestReportAsJSON(t *testing.T) {
	r := NewReport(small(), "v1.2.3", server.Info{Kind: "embedded"})
	r.Strategies = []Result{{Strategy: "no cache", StaleReads: 2}}
	dir := t.TempDir() + "/a/b"
	path, err := r.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema string
		Config struct{ Mix string }
		Server struct{ Kind string }
		Envir  struct{ Go string } `json:"environment"`
		All    []struct {
			StaleReads int64 `json:"stale_reads"`
			Latency    struct {
				Get struct {
					Planned map[string]int64 `json:"from_planned_start"`
					Service map[string]int64
				}
			}
		} `json:"strategies"`
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != "larder.bench/v1" || got.Config.Mix != "get=94,write=4,invtag=2" || got.Server.Kind != "embedded" || got.Envir.Go == "" {
		t.Errorf("JSON is %s", data)
	}
	if len(got.All) != 1 || got.All[0].StaleReads != 2 || len(got.All[0].Latency.Get.Planned) != 8 || len(got.All[0].Latency.Get.Service) != 8 {
		t.Errorf("strategies are %+v", got.All)
	}
}

func TestVerdicts(t *testing.T) {
	r := &Report{Rate: 4000, Strategies: []Result{{Strategy: "slow", Failed: 3, FirstError: "no answer",
		Latency: LatencyPass{Late: time.Second}}}}
	r.Strategies[0].Latency.Lag.P99 = 20 * time.Millisecond
	var out bytes.Buffer
	r.verdicts(&out)
	for _, part := range []string{"slow could not keep up with 4,000 ops/s: its last operation began 1.00 s late",
		"generator itself was saturated (it woke 20.0 ms late", "3 operations failed; the first: no answer"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in\n%s", part, out.String())
		}
	}
}
