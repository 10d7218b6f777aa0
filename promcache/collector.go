package promcache

import (
	"fmt"
	"unicode/utf8"

	"github.com/larder-cache/larder/cache"
	"github.com/prometheus/client_golang/prometheus"
)

// Collector is a prometheus.Collector of one cache.
type Collector struct {
	sources    []cache.Source
	counters   []*prometheus.Desc // of families, in this order
	histograms []*prometheus.Desc // of distributions, in this order
	errors     *prometheus.Desc
	evictions  *prometheus.Desc
	entries    *prometheus.Desc
	breaker    *prometheus.Desc
}

// New returns a Collector of what the sources, such as the stores of a cache and
// its Loader, have counted together. cacheName becomes the label cache of all
// metrics. Sources of the same level add up.
//
// A registry takes one Collector of each name. A scrape costs a call of Stats for
// each source. New panics, naming the argument, if cacheName is empty or not UTF-8,
// if there is no source, or if one is nil.
func New(cacheName string, sources ...cache.Source) *Collector {
	switch {
	case cacheName == "":
		panic("larder: promcache.New: cacheName is empty")
	case !utf8.ValidString(cacheName):
		panic(fmt.Sprintf("larder: promcache.New: cacheName is %q, which is not UTF-8", cacheName))
	case len(sources) == 0:
		panic("larder: promcache.New: there are no sources")
	}
	for i, s := range sources {
		if s == nil {
			panic(fmt.Sprintf("larder: promcache.New: sources[%d] is nil", i))
		}
	}
	// A label that is constant is part of what a registry tells collectors apart
	// by. One with a value for each metric is not: a second cache would collide.
	constant := prometheus.Labels{"cache": cacheName}
	desc := func(name, help, label string) *prometheus.Desc {
		labels := []string{"level"}
		if label != "" {
			labels = append(labels, label)
		}
		return prometheus.NewDesc("larder_"+name, help, labels, constant)
	}
	c := &Collector{
		sources:   append([]cache.Source(nil), sources...),
		errors:    desc("errors_total", "Failures, by class.", "class"),
		evictions: desc("evictions_total", "Entries that left memory, by reason.", "reason"),
		entries:   desc("entries", "Entries in memory.", ""),
		breaker:   desc("breaker_open", "Breakers that are open: the servers are not asked.", ""),
	}
	for _, f := range families {
		c.counters = append(c.counters, desc(f.name, f.help, f.label))
	}
	for _, d := range distributions {
		c.histograms = append(c.histograms, desc(d.name, d.help, ""))
	}
	return c
}

// Describe sends the descriptors of all metrics, which are always the same.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.counters {
		ch <- d
	}
	for _, d := range c.histograms {
		ch <- d
	}
	ch <- c.errors
	ch <- c.evictions
	ch <- c.entries
	ch <- c.breaker
}

// Collect sends the metrics as they are now.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	for _, t := range total(c.sources) {
		level := t.level.String()
		count := func(d *prometheus.Desc, n int64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{level}, labels...)...)
		}
		gauge := func(d *prometheus.Desc, n int64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), level)
		}
		for _, k := range cache.Kinds() {
			p := placeOf(k)
			if n := t.counts.Of(k); p.family != nowhere && (n != 0 || p.at.has(t.level)) {
				if p.value == "" {
					count(c.counters[p.family], n)
				} else {
					count(c.counters[p.family], n, p.value)
				}
			}
		}
		for i, n := range t.errors {
			if n != 0 || (origin | shared).has(t.level) {
				count(c.errors, n, cache.ErrorClass(i).String())
			}
		}
		if memory.has(t.level) {
			gauge(c.entries, t.entries)
			count(c.evictions, t.evicted["full"], "full")
		}
		for reason, n := range t.evicted {
			if reason != "full" || !memory.has(t.level) {
				count(c.evictions, n, reason)
			}
		}
		if t.open != 0 || shared.has(t.level) {
			gauge(c.breaker, t.open)
		}
		for i := range distributions {
			d := &distributions[i]
			if h := &t.distributions[i]; h.count != 0 || d.at.has(t.level) {
				ch <- prometheus.MustNewConstHistogram(c.histograms[i], uint64(h.count), float64(h.sum)/d.unit, h.cumulative(d), level)
			}
		}
	}
}
