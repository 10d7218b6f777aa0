package redisstore

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
)

func refreshes(keys ...string) (slots []cache.Slot[string]) {
	for _, k := range keys {
		slots = append(slots, cache.Slot[string]{Key: k, Refresh: true})
	}
	return slots
}

func TestOneProcessRefreshesForAll(t *testing.T) {
	m := miniredis.RunT(t)
	a, b := newTimed(t, m, time.Second), newTimed(t, m, time.Second)
	store := func(k string, cost time.Duration) {
		e := anEntry("old")
		e.Cost = cost
		if out := loadDuring(t, a.Store, cache.Slot[string]{Key: k}, func() {}, e); out != cache.Stored {
			t.Fatalf("the value is %v", out)
		}
	}
	busy := func(what string, slots []cache.Slot[string]) {
		t.Helper()
		before := m.Dump()
		if f, err := b.Reserve(t.Context(), slots...); f != nil || !errors.Is(err, cache.ErrBusy) {
			t.Errorf("%s: the second has %v, %v", what, f, err)
		}
		if after := m.Dump(); after != before {
			t.Errorf("%s: it has left something behind:\n%s\nand before\n%s", what, after, before)
		}
	}
	for cost, life := range map[time.Duration]time.Duration{
		0: time.Second, time.Millisecond: time.Second, 2 * time.Second: 8 * time.Second, time.Hour: 30 * time.Second,
	} {
		k := cost.String()
		store(k, cost)
		f, err := a.Reserve(t.Context(), refreshes(k)...)
		must(t, err)
		lock := "locks:l:s:" + k
		if ttl := m.TTL(lock); ttl != life {
			t.Errorf("a value that took %v to load is refreshed by one for %v, not %v", cost, ttl, life)
		}
		busy(k, refreshes(k))
		must(t, f.Cancel(t.Context())) // the load has failed
		busy("after a failure", refreshes(k))
		m.FastForward(life)
		f, err = b.Reserve(t.Context(), refreshes(k)...)
		must(t, err)
		f.(*fill[string, string]).commits(t, cache.Stored, anEntry("new"))
		if m.Exists(lock) {
			t.Error("the lock outlives the refresh")
		}
	}
	if a.pauses+b.pauses != 0 {
		t.Error("a refresh waits")
	}
}

func TestARefreshOfSeveralKeysIsBusyIfOthersHaveAll(t *testing.T) {
	m := miniredis.RunT(t)
	a, b := newTimed(t, m, time.Second), newTimed(t, m, time.Second)
	for _, k := range []string{"a", "b", "c"} {
		loadDuring(t, a.Store, cache.Slot[string]{Key: k}, func() {}, anEntry("old"))
	}
	f, err := a.Reserve(t.Context(), refreshes("a", "b")...)
	must(t, err)
	if _, err := b.Reserve(t.Context(), refreshes("b", "a")...); !errors.Is(err, cache.ErrBusy) {
		t.Errorf("both are taken: %v", err)
	}
	g, err := b.Reserve(t.Context(), refreshes("b", "c")...)
	must(t, err)
	if _, err := b.Reserve(t.Context(), cache.Slot[string]{Key: "a"}); err != nil {
		t.Errorf("a fill that somebody waits for: %v", err)
	}
	// A value that is gone meanwhile is loaded by another, for those who wait.
	must(t, a.Invalidate(t.Context(), "c"))
	must(t, g.Cancel(t.Context()))
	m.Del("locks:l:s:c")
	h := a.reserve(t, "c")
	if _, err := b.Reserve(t.Context(), refreshes("c")...); !errors.Is(err, cache.ErrBusy) || m.Exists("locks:l:s:c") || b.pauses != 0 {
		t.Errorf("another loads it: %v", err)
	}
	h.commits(t, cache.Stored, anEntry("c"))
	out, err := f.Commit(t.Context(), anEntry("a"), anEntry("b"))
	if err != nil || out[0] != cache.Stored || out[1] != cache.Stored {
		t.Errorf("Commit is %v, %v", out, err)
	}
}
