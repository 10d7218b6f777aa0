package writethrough_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/writethrough"
)

var _ cache.Source = (*writethrough.Writer[int, row])(nil)

func TestStatsAreWhatAnObserverHasSeen(t *testing.T) {
	var seen cache.Counter
	p := newProbe()
	o := &writethrough.Options[int, row]{Name: "rows", Observer: &seen, Domain: p, FailOpen: true,
		Invalidates: func(_ int, r row) []string { return []string{"list", fmt.Sprint("list:", r.version)} }}
	w := writethrough.New(p, row.key, p.write, minute, o)
	if err := w.Save(t.Context(), row{1, 7}); err != nil { // list, list:7, list:8
		t.Error(err)
	}
	p.fails = []string{"quarantine"}
	if err := w.Save(t.Context(), row{1, 7}); err != nil { // and the key
		t.Error(err)
	}
	p.fails = []string{"quarantine", "tags"}
	w.Save(t.Context(), row{1, 7})
	s := w.Stats()
	for _, k := range cache.Kinds() {
		if s.Counts.Of(k) != seen.Count(k) {
			t.Errorf("%v: %d, not %d", k, s.Counts.Of(k), seen.Count(k))
		}
	}
	if s.Counts.Of(cache.Invalidated) != 3+4+4 || s.Counts.Of(cache.Unavailable) != 3 || s.Errors.All() != 4 || s.Cache != "rows" || s.Level != cache.Origin {
		t.Errorf("%d were invalidated, the store was away %d times, errors %v, %q, %v",
			s.Counts.Of(cache.Invalidated), s.Counts.Of(cache.Unavailable), s.Errors, s.Cache, s.Level)
	}
}

func TestDeleteTellsItsObserverOfTags(t *testing.T) {
	var seen events
	p := newProbe()
	del := writethrough.Delete(p, func(context.Context, int) error { return nil }, &writethrough.DeleteOptions[int]{Name: "rows", Observer: &seen, Domain: p,
		Invalidates: func(int) []string { return []string{"list", "list"} }})
	if err := del(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if len(seen) != 1 || seen[0].Kind != cache.Invalidated || seen[0].N != 1 || seen[0].Cache != "rows" || seen[0].Level != cache.Origin {
		t.Errorf("observed: %+v", seen)
	}
}
