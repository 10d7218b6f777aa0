package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// scale measures the trips of a client, and has those about some keys fail, which are not
// sent then.
type scale struct {
	mu            sync.Mutex
	trip, command int // most keys of one
	calls         int // most commands of a trip
	fails         string
}

func (h *scale) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *scale) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if h.weigh(cmd) {
			cmd.SetErr(io.ErrUnexpectedEOF)
			return io.ErrUnexpectedEOF
		}
		return next(ctx, cmd)
	}
}

func (h *scale) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if h.weigh(cmds...) {
			for _, c := range cmds {
				c.SetErr(io.ErrUnexpectedEOF)
			}
			return io.ErrUnexpectedEOF
		}
		return next(ctx, cmds)
	}
}

func (h *scale) weigh(cmds ...redis.Cmder) (fails bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := 0
	for _, c := range cmds {
		keys, _ := moved(c)
		all += keys
		h.command = max(h.command, keys)
		for _, a := range c.Args() {
			s, _ := a.(string)
			fails = fails || h.fails != "" && strings.HasSuffix(s, h.fails)
		}
	}
	h.trip, h.calls = max(h.trip, all), max(h.calls, len(cmds))
	return fails
}

func (h *scale) fail(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fails = key
}

// largeStore returns a store whose trips are measured, on a server or a cluster.
func largeStore(t *testing.T, rdb redis.UniversalClient) (*Space, *Store[string, string], *scale, *cache.Counter) {
	t.Helper()
	events := &cache.Counter{}
	space, err := Open(t.Context(), rdb, "large", &Options{Timeout: 30 * time.Second, NoBus: true, Observer: events})
	must(t, err)
	t.Cleanup(func() { space.Close(context.Background()) })
	h := &scale{}
	space.Client().AddHook(h)
	return space, New[string, string](space, "s", nil), h, events
}

const largeKeys = 3000

// largeBatch returns keys, and the tag of each.
func largeBatch() (keys, tags []string, slots []cache.Slot[string], entries []*cache.Entry[string]) {
	for i := range largeKeys {
		k, tag := fmt.Sprintf("key%05d", i), fmt.Sprintf("tag%05d", i)
		keys, tags = append(keys, k), append(tags, tag)
		slots = append(slots, cache.Slot[string]{Key: k, Tags: []string{tag}})
		entries = append(entries, anEntry(k, tag))
	}
	return keys, tags, slots, entries
}

func eachServer(t *testing.T, f func(*testing.T, redis.UniversalClient)) {
	t.Run("server", func(t *testing.T) {
		rdb := redis.NewClient(&redis.Options{Addr: redistest.Private(t).Addr()})
		defer rdb.Close()
		f(t, rdb)
	})
	t.Run("cluster", func(t *testing.T) { f(t, redistest.ClusterClient(t)) })
}

func TestLarge_OperationsGoInTripsOfBoundedSize(t *testing.T) {
	eachServer(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx := t.Context()
		space, s, h, events := largeStore(t, rdb)
		keys, tags, slots, entries := largeBatch()
		stored := func(f cache.Fill[string], err error) {
			t.Helper()
			must(t, err)
			out, err := f.Commit(ctx, entries...)
			must(t, err)
			if n := len(out) - len(slices.DeleteFunc(out, func(o cache.Outcome) bool { return o == cache.Stored })); n != largeKeys {
				t.Errorf("%d of %d entries are stored", n, largeKeys)
			}
		}
		there := func(want int) {
			t.Helper()
			found, err := s.GetMany(ctx, keys)
			if must(t, err); len(found) != want {
				t.Errorf("%d of %d keys are there, not %d", len(found), largeKeys, want)
			}
		}
		stored(s.Reserve(ctx, slots...))
		there(largeKeys)
		must(t, s.Invalidate(ctx, keys...))
		there(0)
		stored(s.Quarantine(ctx, slots...))
		there(largeKeys)
		must(t, space.InvalidateTags(ctx, tags...))
		there(0)
		stored(s.Reserve(ctx, slots...))
		release, err := space.QuarantineTags(ctx, tags...)
		must(t, err)
		must(t, release(ctx))
		there(0)
		if h.command > max(maxMGet, maxKeys)+2 || h.trip > tripKeys || h.calls > tripCalls {
			t.Errorf("a command has had %d keys, a trip %d keys and %d commands", h.command, h.trip, h.calls)
		}
		if n := events.Count(cache.BreakerOpened); n > 0 {
			t.Errorf("the breaker has opened")
		}
	})
}

func TestLarge_PartsSucceedByThemselves(t *testing.T) {
	eachServer(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx := t.Context()
		space, s, h, events := largeStore(t, rdb)
		keys, tags, slots, entries := largeBatch()
		fill := func(atReserve, atCommit string) (stored int) {
			h.fail(atReserve)
			f, err := s.Reserve(ctx, slots...)
			must(t, err)
			h.fail(atCommit)
			out, err := f.Commit(ctx, entries...)
			if err != nil && !strings.Contains(err.Error(), "commands have failed") {
				t.Errorf("Commit: %v", err)
			}
			for i, o := range out {
				if o != cache.Stored {
					continue
				}
				if stored++; h.fails != "" && keys[i] == h.fails {
					t.Error("what could not be sent is stored")
				}
			}
			return stored
		}
		part := func(what string, n int) {
			t.Helper()
			if n < largeKeys/2 || n >= largeKeys {
				t.Errorf("%s: %d of %d", what, n, largeKeys)
			}
		}
		part("stored", fill("key01500", "key01500"))
		part("stored", fill("", "key01500"))
		if events.Count(cache.FillRefused) == 0 {
			t.Error("nothing says that entries were refused")
		}
		if n := fill("", ""); n != largeKeys {
			t.Errorf("%d of %d are stored", n, largeKeys)
		}
		h.fail("key01500")
		found, err := s.GetMany(ctx, keys)
		if err == nil || !strings.Contains(err.Error(), "have failed") {
			t.Errorf("GetMany: %v", err)
		}
		part("read", len(found))
		var some *partError
		if err := s.Invalidate(ctx, keys...); !errors.As(err, &some) || !slices.Contains(some.keys, s.key("key01500")) {
			t.Errorf("Invalidate: %v", err)
		} else {
			part("invalidated", largeKeys-len(some.keys))
		}
		h.fail("tag01500")
		if err := space.InvalidateTags(ctx, tags...); !errors.As(err, &some) || !slices.Contains(some.tags, "tag01500") {
			t.Errorf("InvalidateTags: %v", err)
		} else {
			part("invalidated", largeKeys-len(some.tags))
		}
		h.fail("")
		poll(t, "what has failed is not repeated", func() bool { return space.Status().Retries == 0 })
		found, err = s.GetMany(ctx, keys)
		if must(t, err); len(found) > 0 {
			t.Errorf("%d keys are there after they were invalidated", len(found))
		}
	})
}

func TestLarge_WorkIsNotSlowness(t *testing.T) {
	b, _ := testBreaker(t, func() error { return nil })
	for range 100 {
		b.took(t.Context(), 40*time.Millisecond, tripKeys, 100_000, nil)
	}
	if b.open.Load() {
		t.Error("trips about 1000 keys in 40ms open it")
	}
	for range slowRow {
		b.took(t.Context(), 40*time.Millisecond, 10, 100, nil)
	}
	if !b.open.Load() {
		t.Error("trips about 10 keys in 40ms do not open it")
	}
}

func TestLarge_AServerThatDoesNotAnswerIsNotAskedForEachPart(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer rdb.Close()
	_, s, h, events := largeStore(t, rdb)
	keys, _, _, _ := largeBatch()
	h.fail("")
	if err := s.Invalidate(t.Context(), keys...); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("Invalidate: %v", err)
	}
	if n := events.Count(cache.Trip); n > 2*tripKeys+10 {
		t.Errorf("trips about %d keys were tried", n)
	}
}

func TestFill_RefusalsSayWhy(t *testing.T) {
	space, s := scriptStore(t)
	var whys []error
	s.observer = observer(func(e cache.Event) {
		if e.Kind == cache.FillRefused {
			whys = append(whys, e.Err)
		}
	})
	slot := cache.Slot[string]{Key: "k", Tags: []string{"tag"}}
	past := anEntry("v", "tag")
	past.Expires = cache.Now()
	for _, c := range []struct {
		during func()
		e      *cache.Entry[string]
		why    error
	}{
		{func() { must(t, s.Invalidate(t.Context(), "k")) }, anEntry("v", "tag"), errTokenGone},
		{func() { must(t, space.InvalidateTags(t.Context(), "tag")) }, anEntry("v", "tag"), errInvalidated},
		{func() {}, anEntry("v", "tag", "late"), errLateTag},
		{func() {}, past, errPast},
	} {
		whys = nil
		must(t, s.Invalidate(t.Context(), "k"))
		if out := loadDuring(t, s, slot, c.during, c.e); out != cache.Refused || len(whys) != 1 || whys[0] != c.why {
			t.Errorf("it is %v because of %v, not %v", out, whys, c.why)
		}
	}
}

type observer func(cache.Event)

func (f observer) Observe(e cache.Event) { f(e) }
