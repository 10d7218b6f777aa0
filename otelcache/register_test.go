package otelcache_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/otelcache"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestTwoCachesOnOneMeterDoNotCollide(t *testing.T) {
	meter, collect := metered(t)
	users, orders := &source{Level: cache.Memory}, &source{Level: cache.Memory}
	users.Counts[cache.Hit], orders.Counts[cache.Hit] = 3, 4
	registration, err := otelcache.Register(meter, "users", users)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := otelcache.Register(meter, "orders", orders); err != nil {
		t.Fatal(err)
	}
	all := collect()
	if a, b := number(all, "larder.hits", "cache", "users", "level", "memory"), number(all, "larder.hits", "cache", "orders", "level", "memory"); a != 3 || b != 4 {
		t.Errorf("hits are %d and %d, want 3 and 4", a, b)
	}
	if err := registration.Unregister(); err != nil {
		t.Fatal(err)
	}
	all = collect()
	if a, b := number(all, "larder.hits", "cache", "users", "level", "memory"), number(all, "larder.hits", "cache", "orders", "level", "memory"); a != -1 || b != 4 {
		t.Errorf("after one was unregistered hits are %d and %d, want none and 4", a, b)
	}
}

func TestSourcesOfOneLevelAddUp(t *testing.T) {
	a := &source{Level: cache.Shared, Breaker: cache.BreakerIsOpen, Evicted: map[string]int64{"full": 2, "\xff": 3}}
	b := &source{Level: cache.Shared, Breaker: cache.BreakerIsOpen, Evicted: map[string]int64{"full": 20}}
	a.Counts[cache.MissTag], b.Counts[cache.MissTag] = 4, 40
	a.Errors[cache.ClassTimeout], b.Errors[cache.ClassTimeout] = 5, 50
	elsewhere := &source{Level: cache.Memory, Entries: 100}
	elsewhere.Counts[cache.Evicted] = 6
	nameless := &source{Level: 99}
	nameless.Counts[cache.Load] = 7
	origin := &source{}
	origin.Counts[cache.Load] = 70
	meter, collect := metered(t)
	if _, err := otelcache.Register(meter, "users", a, elsewhere, nameless, b, origin); err != nil {
		t.Fatal(err)
	}
	all := collect()
	for _, c := range []struct {
		want int64
		name string
		at   []string
	}{
		{44, "larder.misses", []string{"level", "shared", "reason", "tag"}},
		{55, "larder.errors", []string{"level", "shared", "class", "timeout"}},
		{22, "larder.evictions", []string{"level", "shared", "reason", "full"}},
		{3, "larder.evictions", []string{"level", "shared", "reason", "\uFFFD"}},
		{6, "larder.evictions", []string{"level", "memory", "reason", "full"}},
		{2, "larder.breaker.open", []string{"level", "shared"}},
		{100, "larder.entries", []string{"level", "memory"}},
		{77, "larder.loads", []string{"level", "origin"}},
	} {
		if got := number(all, c.name, append(c.at, "cache", "users")...); got != c.want {
			t.Errorf("%s%q is %d, want %d", c.name, c.at, got, c.want)
		}
	}
}

func TestEveryEventIsShownSomewhere(t *testing.T) {
	shown := func(s cache.Source) string {
		meter, collect := metered(t)
		if _, err := otelcache.Register(meter, "users", s); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for name, m := range collect() {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, p := range sum.DataPoints {
					if p.Value != 0 {
						fmt.Fprintln(&all, name, p.Attributes.ToSlice(), p.Value)
					}
				}
			}
		}
		return all.String()
	}
	for _, level := range []cache.Level{cache.Origin, cache.Memory, cache.Shared} {
		for _, k := range cache.Kinds() {
			if k == cache.Trip || k == cache.Heard {
				continue // see TestDurationsAreRecorded
			}
			s := &source{Level: level}
			s.Counts[k] = 7
			if text := shown(s); strings.Count(text, "\n") != 1 {
				t.Errorf("%q at level %v is shown as %q, want once", k, level, text)
			}
		}
	}
}

// Otherwise an alert on the increase of a counter does not see the first event.
func TestCountersBeginAtZero(t *testing.T) {
	meter, collect := metered(t)
	if _, err := otelcache.Register(meter, "users", idle()...); err != nil {
		t.Fatal(err)
	}
	all := collect()
	for _, c := range [][]string{
		{"larder.hits", "level", "memory"},
		{"larder.misses", "level", "shared", "reason", "schema"},
		{"larder.loads", "level", "origin"},
		{"larder.errors", "level", "origin", "class", "network"},
		{"larder.stale_served", "level", "origin", "reason", "error"},
		{"larder.evictions", "level", "memory", "reason", "full"},
		{"larder.fills", "level", "shared", "outcome", "refused"},
		{"larder.invalidations", "level", "shared"},
		{"larder.entries", "level", "memory"},
		{"larder.breaker.open", "level", "shared"},
		{"larder.events", "level", "shared", "kind", "quarantine_lost"},
	} {
		if got := number(all, c[0], append(c[1:], "cache", "users")...); got != 0 {
			t.Errorf("%q is %d, want 0", c, got)
		}
	}
}

func TestRegisterSaysWhichArgumentMakesNoSense(t *testing.T) {
	meter := noop.NewMeterProvider().Meter("")
	for name, register := range map[string]func() (any, error){
		"meter":      func() (any, error) { return otelcache.Register(nil, "users", idle()...) },
		"cacheName":  func() (any, error) { return otelcache.Register(meter, "", idle()...) },
		"UTF-8":      func() (any, error) { return otelcache.Register(meter, "\xff", idle()...) },
		"sources":    func() (any, error) { return otelcache.Register(meter, "users") },
		"sources[1]": func() (any, error) { return otelcache.Register(meter, "users", idle()[0], nil) },
		"Observer":   func() (any, error) { return otelcache.Observer(nil) },
	} {
		r, err := register()
		if err == nil || !strings.Contains(err.Error(), name) || !strings.HasPrefix(err.Error(), "larder: otelcache.") {
			t.Errorf("%s: the error is %v", name, err)
		}
		if v := reflect.ValueOf(r); v.IsValid() && !v.IsNil() {
			t.Errorf("%s: there is an error and %v", name, r)
		}
	}
}

func TestAnErrorOfTheMeterIsReturned(t *testing.T) {
	meter, collect := metered(t)
	bad := broken{Meter: meter}
	if r, err := otelcache.Register(bad, "users", idle()...); !errors.Is(err, errMeter) {
		t.Error("a meter that makes no counters is no error of Register:", r, err)
	}
	if o, err := otelcache.Observer(bad); !errors.Is(err, errMeter) {
		t.Error("a meter that makes no histograms is no error of Observer:", o, err)
	}
	collect()
}
