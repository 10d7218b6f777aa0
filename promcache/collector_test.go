package promcache_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/promcache"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

type registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}

func TestTwoCachesOnOneRegistryDoNotCollide(t *testing.T) {
	for name, r := range map[string]registry{"Plain": prometheus.NewRegistry(), "Pedantic": prometheus.NewPedanticRegistry()} {
		t.Run(name, func(t *testing.T) {
			users, orders := &source{Level: cache.Memory}, &source{Level: cache.Memory}
			users.Counts[cache.Hit], orders.Counts[cache.Hit] = 3, 4
			r.MustRegister(promcache.New("users", users), promcache.New("orders", orders))
			r.MustRegister(promcache.New("all", busy()...), promcache.New("new", idle()...))
			counted := func(i int) int64 { return busy()[i].Stats().Counts.Of(cache.Hit) } // a new kind of event moves it
			err := testutil.GatherAndCompare(r, strings.NewReader(fmt.Sprintf(`
				# HELP larder_hits_total Valid entries that were returned.
				# TYPE larder_hits_total counter
				larder_hits_total{cache="all",level="memory"} %d
				larder_hits_total{cache="all",level="origin"} %d
				larder_hits_total{cache="all",level="shared"} %d
				larder_hits_total{cache="new",level="memory"} 0
				larder_hits_total{cache="new",level="shared"} 0
				larder_hits_total{cache="orders",level="memory"} 4
				larder_hits_total{cache="users",level="memory"} 3
			`, counted(1), counted(0), counted(2))), "larder_hits_total")
			if err != nil {
				t.Error(err)
			}
			if err := r.Register(promcache.New("users", users)); err == nil {
				t.Error("a second cache of the same name is accepted, and every scrape will fail")
			}
		})
	}
}

func TestTheLinterOfPrometheusHasNoComplaints(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(promcache.New("users", busy()...), promcache.New("orders", idle()...))
	problems, err := testutil.GatherAndLint(r)
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestSourcesOfOneLevelAddUp(t *testing.T) {
	a := &source{Level: cache.Shared, Entries: 1, Breaker: cache.BreakerIsOpen, Evicted: map[string]int64{"full": 2, "expired": 3}}
	b := &source{Level: cache.Shared, Entries: 10, Breaker: cache.BreakerIsOpen, Evicted: map[string]int64{"full": 20}}
	a.Counts[cache.MissTag], b.Counts[cache.MissTag] = 4, 40
	a.Errors[cache.ClassTimeout], b.Errors[cache.ClassTimeout] = 5, 50
	a.Trips = cache.Histogram{Count: 1, Sum: 1e6, Buckets: []cache.Bucket{{UpTo: 1e6, Count: 1}}}
	b.Trips = cache.Histogram{Count: 5, Sum: 10e6, Buckets: []cache.Bucket{{UpTo: 1e6, Count: 2}, {UpTo: 5e6, Count: 3}}}
	elsewhere := &source{Level: cache.Memory, Entries: 100}
	// The other levels last and between them.
	all := gather(t, promcache.New("users", a, elsewhere, b))
	for _, c := range []struct {
		got, want float64
		what      string
	}{
		{number(all, "larder_misses_total", "level", "shared", "reason", "tag"), 44, "misses"},
		{number(all, "larder_errors_total", "level", "shared", "class", "timeout"), 55, "errors"},
		{number(all, "larder_evictions_total", "level", "shared", "reason", "full"), 22, "evictions"},
		{number(all, "larder_evictions_total", "level", "shared", "reason", "expired"), 3, "evictions of one"},
		{number(all, "larder_breaker_open", "level", "shared"), 2, "open breakers"},
		{number(all, "larder_entries", "level", "memory"), 100, "entries of another level"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	trips := find(all, "larder_trip_seconds", "level", "shared").GetHistogram()
	if trips.GetSampleCount() != 6 || math.Abs(trips.GetSampleSum()-0.011) > 1e-9 {
		t.Errorf("trips are %d in %v s, want 6 in 0.011 s", trips.GetSampleCount(), trips.GetSampleSum())
	}
}

// A kind that nothing shows is a failure that nobody hears of.
func TestEveryEventIsShownSomewhere(t *testing.T) {
	for _, level := range []cache.Level{cache.Origin, cache.Memory, cache.Shared} {
		for _, k := range cache.Kinds() {
			s := &source{Level: level}
			before := fmt.Sprint(gather(t, promcache.New("users", s)))
			s.Counts[k] = 7
			switch k {
			case cache.Trip: // is counted by its histograms
				s.Trips = cache.Histogram{Count: 7}
			case cache.Heard:
				s.Lag = cache.Histogram{Count: 7}
			}
			if after := fmt.Sprint(gather(t, promcache.New("users", s))); before == after {
				t.Errorf("%q at level %v is not shown", k, level)
			}
		}
	}
}

// Otherwise an alert on the increase of a counter does not see the first event.
func TestCountersBeginAtZero(t *testing.T) {
	all := gather(t, promcache.New("users", idle()...))
	for _, c := range [][]string{
		{"larder_hits_total", "level", "memory"},
		{"larder_misses_total", "level", "shared", "reason", "schema"},
		{"larder_loads_total", "level", "origin"},
		{"larder_errors_total", "level", "origin", "class", "network"},
		{"larder_stale_served_total", "level", "origin", "reason", "error"},
		{"larder_evictions_total", "level", "memory", "reason", "full"},
		{"larder_fills_total", "level", "shared", "outcome", "refused"},
		{"larder_entries", "level", "memory"},
		{"larder_breaker_open", "level", "shared"},
		{"larder_events_total", "level", "shared", "kind", "quarantine_lost"},
		{"larder_events_total", "level", "origin", "kind", "shadow_differed"},
	} {
		if got := number(all, c[0], c[1:]...); got != 0 {
			t.Errorf("%q is %v, want 0", c, got)
		}
	}
	for name, level := range map[string]string{"larder_load_seconds": "origin", "larder_trip_seconds": "shared", "larder_trip_keys": "shared", "larder_invalidation_lag_seconds": "shared"} {
		if find(all, name, "level", level).GetHistogram() == nil {
			t.Errorf("there is no empty %s", name)
		}
	}
}

func TestACacheHasFewSeries(t *testing.T) {
	for _, c := range []struct {
		what    string
		sources []cache.Source
		limit   int
	}{{"that is idle", idle(), 135}, {"to which everything happens at each level", busy(), 350}} {
		n := 0
		for _, f := range gather(t, promcache.New("users", c.sources...)) {
			for _, m := range f.GetMetric() {
				if n++; m.GetHistogram() != nil {
					n += len(m.GetHistogram().GetBucket()) + 2 // with +Inf and the sum
				}
			}
		}
		if t.Logf("a cache %s has %d series", c.what, n); n > c.limit {
			t.Errorf("a cache %s has %d series, more than %d", c.what, n, c.limit)
		}
	}
}

func TestReasonsAreLabelsWhateverTheyAre(t *testing.T) {
	s := &source{Level: cache.Memory, Evicted: map[string]int64{"\xff": 1, "": 2}}
	all := gather(t, promcache.New("users", s))
	if got := number(all, "larder_evictions_total", "level", "memory", "reason", "\uFFFD"); got != 1 {
		t.Errorf("evictions of a reason that is not UTF-8 are %v, want 1", got)
	}
	s.Evicted = nil
	s.Counts[cache.Evicted] = 5
	if got := number(gather(t, promcache.New("users", s)), "larder_evictions_total", "level", "memory", "reason", "full"); got != 5 {
		t.Errorf("evictions without reasons are %v, want 5", got)
	}
}

// TestLevelsOfOneNameAreOne guards scrapes by a program whose cache is newer than
// this module and has other levels, which may have no name yet.
func TestLevelsOfOneNameAreOne(t *testing.T) {
	a, b := &source{Level: cache.Origin}, &source{Level: 99}
	a.Counts[cache.Load], b.Counts[cache.Load] = 1, 2
	if got := number(gather(t, promcache.New("users", b, a)), "larder_loads_total", "level", "origin"); got != 3 {
		t.Errorf("loads are %v, want 3", got)
	}
}

func TestNewPanicsAndNamesTheArgument(t *testing.T) {
	for name, c := range map[string]struct {
		cache   string
		sources []cache.Source
	}{
		"cacheName":  {"", idle()},
		"UTF-8":      {"\xff", idle()},
		"sources":    {"users", nil},
		"sources[1]": {"users", []cache.Source{idle()[0], nil}},
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "larder: promcache.New: ") || !strings.Contains(text, name) {
					t.Errorf("%s: the panic is %q", name, text)
				}
			}()
			promcache.New(c.cache, c.sources...)
		}()
	}
}
