package otelcache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/larder-cache/larder/cache"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Register exports what the sources, such as the stores of a cache and its Loader,
// have counted together. cacheName becomes the attribute cache. Sources of the same
// level add up. Whenever metrics are collected it costs a call of Stats for each
// source, until the Registration is unregistered.
//
// What one source has counted is to be exported once: a space that several caches
// share is best registered under a name of its own. Durations are not counted but
// recorded: see Observer.
//
// The error names the argument that makes no sense, or is the meter's.
func Register(meter metric.Meter, cacheName string, sources ...cache.Source) (metric.Registration, error) {
	switch {
	case meter == nil:
		return nil, errors.New("larder: otelcache.Register: meter is nil")
	case cacheName == "":
		return nil, errors.New("larder: otelcache.Register: cacheName is empty")
	case !utf8.ValidString(cacheName):
		return nil, fmt.Errorf("larder: otelcache.Register: cacheName is %q, which is not UTF-8", cacheName)
	case len(sources) == 0:
		return nil, errors.New("larder: otelcache.Register: there are no sources")
	}
	for i, s := range sources {
		if s == nil {
			return nil, fmt.Errorf("larder: otelcache.Register: sources[%d] is nil", i)
		}
	}
	g := &gauges{cache: attribute.String("cache", cacheName), sources: append([]cache.Source(nil), sources...)}
	if err := g.make(meter); err != nil {
		return nil, err
	}
	return meter.RegisterCallback(g.observe, g.all...)
}

// gauges are the instruments of one cache that are asked, rather than told.
type gauges struct {
	cache             attribute.KeyValue
	sources           []cache.Source
	counters          [len(families)]metric.Int64ObservableCounter
	errors, evictions metric.Int64ObservableCounter
	entries, breaker  metric.Int64ObservableUpDownCounter
	all               []metric.Observable
}

func (g *gauges) make(meter metric.Meter) error {
	var errs []error
	counter := func(name, unit, text string) metric.Int64ObservableCounter {
		c, err := meter.Int64ObservableCounter("larder."+name, metric.WithUnit(unit), metric.WithDescription(text))
		errs, g.all = append(errs, err), append(g.all, c)
		return c
	}
	gauge := func(name, unit, text string) metric.Int64ObservableUpDownCounter {
		c, err := meter.Int64ObservableUpDownCounter("larder."+name, metric.WithUnit(unit), metric.WithDescription(text))
		errs, g.all = append(errs, err), append(g.all, c)
		return c
	}
	for i, f := range families {
		g.counters[i] = counter(f.name, f.unit, f.text)
	}
	g.errors = counter("errors", "{error}", "Failures, by class.")
	g.evictions = counter("evictions", "{entry}", "Entries that left memory, by reason.")
	g.entries = gauge("entries", "{entry}", "Entries in memory.")
	g.breaker = gauge("breaker.open", "{breaker}", "Breakers that are open: the servers are not asked.")
	return errors.Join(errs...)
}

// observe reports what the sources have counted until now.
func (g *gauges) observe(_ context.Context, to metric.Observer) error {
	for _, t := range total(g.sources) {
		level := attribute.String("level", t.level.String())
		report := func(what metric.Int64Observable, n int64, more ...attribute.KeyValue) {
			to.ObserveInt64(what, n, metric.WithAttributes(append(more, g.cache, level)...))
		}
		for _, k := range cache.Kinds() {
			p := placeOf(k)
			if n := t.counts.Of(k); p.family != nowhere && (n != 0 || p.at.has(t.level)) {
				if label := families[p.family].label; label == "" {
					report(g.counters[p.family], n)
				} else {
					report(g.counters[p.family], n, attribute.String(label, p.value))
				}
			}
		}
		for i, n := range t.errors {
			if n != 0 || (origin | shared).has(t.level) {
				report(g.errors, n, attribute.String("class", cache.ErrorClass(i).String()))
			}
		}
		if _, told := t.evicted["full"]; !told && memory.has(t.level) {
			t.evicted["full"] = 0
		}
		for reason, n := range t.evicted {
			report(g.evictions, n, attribute.String("reason", reason))
		}
		if memory.has(t.level) || t.entries != 0 {
			report(g.entries, t.entries)
		}
		if shared.has(t.level) || t.open != 0 {
			report(g.breaker, t.open)
		}
	}
	return nil
}

// totals are what all sources of a level have counted.
type totals struct {
	level         cache.Level
	counts        cache.Counts
	errors        []int64
	evicted       map[string]int64
	entries, open int64
}

// total asks the sources, and adds up what is of the same level. Levels whose names
// are the same are one.
func total(sources []cache.Source) map[string]*totals {
	all := map[string]*totals{}
	for _, source := range sources {
		s := source.Stats()
		t := all[s.Level.String()]
		if t == nil {
			t = &totals{level: s.Level, errors: make([]int64, len(s.Errors)), evicted: map[string]int64{}}
			all[s.Level.String()] = t
		}
		for i, n := range s.Counts {
			t.counts[i] += n
		}
		for i, n := range s.Errors {
			t.errors[i] += n
		}
		if n := s.Counts.Of(cache.Evicted); len(s.Evicted) == 0 && n != 0 {
			t.evicted["full"] += n // what Evicted means where no reasons are given
		}
		for reason, n := range s.Evicted {
			t.evicted[strings.ToValidUTF8(reason, "\uFFFD")] += n
		}
		t.entries += s.Entries
		t.open += s.BreakersOpen()
	}
	return all
}
