package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// refusing is a codec that cannot encode some values.
type refusing struct{ cache.Text }

func (refusing) Append(dst []byte, v string) ([]byte, error) {
	if strings.HasPrefix(v, "not encodable") {
		return nil, errors.New("not encodable")
	}
	return append(dst, v...), nil
}

// texts is a process whose store is of strings, and holds few bytes.
type texts struct {
	space *redisstore.Space
	l1    *memstore.Store[string, string]
	both  cache.Cache[string, string]
}

func newTexts(t *testing.T, rdb redis.UniversalClient, name string, o redisstore.Options) texts {
	t.Helper()
	o.Timeout, o.LockWait = 10*time.Second, time.Minute
	space, err := redisstore.Open(t.Context(), rdb, name, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	l2 := redisstore.New(space, "s", &redisstore.StoreOptions[string, string]{MaxValue: 100, Codec: refusing{}})
	p := texts{space: space, l1: memstore.New[string, string](space.Domain, 100, nil)}
	p.both = cache.Tiered(p.l1, l2)
	p.fence(t)
	return p
}

func (p texts) fence(t *testing.T) {
	t.Helper()
	if err := p.space.Fence(t.Context()); err != nil {
		t.Fatalf("Fence: %v", err)
	}
}

// store fills a key, calls during between Reserve and Commit, and returns what becomes of it.
func (p texts) store(t *testing.T, key, value string, during func()) cache.Outcome {
	t.Helper()
	f, err := p.both.Reserve(t.Context(), cache.Slot[string]{Key: key, LateTags: true})
	if err != nil {
		t.Fatal(err)
	}
	if during != nil {
		during()
	}
	out, err := f.Commit(t.Context(), entry(value, "tag"))
	if err != nil && !errors.Is(err, cache.ErrNotStorable) {
		t.Fatal(err)
	}
	return out[0]
}

func (p texts) inMemory(t *testing.T, key string) bool {
	t.Helper()
	e, err := p.l1.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return e != nil
}

// What Redis cannot hold is in memory, and leaves it as everything else does.
func TestVouched_MemoryHoldsWhatRedisCannotAndForgetsWhatAnotherProcessInvalidates(t *testing.T) {
	for server, rdb := range servers(t) {
		for what, kv := range map[string][2]string{
			"too large": {"k", strings.Repeat("v", 101)}, "not encodable": {"k", "not encodable"},
			"a long key": {strings.Repeat("k", 4097), "v"}, "the empty key": {"", "v"},
		} {
			t.Run(server+"/"+what, func(t *testing.T) {
				ctx, key, value := t.Context(), kv[0], kv[1]
				name := fmt.Sprint("vouched", namespaces.Add(1))
				o := redisstore.Options{Lease: time.Minute} // so that only what is tested can help
				a, b := newTexts(t, rdb, name, o), newTexts(t, rdb, name, o)
				must := func(err error) {
					t.Helper()
					if err != nil {
						t.Fatal(err)
					}
				}
				for how, do := range map[string]func(){
					"Invalidate":     func() { must(b.both.Invalidate(ctx, key)) },
					"InvalidateTags": func() { must(b.space.InvalidateTags(ctx, "tag")) },
					"Clear":          func() { must(b.space.Clear(ctx)) },
					"Put": func() {
						if _, err := cache.Put(ctx, b.both, key, entry("other")); err != nil {
							t.Fatal(err)
						}
					},
					"Quarantine": func() {
						f, err := b.both.Quarantine(ctx, cache.Slot[string]{Key: key})
						must(err)
						must(f.Cancel(ctx))
					},
				} {
					must(a.both.Invalidate(ctx, key))
					a.fence(t) // or the message that comes back takes away what is stored next
					if out := a.store(t, key, value, nil); out != cache.Stored || !a.inMemory(t, key) {
						t.Fatalf("the commit is %v", out)
					}
					a.fence(t)
					if !a.inMemory(t, key) {
						t.Fatal("it does not stay in memory")
					}
					do()
					a.fence(t)
					if a.inMemory(t, key) {
						t.Errorf("%s in another process: it is still in memory", how)
					}
					must(a.both.Invalidate(ctx, key))
					a.fence(t) // or the message that comes back takes away what is stored next
					if out := a.store(t, key, value, do); out.Valid() || a.inMemory(t, key) {
						t.Errorf("%s in another process during the load: the commit is %v", how, out)
					}
				}
			})
		}
	}
}

// A store that loses its token, or meets a writer, can vouch for nothing.
func TestVouched_OnlyIfTheTokenIsThere(t *testing.T) {
	m, rdb := mini(t)
	p := newTexts(t, rdb, "shop", redisstore.Options{})
	large := strings.Repeat("v", 101)
	if out := p.store(t, "k", large, func() { m.Del("shop:v:s:k") }); out.Valid() || p.inMemory(t, "k") {
		t.Errorf("without its token the commit is %v", out)
	}
	release, err := p.space.QuarantineTags(t.Context(), "tag")
	if err != nil {
		t.Fatal(err)
	}
	if out := p.store(t, "k", large, nil); out.Valid() || p.inMemory(t, "k") {
		t.Errorf("while a writer holds its tag the commit is %v", out)
	}
	if err := release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestVouched_AWriterThatWasAloneLeavesItsValueInMemory(t *testing.T) {
	_, rdb := mini(t)
	a, b := newTexts(t, rdb, "shop", redisstore.Options{}), newTexts(t, rdb, "shop", redisstore.Options{})
	ctx, large := t.Context(), strings.Repeat("v", 101)
	untilNil(t, func() error { // it takes a lease
		stored, err := cache.Put(ctx, a.both, "k", entry(large))
		if stored && errors.Is(err, cache.ErrNotStorable) && a.inMemory(t, "k") {
			return nil
		}
		return fmt.Errorf("Put is %v, %v", stored, err)
	})
	f, err := a.both.Quarantine(ctx, cache.Slot[string]{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.both.Invalidate(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	if out, _ := f.Commit(ctx, entry(large)); out[0].Valid() || a.inMemory(t, "k") {
		t.Errorf("after an invalidation the commit is %v", out)
	}
}

// Without a bus nothing could tell memory of an invalidation.
func TestVouched_NothingWithoutABus(t *testing.T) {
	_, rdb := mini(t)
	space, err := redisstore.Open(t.Context(), rdb, "shop", &redisstore.Options{NoBus: true, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	l2 := redisstore.New(space, "s", &redisstore.StoreOptions[string, string]{MaxValue: 100})
	f, err := l2.Reserve(t.Context(), cache.Slot[string]{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	e := entry(strings.Repeat("v", 101))
	out, err := f.Commit(t.Context(), e)
	if !errors.Is(err, cache.ErrNotStorable) {
		t.Fatal(err)
	}
	// What NoBus promises of memory holds for it too: until it expires.
	if out[0] != cache.Vouched {
		t.Errorf("the commit is %v", out)
	}
}

func TestVouched_ALoaderLoadsOnce(t *testing.T) {
	_, rdb := mini(t)
	p := newTexts(t, rdb, "shop", redisstore.Options{Lease: time.Minute})
	for what, kv := range map[string][2]string{
		"too large": {"k", strings.Repeat("v", 101)}, "not encodable": {"e", "not encodable"},
		"a long key": {strings.Repeat("k", 4097), "v"}, "the empty key": {"", "v"},
	} {
		loads := 0
		for range 5 {
			l := aside.New(p.both, func(context.Context, string) (string, error) { loads++; return kv[1], nil }, invalidation.TTL(time.Hour), nil)
			if v, err := l.Get(t.Context(), kv[0]); v != kv[1] || err != nil {
				t.Fatalf("%s: %q, %v", what, v, err)
			}
			if err := l.Close(t.Context()); err != nil { // which waits for commits
				t.Fatal(err)
			}
		}
		if loads != 1 {
			t.Errorf("%s: five reads are %d loads", what, loads)
		}
	}
}
