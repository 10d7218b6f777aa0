package redisstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func TestOpenNamesTheFieldThatIsWrong(t *testing.T) {
	_, rdb := mini(t)
	cluster := func(o redis.ClusterOptions) redis.UniversalClient {
		o.Addrs = []string{"127.0.0.1:1"}
		c := redis.NewClusterClient(&o)
		t.Cleanup(func() { c.Close() })
		return c
	}
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	defer ring.Close()
	for _, c := range []struct {
		rdb  redis.UniversalClient
		name string
		o    *redisstore.Options
		want string
	}{
		{nil, "shop", nil, "client is nil"},
		{rdb, "", nil, "name"},
		{rdb, "a:b", nil, "name"},
		{rdb, "{a}", nil, "name"},
		{rdb, "shop", &redisstore.Options{Timeout: -1}, "Timeout"},
		{rdb, "shop", &redisstore.Options{LockWait: time.Hour}, "LockWait"},
		{cluster(redis.ClusterOptions{ReadOnly: true}), "shop", nil, "replicas"},
		{cluster(redis.ClusterOptions{RouteByLatency: true}), "shop", nil, "replicas"},
		{cluster(redis.ClusterOptions{RouteRandomly: true}), "shop", nil, "replicas"},
		{ring, "shop", nil, "Ring"},
	} {
		if _, err := redisstore.Open(t.Context(), c.rdb, c.name, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%T, %q, %+v): %v does not speak of %q", c.rdb, c.name, c.o, err, c.want)
		}
	}
}

func TestNewNamesTheFieldThatIsWrong(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	for want, f := range map[string]func(){
		"space":       func() { redisstore.New[int, int](nil, "a", nil) },
		"name":        func() { redisstore.New[int, int](space, "a b", nil) },
		"Options.Key": func() { redisstore.New[float64, int](space, "a", nil) },
		"MaxValue":    func() { redisstore.New(space, "a", &redisstore.StoreOptions[int, int]{MaxValue: -1}) },
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("the panic %q does not speak of %q", p, want)
				}
			}()
			f()
		}()
	}
}

func TestRoundTripsOfEveryPath(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	var h trips
	space.Client().AddHook(&h)
	s := redisstore.New[int, string](space, "s", nil)
	ctx := t.Context()
	load := func(late bool, tags ...string) func() {
		return func() {
			slot := cache.Slot[int]{Key: 1, Tags: tags, LateTags: late}
			if late {
				slot.Tags = nil
			}
			f, err := s.Reserve(ctx, slot)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := f.Commit(ctx, entry("a", tags...)); err != nil || out[0] != cache.Stored {
				t.Fatalf("Commit is %v, %v", out, err)
			}
		}
	}
	load(true, "warm")() // loads the scripts
	s.Invalidate(ctx, 1)
	space.InvalidateTags(ctx, "warm")
	for _, reserve := range []func(context.Context, ...cache.Slot[int]) (cache.Fill[string], error){s.Quarantine, s.Reserve} {
		if f, err := reserve(ctx, cache.Slot[int]{Key: 1}); err == nil {
			f.Cancel(ctx)
		}
	}
	many := make([]int, 100)
	for i := range many {
		many[i] = i + 100
		fill(t, s, many[i], entry("m", "t1", fmt.Sprint("own", i)))
	}
	fresh := redisstore.New[int, string](space, "s", nil)
	for _, c := range []struct {
		what string
		want int64
		f    func()
	}{
		{"miss", 1, func() { wantMiss(t, s, 2) }},
		{"fill with late tags that are new", 3, load(true, "x", "y")},
		{"fill with late tags seen before", 2, load(true, "x", "y")},
		{"fill with known tags", 2, load(false, "p", "q")},
		{"hit with tags seen before", 1, func() { want(t, s, 1, "a") }},
		{"hit with tags not seen before", 2, func() { want(t, fresh, 1, "a") }},
		{"the next hit", 1, func() { want(t, fresh, 1, "a") }},
		{"100 hits at once", 1, func() {
			if got, err := s.GetMany(ctx, many); len(got) != 100 || err != nil {
				t.Fatalf("GetMany has %d, %v", len(got), err)
			}
		}},
		{"100 hits at once with tags not seen before", 2, func() {
			if got, err := fresh.GetMany(ctx, many); len(got) != 100 || err != nil {
				t.Fatalf("GetMany has %d, %v", len(got), err)
			}
		}},
		{"100 fills at once", 2, func() {
			var slots []cache.Slot[int]
			var es []*cache.Entry[string]
			for i := range 100 {
				slots = append(slots, cache.Slot[int]{Key: i + 1000, Tags: []string{fmt.Sprint("t", i)}})
				es = append(es, entry("v", slots[i].Tags...))
			}
			f, err := s.Reserve(ctx, slots...)
			if err != nil {
				t.Fatal(err)
			}
			out, err := f.Commit(ctx, es...)
			for _, o := range out {
				if o != cache.Stored {
					t.Fatalf("Commit is %v, %v", out, err)
				}
			}
		}},
		{"invalidate 100 keys", 1, func() { s.Invalidate(ctx, many...) }},
		{"invalidate 3 tags", 1, func() { space.InvalidateTags(ctx, "x", "y", "t1") }},
		{"clear", 1, func() { space.Clear(ctx) }},
		{"put", 2, func() { cache.Put(ctx, s, 5, entry("z", "x")) }},
		{"cancelled fill, which lets go of its lock", 2, func() {
			f, _ := s.Reserve(ctx, cache.Slot[int]{Key: 77})
			f.Cancel(ctx)
		}},
	} {
		if n := h.took(c.f); n != c.want {
			t.Errorf("%s: %d round trips, not %d", c.what, n, c.want)
		}
	}
}

func TestClearTouchesOnlyItsNamespace(t *testing.T) {
	m, rdb := mini(t)
	a, b := open(t, rdb, "a"), open(t, rdb, "b")
	sa, sb := redisstore.New[int, string](a, "s", nil), redisstore.New[int, string](b, "s", nil)
	sa2 := redisstore.New[int, string](a, "s2", nil)
	m.Set("foreign", "x")
	fill(t, sa, 1, entry("a", "tag"))
	fill(t, sa2, 1, entry("a2", "tag"))
	fill(t, sb, 1, entry("b", "tag"))
	want(t, sa, 1, "a")
	want(t, sa2, 1, "a2")
	if err := a.InvalidateTags(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	want(t, sa, 1, "a")
	if err := a.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantMiss(t, sa, 1)
	wantMiss(t, sa2, 1)
	want(t, sb, 1, "b")
	if err := a.InvalidateTags(t.Context(), "tag"); err != nil {
		t.Fatal(err)
	}
	want(t, sb, 1, "b")
	if !m.Exists("foreign") {
		t.Error("a key of somebody else is gone")
	}
	for _, k := range m.Keys() {
		if k != "foreign" && !strings.HasPrefix(k, "a:") && !strings.HasPrefix(k, "b:") {
			t.Errorf("the key %q is outside of the namespaces", k)
		}
	}
}

func TestTagMetadataIsBoundedAfterMassExpiry(t *testing.T) {
	m, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New[int, string](space, "s", nil)
	for i := range 300 {
		fill(t, s, i, entry("v", fmt.Sprint("tag", i)))
	}
	m.FastForward(3 * time.Hour)
	if keys := m.Keys(); len(keys) != 0 {
		t.Errorf("%d keys are left when all entries have expired: %q", len(keys), keys[:min(5, len(keys))])
	}
}

func TestATagVersionOutlivesTheLongestEntry(t *testing.T) {
	m, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New[int, string](space, "s", nil)
	now := cache.Now()
	long := func() *cache.Entry[string] {
		return &cache.Entry[string]{Value: "v", Tags: []string{"tag"}, Fresh: now.Add(48 * time.Hour), Expires: now.Add(48 * time.Hour)}
	}
	fill(t, s, 1, long())
	m.FastForward(47 * time.Hour)
	want(t, s, 1, "v")
	fill(t, s, 2, long())
	m.FastForward(47 * time.Hour)
	want(t, s, 2, "v")
}

// When the tags are read, before the load, nobody knows yet for how long the first entry of
// a store lives.
func TestTags_VersionsOfTheFirstEntryOfAStoreLiveAsLongAsThat(t *testing.T) {
	for name, known := range map[string][]string{"with a tag": {"tag"}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			m, rdb := mini(t)
			s := redisstore.New[int, string](open(t, rdb, "shop"), "s", nil)
			f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: 1, Tags: known})
			if err != nil {
				t.Fatal(err)
			}
			now := cache.Now()
			e := &cache.Entry[string]{Value: "v", Tags: known, Fresh: now.Add(48 * time.Hour), Expires: now.Add(48 * time.Hour)}
			if out, err := f.Commit(t.Context(), e); err != nil || out[0] != cache.Stored {
				t.Fatalf("%v, %v", out, err)
			}
			m.FastForward(47 * time.Hour)
			want(t, s, 1, "v")
		})
	}
}

func TestTags_VersionsLiveAboutAsLongAsTheirEntries(t *testing.T) {
	m, rdb := mini(t)
	space := open(t, rdb, "shop")
	short, long := redisstore.New[int, string](space, "short", nil), redisstore.New[int, string](space, "long", nil)
	now := cache.Now()
	put := func(s *redisstore.Store[int, string], k int, life time.Duration, tags ...string) {
		fill(t, s, k, &cache.Entry[string]{Value: "v", Tags: tags, Fresh: now.Add(life), Expires: now.Add(life)})
	}
	put(long, 1, 24*time.Hour, "both", "long")
	for k := range 100 {
		put(short, k, 5*time.Second, fmt.Sprint("short:", k), "both")
	}
	m.FastForward(3 * time.Minute)
	for _, k := range m.Keys() {
		if strings.Contains(k, ":short:") {
			t.Errorf("%s is still there, for %v", k, m.TTL(k))
		}
	}
	want(t, long, 1, "v")
}

func TestAnotherTagRefusesNoFillWithLateTags(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New[int, string](space, "s", nil)
	refused := 0
	for i := range 128 {
		f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: i, LateTags: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := space.InvalidateTags(t.Context(), fmt.Sprint("other", i)); err != nil {
			t.Fatal(err)
		}
		if out, _ := f.Commit(t.Context(), entry("v", fmt.Sprint("mine", i))); out[0] == cache.Refused {
			refused++
		}
	}
	if refused != 0 {
		t.Errorf("%d of 128 fills were refused for a tag of others", refused)
	}
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	type rec struct {
		At   time.Time
		Next *rec
		M    map[string]int
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	s := redisstore.New[string, *rec](space, "s", nil)
	fill(t, s, "full", entry(&rec{At: at, Next: &rec{M: map[string]int{"a": 1}}}))
	fill(t, s, "nil", entry[*rec](nil))
	if e, _ := s.Get(t.Context(), "full"); e == nil || !e.Value.At.Equal(at) || e.Value.Next.M["a"] != 1 {
		t.Errorf("it came back as %+v", e)
	}
	if e, _ := s.Get(t.Context(), "nil"); e == nil || e.Value != nil {
		t.Errorf("nil came back as %+v", e)
	}
	anys := redisstore.New(space, "any", &redisstore.StoreOptions[string, any]{AcceptLosses: []string{"*"}})
	fill[string, any](t, anys, "k", entry[any](map[string]any{"a": "b"}))
	if e, _ := anys.Get(t.Context(), "k"); e == nil || fmt.Sprint(e.Value) != "map[a:b]" {
		t.Errorf("it came back as %+v", e)
	}
	raw := redisstore.New[string, []byte](space, "raw", nil)
	fill(t, raw, "k", entry([]byte("\x00\xff")))
	if e, _ := raw.Get(t.Context(), "k"); e == nil || string(e.Value) != "\x00\xff" {
		t.Errorf("it came back as %+v", e)
	}
	e := entry("v", "t1", "t2")
	e.Cost, e.Absent = 1500*time.Microsecond, true
	e.SetLoaded(cache.Now() - 60_001)
	meta := redisstore.New[string, string](space, "meta", nil)
	fill(t, meta, "k", e)
	got, _ := meta.Get(t.Context(), "k")
	if got == nil || got.Fresh != e.Fresh || got.Expires != e.Expires || got.Cost != e.Cost || got.Loaded() != e.Loaded() || !got.Absent || fmt.Sprint(got.Tags) != "[t1 t2]" {
		t.Errorf("%+v came back as %+v", e, got)
	}
}
