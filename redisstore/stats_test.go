package redisstore

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// listener counts events, and passes on those of a kind.
type listener struct {
	cache.Counter
	kind cache.Kind
	c    chan cache.Event
}

func (l *listener) Observe(e cache.Event) {
	l.Counter.Observe(e)
	if e.Kind == l.kind {
		l.c <- e
	}
}

func openStats(t *testing.T, rdb redis.UniversalClient, name string, o cache.Observer) *Space {
	space, err := Open(t.Context(), rdb, name, &Options{Timeout: 10 * time.Second, Observer: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return space
}

func sameCounts(t *testing.T, of string, s cache.Stats, n *cache.Counter) {
	t.Helper()
	for _, k := range cache.Kinds() {
		if s.Counts.Of(k) != n.Count(k) {
			t.Errorf("%s: %v: %d, not %d", of, k, s.Counts.Of(k), n.Count(k))
		}
	}
}

func TestStatsOfAStoreAreWhatItsObserverHasSeen(t *testing.T) {
	clients := map[string]redis.UniversalClient{"server": redistest.Client(t), "cluster": redistest.ClusterClient(t)}
	for name, rdb := range clients {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			var n, shared cache.Counter
			space := openStats(t, rdb, "stats", &shared)
			s := New(space, "rows", &StoreOptions[string, string]{Observer: &n, Key: func(k string) string { return k }})
			cache.Put(ctx, s, "a", benchEntry("v", "tag"))
			s.Get(ctx, "a")
			s.GetMany(ctx, []string{"a", "b", ""})
			q, _ := s.Quarantine(ctx, cache.Slot[string]{Key: "c"})
			s.Get(ctx, "c")
			q.Cancel(ctx)
			f, _ := s.Reserve(ctx, cache.Slot[string]{Key: "d"})
			s.Invalidate(ctx, "d", "e")
			f.Commit(ctx, benchEntry("old"))
			space.InvalidateTags(ctx, "tag", "other")
			s.Get(ctx, "a")
			st := s.Stats()
			sameCounts(t, "store", st, &n)
			for k, want := range map[cache.Kind]int64{cache.Hit: 2, cache.Miss: 1, cache.MissKey: 1, cache.MissWriter: 1, cache.MissTag: 1,
				cache.FillStored: 1, cache.FillRefused: 1, cache.Invalidated: 2, cache.Trip: 0} {
				if st.Counts.Of(k) != want {
					t.Errorf("%v: %d, not %d", k, st.Counts.Of(k), want)
				}
			}
			if st.Cache != "rows" || st.Level != cache.Shared || st.Errors.All() != 0 {
				t.Errorf("%q, %v, errors %v", st.Cache, st.Level, st.Errors)
			}
			if err := space.Fence(ctx); err != nil {
				t.Error(err)
			}
			if err := space.Close(ctx); err != nil { // nobody counts any more
				t.Error(err)
			}
			st = space.Stats()
			sameCounts(t, "space", st, &shared)
			if st.Cache != "stats" || st.Level != cache.Shared || st.Counts.Of(cache.Invalidated) != 2 {
				t.Errorf("%q, %v, %d tags were invalidated", st.Cache, st.Level, st.Counts.Of(cache.Invalidated))
			}
		})
	}
}

func TestEachRoundTripIsCountedOnce(t *testing.T) {
	ctx := t.Context()
	space := openStats(t, redistest.Client(t), "trips", nil)
	s := New[string, string](space, "rows", nil)
	var f cache.Fill[string]
	for _, c := range []struct {
		name        string
		do          func()
		trips, keys int64
	}{
		{"a read", func() { s.Get(ctx, "a") }, 1, 2}, // the value and the version of its lane
		{"a read of three", func() { s.GetMany(ctx, []string{"a", "b", "c"}) }, 1, 4},
		{"Reserve", func() { f, _ = s.Reserve(ctx, cache.Slot[string]{Key: "a"}) }, 1, 3}, // and that of tags
		{"Commit", func() { f.Commit(ctx, benchEntry("v")) }, 1, 0},
		{"Invalidate", func() { s.Invalidate(ctx, "a", "b") }, 1, 3},
		{"nothing to read", func() { s.GetMany(ctx, nil) }, 0, 0},
		{"for nobody", func() {
			gone, cancel := context.WithCancel(ctx)
			cancel()
			s.Get(gone, "a")
			s.Invalidate(gone, "a")
		}, 0, 0},
	} {
		before := space.Stats()
		c.do()
		after := space.Stats()
		trips, keys := after.Trips.Count-before.Trips.Count, after.Batch.Sum-before.Batch.Sum
		if trips != c.trips || after.Batch.Count-before.Batch.Count != trips || keys != c.keys && c.keys > 0 || after.Trips.Sum < before.Trips.Sum+trips {
			t.Errorf("%s: %d trips about %d keys, not %d and %d", c.name, trips, keys, c.trips, c.keys)
		}
	}
}

func TestAProcessHearsItsOwnInvalidationsAndSaysHowLate(t *testing.T) {
	rdb := redistest.Client(t)
	heard := &listener{kind: cache.Heard, c: make(chan cache.Event, 10)}
	here, there := openStats(t, rdb, "lag", heard), openStats(t, rdb, "lag", nil)
	s := New[string, string](here, "rows", nil)
	if err := here.Fence(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := there.InvalidateTags(t.Context(), "theirs"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := here.InvalidateTags(t.Context(), "ours"); err != nil {
			t.Fatal(err)
		}
		if e := <-heard.c; e.Took <= 0 || e.Took > time.Since(began) || e.Cache != "lag" || e.Level != cache.Shared {
			t.Errorf("heard: %+v", e)
		}
		if err := s.Invalidate(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		<-heard.c
	}
	if err := here.Fence(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := here.Stats(); st.Counts.Of(cache.Heard) != 6 || st.Lag.Count != 6 || len(heard.c) != 0 {
		t.Errorf("%d were heard, %d measured, and %d more", st.Counts.Of(cache.Heard), st.Lag.Count, len(heard.c))
	}
}

func TestWhatIsSaidIsRememberedInBounds(t *testing.T) {
	var a said
	now := time.Now()
	for i := range uint64(200) {
		a.put(aTail(i), now.Add(time.Duration(i)))
	}
	taken := 0
	for i := range uint64(300) {
		began, ok := a.take(aTail(i))
		if ok {
			taken++
			if began != now.Add(time.Duration(i)) || i < 136 {
				t.Errorf("%d began at %v", i, began)
			}
		}
		if _, twice := a.take(aTail(i)); twice {
			t.Errorf("%d is taken twice", i)
		}
	}
	if _, ok := a.take(logTail{}); ok || taken != len(a.at) || a.waits != 0 {
		t.Errorf("%d are taken, %d wait", taken, a.waits)
	}
}

func TestWithoutRedisFailuresAreCounted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: l.Addr().String()})
	l.Close()
	defer rdb.Close()
	var n cache.Counter
	space := openStats(t, rdb, "down", nil)
	s := New(space, "rows", &StoreOptions[string, string]{Observer: &n})
	s.Get(t.Context(), "a")
	s.GetMany(t.Context(), []string{"a", "b"})
	st := s.Stats()
	sameCounts(t, "store", st, &n)
	if st.Counts.Of(cache.Unavailable) != 2 || st.Errors.Of(cache.ClassNetwork) != 2 {
		t.Errorf("%d failures, %v", st.Counts.Of(cache.Unavailable), st.Errors)
	}
	if st := space.Stats(); st.Errors.Of(cache.ClassNetwork) != 2 || st.Trips.Count != 2 {
		t.Errorf("%d trips, %v", st.Trips.Count, st.Errors)
	}
}
