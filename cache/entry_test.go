package cache_test

import (
	"math"
	"testing"
	"time"
	"unsafe"

	"github.com/larder-cache/larder/cache"
)

func TestMomentAdd(t *testing.T) {
	const forever = cache.Forever
	for _, c := range []struct {
		m    cache.Moment
		d    time.Duration
		want cache.Moment
	}{
		{0, 0, 0},
		{100, time.Second, 1100},
		{100, -time.Second, -900},
		{100, time.Millisecond - 1, 100},
		{100, 2*time.Millisecond - 1, 101},
		{forever, 0, forever},
		{forever, time.Hour, forever},
		{forever, -time.Hour, forever},
		{0, math.MaxInt64, forever},
		{-5, math.MaxInt64, forever},
		{forever - 1, time.Second, forever},
		{forever - 1, 2 * time.Millisecond, forever},
		{forever - 2, time.Millisecond, forever - 1},
		{math.MinInt64, time.Second, math.MinInt64 + 1000},
	} {
		if got := c.m.Add(c.d); got != c.want {
			t.Errorf("Moment(%d).Add(%v) = %d, want %d", c.m, c.d, got, c.want)
		}
	}
}

func TestMomentSub(t *testing.T) {
	const forever, most = cache.Forever, math.MaxInt64 / int64(time.Millisecond)
	for _, c := range []struct {
		m, u cache.Moment
		want time.Duration
	}{
		{0, 0, 0},
		{1500, 500, time.Second},
		{500, 1500, -time.Second},
		{forever, 0, math.MaxInt64},
		{forever, forever, math.MaxInt64},
		{0, forever, math.MinInt64},
		{math.MaxInt64 / 2, 0, math.MaxInt64},
		{0, math.MaxInt64 / 2, math.MinInt64},
		{cache.Moment(most), 0, time.Duration(most) * time.Millisecond},
	} {
		if got := c.m.Sub(c.u); got != c.want {
			t.Errorf("Moment(%d).Sub(%d) = %v, want %v", c.m, c.u, got, c.want)
		}
	}
}

func TestMomentIsTheTimeInMilliseconds(t *testing.T) {
	before := time.Now().Truncate(time.Millisecond)
	now := cache.Now().Time()
	if now.Before(before) || now.After(time.Now()) {
		t.Errorf("Now is %v at %v", now, before)
	}
	if got := cache.Moment(0).Time(); !got.Equal(time.Unix(0, 0)) {
		t.Errorf("the zero Moment is %v", got)
	}
}

// guard is a cache.Guard that can be told what to say.
type guard struct{ invalid bool }

func (g *guard) Trust(time.Time) cache.Trust {
	if g.invalid {
		return cache.Invalid
	}
	return cache.Valid
}

// at returns the moment m as the clock would.
func at(m cache.Moment) time.Time { return m.Time() }

func TestLive(t *testing.T) {
	g := &guard{}
	e := &cache.Entry[int]{Expires: 100}
	guarded := e.WithGuard(g)
	if !e.Live(at(99)) || e.Live(at(100)) || e.Live(at(101)) {
		t.Error("an entry lives until the moment it expires")
	}
	if (&cache.Entry[int]{}).Live(at(0)) {
		t.Error("an entry without an end is alive at the beginning of time")
	}
	if !(&cache.Entry[int]{Expires: cache.Forever}).Live(at(cache.Forever - 1)) {
		t.Error("an entry that lives forever is dead")
	}
	if !guarded.Live(at(99)) || guarded.Live(at(100)) {
		t.Error("a guard that is valid changes when the entry expires")
	}
	if g.invalid = true; guarded.Live(at(99)) || !e.Live(at(99)) {
		t.Error("an entry lives although its guard is invalid, or another died of it")
	}
}

func TestWithGuardAddsAGuard(t *testing.T) {
	for _, invalid := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		a, b := &guard{}, &guard{}
		e := &cache.Entry[string]{Value: "v", Tags: make([]string, 1, 8), Expires: cache.Forever, Cost: 3, Absent: true}
		first := e.WithGuard(a)
		second := first.WithGuard(b)
		a.invalid, b.invalid = invalid[0], invalid[1]
		if got, want := second.Live(at(0)), !invalid[0] && !invalid[1]; got != want {
			t.Errorf("with guards that are invalid: %v, the entry is live: %v", invalid, got)
		}
		if first.Live(at(0)) == invalid[0] || e.Guard != nil {
			t.Error("WithGuard changed the entry it was called on")
		}
		if second.Value != "v" || second.Cost != 3 || !second.Absent || len(second.Tags) != 1 {
			t.Errorf("WithGuard changed the entry: %+v", second)
		}
		if _ = append(second.Tags, "x"); e.Tags[:2][1] == "x" {
			t.Error("both entries write into one array of tags")
		}
	}
}

func TestAnEntrySaysWhenItWasLoaded(t *testing.T) {
	var e cache.Entry[int]
	if got := e.Loaded(); got != 0 {
		t.Errorf("an entry of which it is not known was loaded at %d", got)
	}
	for _, m := range []cache.Moment{1, 999, 1000, 1_764_283_000_123, math.MaxUint32 * 1000} {
		if e.SetLoaded(m); e.Loaded() != m {
			t.Errorf("loaded at %d, says %d", m, e.Loaded())
		}
	}
	for _, m := range []cache.Moment{-1, cache.Forever} {
		if e.SetLoaded(m); e.Loaded() != 0 {
			t.Errorf("a moment that has no room, %d, is kept as %d", m, e.Loaded())
		}
	}
}

// Every value in memory has an Entry.
func TestWhenItWasLoadedTakesNoRoom(t *testing.T) {
	type without struct {
		Value          int
		Tags           []string
		Fresh, Expires cache.Moment
		Cost           time.Duration
		Guard          cache.Guard
		Absent         bool
	}
	if got, want := unsafe.Sizeof(cache.Entry[int]{}), unsafe.Sizeof(without{}); got != want {
		t.Errorf("an Entry has %d bytes, and %d without", got, want)
	}
}
