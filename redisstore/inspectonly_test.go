package redisstore_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// dump returns all that a server holds, as DUMP writes it.
func dump(t *testing.T, rdb *redis.Client) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, k := range rdb.Keys(t.Context(), "*").Val() {
		all[k] = rdb.Dump(t.Context(), k).Val()
	}
	return all
}

// reading are the commands that an Inspector may use.
var reading = []string{"exists", "getrange", "hgetall", "mget", "pttl", "scan", "strlen", "time", "type", "hget",
	"hello", "client|setinfo", "client|maint_notifications", "config|resetstat", "info", "dump", "keys"}

func TestAnInspectorWritesNothing(t *testing.T) {
	ctx := t.Context()
	server := redistest.Private(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}})
	t.Cleanup(func() { rdb.Close() })
	space, err := redisstore.Open(ctx, rdb, "shop", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := redisstore.New[string, string](space, "users", nil)
	fill(t, s, "ada", entry("x", "org:acme"))
	fill(t, s, "bob", entry("x", "gone"))
	if err := space.InvalidateTags(ctx, "gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Quarantine(ctx, cache.Slot[string]{Key: "cyd"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reserve(ctx, cache.Slot[string]{Key: "dan"}); err != nil {
		t.Fatal(err)
	}
	if err := space.Close(ctx); err != nil { // it beats no more
		t.Fatal(err)
	}
	before := dump(t, rdb)
	if len(before) < 6 {
		t.Fatalf("there are only %q", slices.Collect(maps.Keys(before)))
	}
	rdb.ConfigResetStat(ctx)
	look := inspector(t, rdb, "shop")
	for _, k := range []string{"ada", "bob", "cyd", "dan", "eve"} {
		if _, err := look.Key(ctx, "users", k); err != nil {
			t.Fatal(err)
		}
	}
	for _, tag := range []string{"org:acme", "gone", "never"} {
		if _, err := look.Tag(ctx, tag); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := look.Space(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := look.Census(ctx, 1000); err != nil || got.Values != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	stats := rdb.Info(ctx, "commandstats").Val()
	for line := range strings.Lines(stats) {
		if name, ok := strings.CutPrefix(line, "cmdstat_"); ok {
			name, _, _ = strings.Cut(name, ":")
			if !slices.Contains(reading, name) {
				t.Errorf("it has used %s", name)
			}
		}
	}
	if !strings.Contains(stats, "cmdstat_mget") {
		t.Errorf("the statistics are\n%s", stats)
	}
	if after := dump(t, rdb); !maps.Equal(before, after) {
		t.Error("something is not what it was")
	}
}
