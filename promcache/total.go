package promcache

import (
	"strings"

	"github.com/larder-cache/larder/cache"
)

// totals are what all sources of a level have counted.
type totals struct {
	level         cache.Level
	counts        cache.Counts
	errors        []int64
	evicted       map[string]int64
	entries, open int64
	distributions [len(distributions)]spread
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
		t.add(&s)
	}
	return all
}

func (t *totals) add(s *cache.Stats) {
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
	for i := range distributions {
		d := &distributions[i]
		t.distributions[i].add(d.of(s), d)
	}
}
