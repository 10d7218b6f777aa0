package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
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
	return Candidate{name, strings.ReplaceAll(name, " ", "-"), func(_ context.Context, db *simdb.DB) (strategy.Strategy, error) { return make(db), nil }}
}

func noCache() Candidate {
	return candidate("no cache", func(db *simdb.DB) strategy.Strategy { return strategy.NoCache{DB: db} })
}

// measured runs the candidates without a meter that anybody sees.
func measured(ctx context.Context, c Config, candidates ...Candidate) (*Outcome, error) {
	m := progress.New(io.Discard, Steps(c, candidates))
	defer m.Stop()
	return Run(ctx, c, true, candidates, m)
}

// text is what people see of an outcome, which must be a sound document.
func text(t *testing.T, o *Outcome) string {
	t.Helper()
	s := o.Section()
	d := results.Document{Schema: results.Schema, Sections: []*results.Section{s}}
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	s.Text(&out)
	return out.String()
}

func TestRunAccountsForEveryOperation(t *testing.T) {
	second := noCache()
	second.Flag = "second"
	o, err := measured(t.Context(), small(), noCache(), second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range o.Results {
		s := &o.Results[i]
		p := &s.Latency
		if !s.Complete || s.Failed != 0 || s.StaleReads != 0 || s.FirstError != "" || s.WarmedUp != 100 {
			t.Errorf("%+v", s)
		}
		if p.Planned != 400 || p.Done != 400 || s.Throughput.Done != 400 || s.ReadsChecked < 800 || s.ReadsChecked > 900 {
			t.Errorf("operations: %d planned, %d done, %d in the closed loop, %d reads", p.Planned, p.Done, s.Throughput.Done, s.ReadsChecked)
		}
		if p.Database.Queries() != 400 || p.Hits != 0 || p.Avoided != 0 || p.Database.Service.Count != 400 || p.PerOp != 1 {
			t.Errorf("without a cache %d hits, %d queries avoided, database %+v", p.Hits, p.Avoided, p.Database)
		}
		var sum int64
		for k := range workload.Kinds {
			planned, service := p.of(k).planned, p.of(k).service
			sum += planned.Count()
			if planned.Count() > 0 && planned.Summary().Max < service.Summary().P50 {
				t.Errorf("%s: from the plan %+v, service %+v", k, planned.Summary(), service.Summary())
			}
		}
		if sum != 400 {
			t.Errorf("%d latencies", sum)
		}
		if p.Database.Reads != o.Results[0].Latency.Database.Reads {
			t.Error("the strategies did not do the same")
		}
	}
	if o.Rate != 4000 || o.Calibration.Capacity <= 0 || len(o.seq) != recording {
		t.Errorf("rate %v, calibration %+v, %d operations", o.Rate, o.Calibration, len(o.seq))
	}
	got := text(t, o)
	for _, part := range []string{"strategy", "no cache", "p99.9", "stale reads", "were checked", "####", "sha256", "write p50", "zipf:0.99"} {
		if !strings.Contains(got, part) {
			t.Errorf("the text has no %q:\n%s", part, got)
		}
	}
}

func TestRunFindsStaleReads(t *testing.T) {
	c := small()
	c.Mix, c.Ops, c.Latency = workload.Mix{80, 15, 5}, 2000, 2*time.Millisecond
	c.Workers, c.Keys = 32, 50
	o, err := measured(t.Context(), c, candidate("careless", func(db *simdb.DB) strategy.Strategy { return &careless{NoCache: strategy.NoCache{DB: db}} }))
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, o); o.Results[0].StaleReads == 0 || !strings.Contains(got, "FAILED: STALE READS: ") {
		t.Errorf("%d stale reads:\n%s", o.Results[0].StaleReads, got)
	}
	if p := &o.Results[0].Latency; p.HitRatio <= 0 || p.Avoided != p.Hits {
		t.Errorf("hit ratio %v, %d hits, %d queries avoided", p.HitRatio, p.Hits, p.Avoided)
	}
}

func TestSectionHasAFigureAndALineForEverything(t *testing.T) {
	c := small()
	c.Ops, c.Duration = 0, 500*time.Millisecond
	c.Mix = workload.Mix{workload.Get: 60, workload.Write: 10, workload.GetMany: 10, workload.Insert: 10, workload.ReadWrite: 10}
	o, err := measured(t.Context(), c, noCache())
	if err != nil {
		t.Fatal(err)
	}
	s := o.Section()
	d := results.Document{Schema: results.Schema, Sections: []*results.Section{s}}
	for _, name := range []string{"p99", "service.p50", "get.p99", "rmw.service.mean", "mget.max", "insert.p999", "write.p90", "throughput", "hit_ratio", "avoided", "stale", "failed", "db.queries_per_op", "db.peak"} {
		if m, ok := d.Metric("no-cache." + name); !ok || len(m.Samples) != 1 {
			t.Errorf("%s is %v, %v", name, m, ok)
		}
	}
	if m, _ := d.Metric("no-cache.db.queries_per_op"); math.Abs(m.Value()-1.1) > 0.03 {
		t.Errorf("%v queries an operation, of which a tenth makes two", m.Value())
	}
	if len(s.Charts) != 7 || len(s.Histograms) != 1 {
		t.Errorf("%d charts, %d histograms", len(s.Charts), len(s.Histograms))
	}
	for _, chart := range s.Charts {
		if chart.Kind == results.Lines && len(chart.Series[0].X) < 4 {
			t.Errorf("%s has %d points", chart.ID, len(chart.Series[0].X))
		}
	}
	drawn := 0.0
	for _, column := range s.Charts[6].Heat.Count {
		for _, n := range column {
			drawn += n
		}
	}
	if planned := o.Results[0].Latency.reads().planned; drawn != float64(planned.Count()) || drawn == 0 {
		t.Errorf("%v of %d reads are in the heat map", drawn, planned.Count())
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
	last := noCache()
	last.Flag = "last"
	o, err := measured(ctx, small(), noCache(), candidate("stubborn", func(db *simdb.DB) strategy.Strategy {
		return stubborn{strategy.NoCache{DB: db}, cancel, &closed}
	}), last)
	if !errors.Is(err, context.Canceled) || len(o.Results) != 2 || o.Results[1].Complete || o.Results[1].Failed != 0 {
		t.Errorf("%v, outcome %+v", err, o)
	}
	if closed != nil {
		t.Errorf("the strategy was closed with %v", closed)
	}
	if got := text(t, o); !strings.Contains(got, "stubborn (interrupted)") {
		t.Errorf("the table does not say so:\n%s", got)
	}
}

func TestRunReportsACandidateThatCannotOpen(t *testing.T) {
	broken := Candidate{"broken", "broken", func(context.Context, *simdb.DB) (strategy.Strategy, error) { return nil, errors.New("no luck") }}
	if _, err := measured(t.Context(), small(), broken); err == nil || err.Error() != "broken: no luck" {
		t.Errorf("error is %v", err)
	}
}

func TestWarmUpLastsUntilTheHitRatioDoesNotRise(t *testing.T) {
	c := small()
	c.WarmUp, c.Keys, c.Ops = Stable, 3000, 100
	cached := candidate("careless", func(db *simdb.DB) strategy.Strategy { return &careless{NoCache: strategy.NoCache{DB: db}} })
	o, err := measured(t.Context(), c, noCache(), cached)
	if err != nil {
		t.Fatal(err)
	}
	if n := o.Results[0].WarmedUp; n != 2*lookEvery {
		t.Errorf("without a cache the warm-up takes %d operations", n)
	}
	if n := o.Results[1].WarmedUp; n < 3*lookEvery || n >= lookEvery*mostLooks {
		t.Errorf("with a cache the warm-up takes %d operations", n)
	}
}

func TestVerdicts(t *testing.T) {
	o := &Outcome{Config: Default(), Rate: 4000, Results: []Result{{Strategy: "slow", Flag: "slow", Failed: 3, FirstError: "no answer",
		Latency: LatencyPass{timed: timed{late: time.Second, lag: latency.NewRecorder()}}}}}
	o.Results[0].Latency.lag.Record(20 * time.Millisecond)
	got := text(t, o)
	for _, part := range []string{"slow could not keep up with 4,000 ops/s: its last operation began 1.00 s late",
		"generator itself was saturated (it woke 2", "3 operations failed; the first: no answer"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
}

func TestDefaultRateDoesNotDependOnTheMachine(t *testing.T) {
	c := Default()
	if a, b := c.PlannedRate(true), c.PlannedRate(false); a != 2000 || b != 4000 {
		t.Errorf("the rates are %v and %v", a, b)
	}
	if c.Rate = 77; c.PlannedRate(true) != 77 {
		t.Error("a rate that is given does not count")
	}
}
