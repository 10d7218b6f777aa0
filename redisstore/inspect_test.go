package redisstore_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func inspector(t testing.TB, rdb redis.UniversalClient, name string) *redisstore.Inspector {
	t.Helper()
	i, err := redisstore.NewInspector(rdb, name)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestNewInspectorNamesWhatIsWrong(t *testing.T) {
	_, rdb := mini(t)
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	defer ring.Close()
	for want, c := range map[string]struct {
		rdb  redis.UniversalClient
		name string
	}{"client is nil": {nil, "shop"}, "Ring": {ring, "shop"}, `name "a:b"`: {rdb, "a:b"}, `name ""`: {rdb, ""}} {
		if _, err := redisstore.NewInspector(c.rdb, c.name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %q", err, want)
		}
	}
	if _, err := inspector(t, rdb, "shop").Key(t.Context(), "a b", "1"); err == nil {
		t.Error("a store of any name can be inspected")
	}
}

// An Inspector says of each state what a store that reads says to its Observer.
func TestTheReasonsOfAMissAreThoseOfARead(t *testing.T) {
	_, rdb := mini(t)
	for name, rdb := range map[string]redis.UniversalClient{"miniredis": rdb, "server": redistest.Client(t), "cluster": redistest.ClusterClient(t)} {
		t.Run(name, func(t *testing.T) { checkReasons(t, rdb, "inspect-"+name) })
	}
}

func checkReasons(t *testing.T, rdb redis.UniversalClient, name string) {
	ctx := t.Context()
	space := open(t, rdb, name)
	s := redisstore.New[int, string](space, "users", nil)
	look := inspector(t, rdb, name)
	prefix := name + ":v:users:"
	put := func(k int, raw string) { rdb.Set(ctx, fmt.Sprint(prefix, k), raw, time.Hour) }
	get := func(k int) string { return rdb.Get(ctx, fmt.Sprint(prefix, k)).Val() }
	fillAs := func(k int, tags ...string) { fill(t, s, k, entry("the value", tags...)) }
	var held []func()
	defer func() {
		for _, f := range held {
			f()
		}
	}()
	for i, c := range []struct {
		what  string
		plant func(k int)
		state redisstore.State
		kind  cache.Kind
		why   string
	}{
		{"a value", func(k int) { fillAs(k, "a", "b") }, redisstore.StateValue, cache.Hit, ""},
		{"nothing", func(int) {}, redisstore.StateNothing, cache.Miss, "there is nothing"},
		{"an invalidated key", func(k int) { fillAs(k); s.Invalidate(ctx, k) }, redisstore.StateNothing, cache.Miss, "there is nothing"},
		{"an invalidated tag", func(k int) { fillAs(k, "gone", "kept"); space.InvalidateTags(ctx, "gone") },
			redisstore.StateValue, cache.MissTag, `the tag "gone" has no version`},
		{"a tag with a new version", func(k int) {
			fillAs(k, "renewed", "kept")
			space.InvalidateTags(ctx, "renewed")
			fillAs(100, "renewed")
		}, redisstore.StateValue, cache.MissTag, `the tag "renewed" was invalidated`},
		{"a tag in quarantine", func(k int) {
			fillAs(k, "held")
			other := open(t, rdb, name)
			entered, leave := make(chan struct{}), make(chan struct{})
			done := make(chan struct{})
			go func() {
				defer close(done)
				other.Mutate(ctx, []invalidation.Target{invalidation.Tag("held")}, func(context.Context) error { close(entered); <-leave; return nil })
			}()
			<-entered
			held = append(held, func() { close(leave); <-done })
		}, redisstore.StateValue, cache.MissTag, `the tag "held" is in quarantine`},
		{"a token", func(k int) {
			f, err := s.Reserve(ctx, cache.Slot[int]{Key: k})
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, func() { f.Cancel(context.Background()) })
		}, redisstore.StateToken, cache.MissWriter, "a load of it has begun"},
		{"a quarantine", func(k int) {
			f, err := redisstore.New[int, string](open(t, rdb, name), "users", nil).Quarantine(ctx, cache.Slot[int]{Key: k})
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, func() { f.Cancel(context.Background()) })
		}, redisstore.StateQuarantine, cache.MissWriter, "1 writers"},
		{"an entry of another key", func(k int) { fillAs(101); put(k, get(101)) }, redisstore.StateValue, cache.MissCorrupt, "of another key"},
		{"a damaged entry", func(k int) { fillAs(k); put(k, get(k)[:40]) }, redisstore.StateForeign, cache.MissCorrupt, "it is no entry"},
		{"text", func(k int) { put(k, "hello") }, redisstore.StateForeign, cache.MissCorrupt, "it is no entry"},
		{"a list", func(k int) { rdb.LPush(ctx, fmt.Sprint(prefix, k), 1) }, redisstore.StateForeign, cache.Miss, "of the type list"},
		{"an entry that has expired", func(k int) {
			e := entry("x")
			e.Fresh, e.Expires = cache.Now(), cache.Now().Add(50*time.Millisecond)
			fill(t, s, k, e)
			put(k, get(k)) // Redis would remove it
			for cache.Now() <= e.Expires {
				time.Sleep(time.Millisecond)
			}
		}, redisstore.StateValue, cache.MissExpired, "it expired"},
	} {
		t.Run(c.what, func(t *testing.T) {
			k := i + 1
			c.plant(k)
			var n cache.Counter
			reader := redisstore.New(open(t, rdb, name), "users", &redisstore.StoreOptions[int, string]{Observer: &n})
			if _, err := reader.Get(ctx, k); err != nil {
				t.Fatal(err)
			}
			if n.Count(c.kind) != 1 {
				t.Errorf("a read is not a %v", c.kind)
			}
			got, err := look.Key(ctx, "users", fmt.Sprint(k))
			if err != nil {
				t.Fatal(err)
			}
			if got.State != c.state || got.Hit() != (c.kind == cache.Hit) {
				t.Errorf("it is %+v", got)
			}
			if c.kind != cache.Hit && (got.Misses[0].Kind != c.kind || !strings.Contains(got.Misses[0].Why, c.why)) {
				t.Errorf("the reasons are %+v", got.Misses)
			}
		})
	}
	if err := space.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := look.Key(ctx, "users", "1"); err != nil || len(got.Misses) != 1 || !strings.Contains(got.Misses[0].Why, "everything in its lane") {
		t.Errorf("after Clear: %+v, %v", got.Misses, err)
	}
	long := redisstore.New[string, string](space, "long", nil)
	for _, key := range []string{"", strings.Repeat("k", 4097)} {
		if got, err := look.Key(ctx, "long", key); err != nil || len(got.Misses) != 1 || got.Misses[0].Kind != cache.Miss {
			t.Errorf("a key of %d bytes: %+v, %v", len(key), got.Misses, err)
		}
		fill(t, long, key, entry("v"))
		if got, err := look.Key(ctx, "long", key); err != nil || !got.Hit() {
			t.Errorf("a key of %d bytes that was stored: %+v, %v", len(key), got, err)
		}
	}
}

func TestAnInspectorShowsTheHeader(t *testing.T) {
	_, rdb := mini(t)
	ctx := t.Context()
	space := open(t, rdb, "shop")
	s := redisstore.New[string, string](space, "users", nil)
	e := entry("the value", "org:acme")
	e.Cost = 3 * time.Millisecond
	e.SetLoaded(cache.Now())
	fill(t, s, "ada", e)
	look := inspector(t, rdb, "shop")
	got, err := look.Key(ctx, "users", "ada")
	if err != nil {
		t.Fatal(err)
	}
	v := got.Value
	if got.Key != "shop:v:users:ada" || v.OwnKey != got.Key || v.Fresh != e.Fresh || v.Expires != e.Expires || v.Loaded != e.Loaded() ||
		v.Cost != e.Cost || !strings.Contains(string(v.Payload), "the value") || v.PayloadSize != len(v.Payload) || v.Absent || v.Method != 0 {
		t.Errorf("it is %+v, %+v", got, v)
	}
	if got.Left <= 59*time.Minute || got.Size <= int64(len(v.Payload)) || got.Type != "string" {
		t.Errorf("it is %+v", got)
	}
	if len(v.Tags) != 1 || !v.Tags[0].Valid || v.Tags[0].Tag != "org:acme" || v.Tags[0].Stamped != v.Tags[0].Now.Version || v.Star != got.Star.Version {
		t.Errorf("the tags are %+v", v.Tags)
	}
	tag, err := look.Tag(ctx, "org:acme")
	if err != nil || tag.State != redisstore.StateVersion || tag.Version.Version != v.Tags[0].Stamped || tag.Left <= 0 {
		t.Errorf("the tag is %+v, %v", tag, err)
	}
}

func TestAnInspectorCountsWhatASpaceHas(t *testing.T) {
	_, rdb := mini(t)
	for name, rdb := range map[string]redis.UniversalClient{"miniredis": rdb, "cluster": redistest.ClusterClient(t)} {
		t.Run(name, func(t *testing.T) {
			ctx, name := t.Context(), fmt.Sprint("census", namespaces.Add(1))
			space := open(t, rdb, name)
			users, carts := redisstore.New[int, string](space, "users", nil), redisstore.New[int, string](space, "carts", nil)
			for k := range 3 {
				fill(t, users, k, entry("x", "a", "b"))
			}
			fill(t, carts, 1, entry("x"))
			f, err := users.Reserve(ctx, cache.Slot[int]{Key: 7})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Cancel(ctx)
			rdb.Set(ctx, name+":v:users:8", "foreign", 0)
			rdb.LPush(ctx, name+":v:users:9", "foreign")
			rdb.Set(ctx, name+"x:v:users:9", "of another space", 0)
			got, err := inspector(t, rdb, name).Census(ctx, 1_000_000)
			if err != nil || !got.Complete || got.Values != 4 || got.Tokens != 1 || got.Foreign != 2 || got.Tags != 2 ||
				!maps.Equal(got.Stores, map[string]int{"users": 3, "carts": 1}) {
				t.Errorf("%+v, %v", got, err)
			}
			if got, err := inspector(t, rdb, name).Census(ctx, 0); err != nil || got.Complete {
				t.Errorf("after no step: %+v, %v", got, err)
			}
		})
	}
}

func TestAnInspectorSeesTheProcesses(t *testing.T) {
	for name, rdb := range map[string]redis.UniversalClient{"server": redistest.Client(t), "cluster": redistest.ClusterClient(t)} {
		t.Run(name, func(t *testing.T) {
			ctx, name := t.Context(), fmt.Sprint("members", namespaces.Add(1))
			space := open(t, rdb, name)
			open(t, rdb, name)
			look := inspector(t, rdb, name)
			news := make(chan redisstore.News, 100)
			listening, stop := context.WithCancel(ctx)
			defer stop()
			done := make(chan error, 1)
			go func() { done <- look.Listen(listening, func(n redisstore.News) { news <- n }) }()
			var heard redisstore.News
			for heard.Seq == 0 { // until it listens
				if err := space.InvalidateTags(ctx, "org:acme"); err != nil {
					t.Fatal(err)
				}
				select {
				case heard = <-news:
				case <-time.After(10 * time.Millisecond):
				}
			}
			if !slices.Equal(heard.Tags, []string{"org:acme"}) || heard.All {
				t.Errorf("heard %+v", heard)
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			for deadline := time.Now().Add(5 * time.Second); ; { // until both have beaten after the last message
				got, err := look.Space(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got.Settings != got.Ours || got.Settings == "" {
					t.Fatalf("the settings are %q and %q", got.Settings, got.Ours)
				}
				l := got.Lanes[heard.Lane]
				if len(l.Members) == 2 && l.Members[0].Behind == 0 && l.Members[1].Behind == 0 {
					if l.Log == "" || l.Seq < heard.Seq || l.Members[0].Applied != l.Seq || l.Members[0].ID == l.Members[1].ID {
						t.Errorf("the lane is %+v", l)
					}
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("the processes do not catch up: %+v", l)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}
