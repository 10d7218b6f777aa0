package redisstore

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// settled returns two spaces of one name and a client of their server.
func settled(t *testing.T, o Options) (rdb *redis.Client, spaces [2]*Space) {
	s := redistest.Private(t)
	rdb = redis.NewClient(&redis.Options{Addr: s.Addr()})
	t.Cleanup(func() { rdb.Close() })
	for i := range spaces {
		space, err := Open(t.Context(), rdb, "shop", &o)
		must(t, err)
		t.Cleanup(func() { space.Close(context.Background()) })
		spaces[i] = space
	}
	return rdb, spaces
}

const settingsKey = "shop:b:{shop:0}"

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must(t, redisproc.Until(ctx, func() error {
		if f() {
			return nil
		}
		return errors.New(what)
	}))
}

func refused(s *Space) bool { return s.usable() != nil }

// The verdict about the settings follows what is there now.
func TestSettings_WhoWasRefusedIsNoMoreWhenTheyAreRightAgain(t *testing.T) {
	rdb, spaces := settled(t, Options{Lease: 100 * time.Millisecond, Timeout: 10 * time.Second})
	ours := rdb.HGet(t.Context(), settingsKey, "settings").Val()
	must(t, rdb.HSet(t.Context(), settingsKey, "settings", strings.Replace(ours, "keys=1", "keys=3", 1)).Err())
	for _, s := range spaces {
		until(t, "other settings are not noticed", func() bool { return refused(s) })
		p := s.Problems()
		if len(p) != 1 || p[0].Code != ProblemSettings || !strings.Contains(p[0].Err.Error(), "keys=3") {
			t.Errorf("the problems are %v", p)
		}
	}
	must(t, rdb.HSet(t.Context(), settingsKey, "settings", ours).Err())
	for _, s := range spaces {
		until(t, "the right settings are not noticed", func() bool { return !refused(s) })
		until(t, "the problem remains", func() bool { return len(s.Problems()) == 0 })
		_, err := New[int, string](s, "s", nil).Get(t.Context(), 1)
		must(t, err)
	}
}

// Who is refused writes nothing, so that what it finds is not kept alive by it. After
// some time in which nobody has lived by it, it is replaced.
func TestSettings_ThoseOfProcessesThatAreGoneAreReplaced(t *testing.T) {
	for name, o := range map[string]Options{
		"with a bus":    {Lease: 100 * time.Millisecond, Timeout: 10 * time.Second},
		"without a bus": {NoBus: true, Timeout: 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			rdb, spaces := settled(t, o)
			must(t, rdb.HSet(t.Context(), settingsKey, "settings", "larder of another kind").Err())
			for _, s := range spaces {
				until(t, "other settings are not noticed", func() bool { s.askSettings(t.Context()); return refused(s) })
			}
			before := rdb.HGetAll(t.Context(), settingsKey).Val()
			for range 10 {
				for _, s := range spaces {
					s.askSettings(t.Context())
					if s.bus != nil {
						_, err := s.askTail(t.Context(), 0, logTail{}, &roll{}, true)
						if err == nil {
							t.Fatal("a heartbeat of a refused process is accepted")
						}
					}
				}
			}
			if after := rdb.HGetAll(t.Context(), settingsKey).Val(); !maps.Equal(before, after) {
				t.Errorf("a refused process has written: before %q, after %q", before, after)
			}
			for _, s := range spaces {
				s.agreement.mu.Lock()
				s.agreement.since = s.agreement.since.Add(-s.patience()) // as if that had gone by
				s.agreement.mu.Unlock()
			}
			for _, s := range spaces {
				until(t, "it is refused for good", func() bool { s.askSettings(t.Context()); return !refused(s) })
			}
			if got := rdb.HGet(t.Context(), settingsKey, "settings").Val(); got != spaces[0].settings() {
				t.Errorf("the settings are %q", got)
			}
		})
	}
}

// Settings by which somebody lives are not replaced, however long that takes.
func TestSettings_ThoseOfOthersThatLiveStay(t *testing.T) {
	rdb, spaces := settled(t, Options{NoBus: true, Timeout: 10 * time.Second})
	for sign, field := range []string{"settings-at", "m:abc", "settings-at", "m:abc"} {
		must(t, rdb.HSet(t.Context(), settingsKey, "settings", "larder of another kind", field, 2_000_000_000_000+int64(sign)).Err())
		s := spaces[0]
		until(t, "it is not refused", func() bool { s.askSettings(t.Context()); return refused(s) })
		s.agreement.mu.Lock()
		s.agreement.since = time.Now().Add(-s.patience())
		s.agreement.mu.Unlock()
		must(t, rdb.HSet(t.Context(), settingsKey, field, 2_000_000_000_500+int64(sign)).Err()) // meanwhile
		if s.askSettings(t.Context()); !refused(s) {
			t.Fatalf("settings that others live by were replaced: %s had changed", field)
		}
	}
}

// A heartbeat that a server of another kind answers is no heartbeat.
func TestSettings_MemoryIsNotServedWhileTheyAreOthers(t *testing.T) {
	rdb, spaces := settled(t, Options{Lease: 50 * time.Millisecond, Timeout: 10 * time.Second})
	must(t, rdb.HSet(t.Context(), settingsKey, "settings", "larder of another kind").Err())
	s := spaces[0]
	until(t, "other settings are not noticed", func() bool { return refused(s) })
	until(t, "the lease goes on", s.Apart)
	st := New[int, string](s, "s", nil)
	if _, err := st.Get(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("Get: %v", err)
	}
	if err := st.Invalidate(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("Invalidate: %v", err)
	}
}
