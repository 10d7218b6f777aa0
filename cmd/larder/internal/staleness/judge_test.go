package staleness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/scenariotest"
)

func TestReadsAreJudgedByTheirBegin(t *testing.T) {
	// Version 2 is committed at 100 and acknowledged at 110, version 3 at 200 and never,
	// version 4 at 300 and 310.
	history := []change{{2, 100, 110}, {3, 200, 0}, {4, 300, 310}}
	for what, c := range map[string]struct {
		reads  []read
		ages   []int64
		late   []late
		delays []int64
		unseen int64
		old    int64
	}{
		"before all": {[]read{{10, 20, 1}}, nil, nil, []int64{900, 800, 700}, 3, 1},
		"while it is committed": {
			[]read{{99, 120, 1}, {305, 306, 4}}, nil, nil, []int64{206, 106, 6}, 0, 0},
		"committed, and not acknowledged": {
			[]read{{105, 106, 1}, {320, 321, 4}}, []int64{5}, nil, []int64{221, 121, 21}, 0, 0},
		"acknowledged": {
			[]read{{115, 116, 1}, {117, 118, 2}, {320, 321, 4}}, []int64{15}, []late{{115, 5}}, []int64{18, 121, 21}, 0, 0},
		"what nobody has acknowledged": {
			[]read{{150, 151, 2}, {250, 251, 2}, {305, 306, 2}, {320, 330, 4}}, []int64{50, 105}, nil, []int64{51, 130, 30}, 0, 0},
		"by a later acknowledgement": {
			[]read{{315, 316, 3}}, []int64{15}, []late{{315, 5}}, []int64{216, 116, 700}, 1, 1},
		"new and old in turns": {
			[]read{{101, 102, 2}, {120, 121, 1}, {320, 321, 4}}, []int64{20}, []late{{120, 10}}, []int64{2, 121, 21}, 0, 0},
		"before the commit is noted": {
			[]read{{90, 99, 2}, {320, 321, 4}}, nil, nil, []int64{0, 121, 21}, 0, 0},
	} {
		f := judge(c.reads, history, 1000)
		if !slices.Equal(f.Ages, c.ages) || !slices.Equal(f.Late, c.late) || !slices.Equal(f.Delays, c.delays) || f.Unseen != c.unseen || f.Old != c.old || f.Reads != int64(len(c.reads)) {
			t.Errorf("%s: %+v", what, f)
		}
	}
	if f := judge([]read{{1, 2, 1}}, nil, 9); f.Old != 0 || f.Ages != nil || f.Delays != nil {
		t.Errorf("of what never changed: %+v", f)
	}
}

func TestEachPromiseCanBreak(t *testing.T) {
	c := Default()
	lease := int64(c.Lease)
	for what, k := range map[string]struct {
		way     string
		change  func(*outcome)
		failure string
	}{
		"nothing":                     {"larder", func(*outcome) {}, ""},
		"coherent, soon":              {"larder", func(o *outcome) { o.Late = []late{{0, 1}} }, "1 of 100 reads"},
		"within the lease":            {"lease", func(o *outcome) { o.Late = []late{{0, lease}} }, ""},
		"after the lease":             {"lease", func(o *outcome) { o.Late = []late{{0, 1}, {0, lease + 1}} }, "1 of 100 reads gave what was invalidated"},
		"of others":                   {"pubsub", func(o *outcome) { o.Late, o.Old, o.own = []late{{0, 10 * lease}}, 1, 1 }, ""},
		"of the writer":               {"lease", func(o *outcome) { o.own = 2 }, "2 times"},
		"at the end":                  {"larder", func(o *outcome) { o.Old = 3 }, "3 rows"},
		"at the end of half of a run": {"larder", func(o *outcome) { o.Old, o.interrupted = 3, true }, ""},
		"what has failed":             {"larder", func(o *outcome) { o.failed, o.first = 1, "no" }, ""},
	} {
		o := outcome{way: wayOf(k.way), took: time.Second, writes: 10}
		o.Reads = 100
		k.change(&o)
		s := section(c, []outcome{o})
		got := fmt.Sprint(scenariotest.Failures(s))
		if k.failure == "" && got != "[]" || !strings.Contains(got, k.failure) {
			t.Errorf("%s: %s", what, got)
		}
		d := results.Document{Schema: results.Schema, Sections: []*results.Section{s}}
		if err := d.Check(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestADistributionHasFewStepsThatRiseAndEndBelowOne(t *testing.T) {
	for _, n := range []int{1, 3, points, 10 * points} {
		q := make(quantiles, n)
		for i := range q {
			q[i] = int64(i) * 1000
		}
		s := distribution(&ways[0], q)
		if len(s.X) != min(n, points) || s.X[len(s.X)-1] != float64(max(q[n-1], 1000)) || !slices.IsSorted(s.X) || !slices.IsSorted(s.Y) || s.Y[len(s.Y)-1] >= 1 {
			t.Errorf("%d: %d points to %v, %v", n, len(s.X), s.X[len(s.X)-1], s.Y[len(s.Y)-1])
		}
	}
}

func TestConfigsThatMakeNoSenseNameTheFlag(t *testing.T) {
	for flag, change := range map[string]func(*Config){
		"--processes":     func(c *Config) { c.Processes = 0 },
		"--keys":          func(c *Config) { c.Keys = 3 },
		"--writes":        func(c *Config) { c.Writes = 0 },
		"--lease":         func(c *Config) { c.Lease = time.Millisecond },
		"--ttl":           func(c *Config) { c.TTL = 0 },
		"--db-latency":    func(c *Config) { c.Load = 0 },
		"--time is 3s":    func(c *Config) { c.Time = 3 * time.Second },
		"--time is 1h0m0": func(c *Config) { c.Time = time.Hour },
	} {
		c := Default()
		change(&c)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
	for _, c := range []Config{Default(), Default().Quick()} {
		if err := c.Check(); err != nil {
			t.Error(err)
		}
	}
}
