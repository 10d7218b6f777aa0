package redisstore

import (
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
)

// A client that loses a reply sends the command again, with the same arguments,
// and perhaps long after others have been at work. These tests send commands
// twice.

func scriptStore(t *testing.T) (*Space, *Store[string, string]) {
	space, err := Open(t.Context(), redistest.Client(t), "scripts."+t.Name(), &Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(t.Context()) })
	return space, New[string, string](space, "s", nil)
}

// twice runs a script, lets others act, and runs it again with the same
// arguments. It returns both results.
func twice(t *testing.T, s *Space, between func(), sc *script, keys []string, args ...any) (first, second []any) {
	t.Helper()
	run := func() []any {
		c := sc.call(t.Context(), keys, args...)
		if err := s.run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		list, _ := c.cmd.Val().([]any)
		return list
	}
	first = run()
	between()
	return first, run()
}

func TestARepeatedCommandNeverMintsTheSameNonceAgain(t *testing.T) {
	space, s := scriptStore(t)
	ctx := t.Context()
	key := s.key("k")
	a, b := twice(t, space, func() {
		if err := s.Invalidate(ctx, "k"); err != nil {
			t.Fatal(err)
		}
	}, acquireScript, []string{key}, "sameness", 60_000, "", 0, "")
	if a[0] == b[0] {
		t.Errorf("the token is %q again: a load from before the invalidation could be stored", a[0])
	}
	keys := []string{space.laneKey(0), space.tagKey("tag")}
	a, b = twice(t, space, func() {
		if err := space.InvalidateTags(ctx, "tag"); err != nil {
			t.Fatal(err)
		}
		must(t, space.rdb.HDel(ctx, keys[0], "late").Err())
	}, tagsScript, keys, "sameness", 60_000, "", 60_000, "position")
	if a[0].(string)[:16] == b[0].(string)[:16] || a[1] == b[1] {
		t.Errorf("the list and the version are %q and %q again", b[0], b[1])
	}
}

func TestARepeatedFillStoresNothing(t *testing.T) {
	space, s := scriptStore(t)
	ctx := t.Context()
	f, err := s.Reserve(ctx, cache.Slot[string]{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	star, stamps, _, _ := f.(*fill[string, string]).tags.stamps(s.key("k"), nil)
	body, px, err := s.encode(t.Context(), s.key("k"), 0, anEntry("old"), star, stamps)
	if err != nil {
		t.Fatal(err)
	}
	token := f.(*fill[string, string]).slots[0].token
	a, b := twice(t, space, func() {
		if e, _ := s.Get(ctx, "k"); e == nil || e.Value != "old" {
			t.Fatalf("the value is %+v", e)
		}
		if err := s.Invalidate(ctx, "k"); err != nil {
			t.Fatal(err)
		}
	}, fillScript, []string{s.key("k")}, "sameness", token, body, px)
	if a[0] != int64(1) || b[0] != int64(0) {
		t.Errorf("the fill says %v and then %v", a[0], b[0])
	}
	if e, _ := s.Get(ctx, "k"); e != nil {
		t.Errorf("the value is back: %+v", e)
	}
}

func TestARepeatedQuarantineIsStillOneWriter(t *testing.T) {
	space, s := scriptStore(t)
	ctx := t.Context()
	f, err := s.Quarantine(ctx, cache.Slot[string]{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	q := f.(*fill[string, string])
	a, b := twice(t, space, func() {}, quarantineScript, q.keys, "sameness", 60_000, q.writer)
	if h := q.slots[0].token; a[0] != h || b[0] != h {
		t.Errorf("the header is %q, and then %q and %q", h, a[0], b[0])
	}
	e := anEntry("new")
	if out, err := f.Commit(ctx, e); err != nil || out[0] != cache.Stored {
		t.Fatalf("Commit is %v, %v", out, err)
	}
	// The release again, when the next writer has changed the origin: it may
	// take a value away, and must not bring one.
	if err := s.Invalidate(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	star, stamps, _, _ := q.tags.stamps(s.key("k"), nil)
	body, px, _ := s.encode(t.Context(), s.key("k"), 0, e, star, stamps)
	c := releaseScript.call(ctx, q.keys, "sameness", q.writer, q.slots[0].token, body, px)
	if err := space.run(ctx, c); err != nil {
		t.Fatal(err)
	}
	if e, _ := s.Get(ctx, "k"); e != nil {
		t.Errorf("the value is back: %+v", e)
	}
}

func TestAWriterWhoseQuarantineIsLostInstallsNothing(t *testing.T) {
	space, s := scriptStore(t)
	ctx := t.Context()
	f, err := s.Quarantine(ctx, cache.Slot[string]{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if err := space.rdb.Del(ctx, s.key("k")).Err(); err != nil { // evicted
		t.Fatal(err)
	}
	other, err := s.Quarantine(ctx, cache.Slot[string]{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	// The first writer's release taints the second's quarantine: they overlap.
	for _, w := range []cache.Fill[string]{f, other} {
		if out, err := w.Commit(ctx, anEntry("mine")); err != nil || out[0] != cache.Refused {
			t.Errorf("Commit is %v, %v", out, err)
		}
	}
	if e, _ := s.Get(ctx, "k"); e != nil {
		t.Errorf("there is a value: %+v", e)
	}
}

func TestAQuarantineEndsByItself(t *testing.T) {
	space, s := scriptStore(t)
	if _, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if ttl := space.rdb.PTTL(t.Context(), s.key("k")).Val(); ttl <= 0 || ttl > quarantineLife {
		t.Errorf("it ends in %v", ttl)
	}
}

func TestQuarantine_LivesForAsLongAsItsWriterAsks(t *testing.T) {
	space, s := scriptStore(t)
	if _, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "k", Hold: time.Hour}, cache.Slot[string]{Key: "l"}); err != nil {
		t.Fatal(err)
	}
	if _, err := (remote{space}).QuarantineTags(t.Context(), []string{"tag"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{s.key("k"), space.tagKey("tag")} {
		if ttl := space.rdb.PTTL(t.Context(), key).Val(); ttl <= 59*time.Minute || ttl > time.Hour {
			t.Errorf("%s ends in %v", key, ttl)
		}
	}
}
