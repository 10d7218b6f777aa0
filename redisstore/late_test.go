package redisstore

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// Commands of a writer may be executed once more, in the order in which they were sent,
// when others have long written after it.

// sentBy returns a function that executes once more what a space has sent of some scripts.
func sentBy(t *testing.T, s *Space, scripts ...*script) (again func()) {
	var mu sync.Mutex
	var sent [][]any
	off := false
	s.Client().AddHook(hook{after: func(cmds []redis.Cmder) {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range cmds {
			args := c.Args()
			if !off && c.Err() == nil && len(args) > 1 && slices.ContainsFunc(scripts, func(s *script) bool { return args[1] == s.sha || args[1] == s.src }) {
				sent = append(sent, slices.Clone(args))
			}
		}
	}})
	return func() {
		t.Helper()
		mu.Lock()
		off = true
		mu.Unlock()
		if len(sent) == 0 {
			t.Error("nothing was sent")
		}
		for _, args := range sent {
			must(t, s.Client().Do(t.Context(), args...).Err())
		}
	}
}

// onServers runs a test with the spaces of two processes on a single server and on a cluster.
func onServers(t *testing.T, test func(t *testing.T, a, b *Space, counts *cache.Counter)) {
	eachServer(t, func(t *testing.T, rdb redis.UniversalClient) {
		counts := &cache.Counter{}
		one := func() *Space {
			s, err := Open(t.Context(), rdb, strings.ReplaceAll(t.Name(), "/", "."), &Options{Timeout: 10 * time.Second, Observer: counts})
			must(t, err)
			return s
		}
		a, b := one(), one()
		defer a.Close(context.Background())
		defer b.Close(context.Background())
		test(t, a, b, counts)
	})
}

func TestRelease_ThatIsRepeatedAfterItsQuarantineInstallsNothing(t *testing.T) {
	onServers(t, func(t *testing.T, a, b *Space, _ *cache.Counter) {
		again := sentBy(t, a, quarantineScript, quarantineOneScript, releaseScript)
		first, second := New[string, string](a, "s", nil), New[string, string](b, "s", nil)
		writeK(t, first, "old", cache.Stored)
		writeK(t, second, "new", cache.Stored)
		if e, err := second.Get(t.Context(), "k"); err != nil || e == nil || e.Value != "new" {
			t.Fatalf("before the repetition, there is %+v, %v", e, err)
		}
		again()
		if e, err := second.Get(t.Context(), "k"); err != nil || e != nil {
			t.Errorf("after it, there is %+v, %v", e, err)
		}
		writeK(t, second, "newer", cache.Stored) // nothing is left of the repetition
	})
}

func TestQuarantine_ThatIsRepeatedAfterItWasLostIsNotItsWriters(t *testing.T) {
	onServers(t, func(t *testing.T, a, b *Space, counts *cache.Counter) {
		again := sentBy(t, a, quarantineScript, quarantineOneScript)
		first, second := New[string, string](a, "s", nil), New[string, string](b, "s", nil)
		f, err := first.Quarantine(t.Context(), cache.Slot[string]{Key: "k"})
		must(t, err)
		must(t, a.Client().Del(t.Context(), first.key("k")).Err()) // evicted
		writeK(t, second, "new", cache.Stored)
		again()
		if out, err := f.Commit(t.Context(), anEntry("old")); err != nil || out[0] != cache.Refused {
			t.Errorf("Commit is %v, %v", out, err)
		}
		if e, err := second.Get(t.Context(), "k"); err != nil || e != nil {
			t.Errorf("there is %+v, %v", e, err)
		}
		if n := counts.Count(cache.QuarantineLost); n != 1 {
			t.Errorf("%d quarantines were lost", n)
		}
	})
}

// writeK writes k.
func writeK(t *testing.T, s *Store[string, string], value string, want cache.Outcome) {
	t.Helper()
	f, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "k"})
	must(t, err)
	if out, err := f.Commit(t.Context(), anEntry(value)); err != nil || out[0] != want {
		t.Fatalf("Commit of %q is %v, %v", value, out, err)
	}
}
