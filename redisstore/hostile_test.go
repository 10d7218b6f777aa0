package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
)

func TestWhatIsNoEntryIsACountedMissAndIsOverwritten(t *testing.T) {
	m, rdb := mini(t)
	space := open(t, rdb, "shop")
	ctx := t.Context()
	const key = "shop:v:users:7"
	other := redisstore.New[int64, user](space, "users", nil)
	for name, plant := range map[string]func(){
		"a list":                        func() { m.Lpush(key, "x") },
		"a hash":                        func() { m.HSet(key, "a", "b") },
		"an empty string":               func() { m.Set(key, "") },
		"a short string":                func() { m.Set(key, "V") },
		"some text":                     func() { m.Set(key, "hello, this is another program's value") },
		"text like a value":             func() { m.Set(key, "V0123456789abcdef and then nonsense that is long enough to be an entry") },
		"text like a token":             func() { m.Set(key, "M0123456789abcdef with something behind it") },
		"text like a token with a lock": func() { m.Set(key, "M0123456789abcdefthe fillthe time1 and more") },
		"a token that never expires":    func() { m.Set(key, "M0123456789abcdefthe fillthe time1") },
		"a quarantine cut short":        func() { m.Set(key, "Q0123456789abcdef") },
		"an entry of another key": func() {
			fill(t, other, 8, entry(user{Name: "Eve"}))
			raw, _ := m.Get("shop:v:users:8")
			m.Set(key, raw)
		},
		"a damaged entry": func() {
			fill(t, other, 7, entry(user{Name: "Ada"}))
			raw, _ := m.Get(key)
			b := []byte(raw)
			b[len(b)-10] ^= 1
			m.Set(key, string(b))
		},
		"an entry cut short": func() {
			fill(t, other, 7, entry(user{Name: "Ada"}))
			raw, _ := m.Get(key)
			m.Set(key, raw[:len(raw)-3])
		},
		"an entry of an older struct": func() {
			type user struct{ FullName string }
			fill(t, redisstore.New[int64, user](space, "users", nil), 7, entry(user{FullName: "Ada Lovelace"}))
		},
		"an entry of another codec": func() {
			fill(t, redisstore.New[int64, string](space, "users", nil), 7, entry("Ada"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m.FlushAll()
			plant()
			var n cache.Counter
			s := redisstore.New(space, "users", &redisstore.StoreOptions[int64, user]{Observer: &n})
			wantMiss(t, s, 7)
			if n.Misses() != 1 {
				t.Errorf("%d misses were counted, not 1", n.Misses())
			}
			got, err := s.GetMany(ctx, []int64{7, 9})
			if len(got) != 0 || err != nil {
				t.Fatalf("GetMany is %v, %v", got, err)
			}
			fill(t, s, 7, entry(user{Name: "Bob"}, "tag"))
			want(t, s, 7, user{Name: "Bob"})
			// The same again for a process that has not read the key before.
			m.FlushAll()
			plant()
			s = redisstore.New[int64, user](space, "users", nil)
			f, err := s.Reserve(ctx, cache.Slot[int64]{Key: 7})
			if err != nil {
				t.Fatal(err)
			}
			if e := f.Found(0); e != nil {
				t.Fatalf("Reserve has found %+v", e)
			}
			if out, err := f.Commit(ctx, entry(user{Name: "Cyd"})); err != nil || out[0] != cache.Stored {
				t.Fatalf("Commit is %v, %v", out, err)
			}
			want(t, s, 7, user{Name: "Cyd"})
		})
	}
}

func TestControlKeysOfAnotherTypeCostAMiss(t *testing.T) {
	m, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New[int64, string](space, "users", nil)
	for _, key := range []string{"shop:t:{shop:0}:org:acme", "shop:s:{shop:0}", "shop:b:{shop:0}"} {
		for what, plant := range map[string]func(){
			"list": func() { m.Lpush(key, "x") },
			"text": func() { m.Set(key, "x") },
			"zero": func() { m.Set(key, "") },
		} {
			t.Run(key+" "+what, func(t *testing.T) {
				m.FlushAll()
				fill(t, s, 1, entry("a", "org:acme"))
				m.Del(key)
				plant()
				if key != "shop:b:{shop:0}" {
					wantMiss(t, s, 1)
				}
				fill(t, s, 1, entry("b", "org:acme"))
				want(t, s, 1, "b")
				m.Del(key)
				plant()
				if err := space.InvalidateTags(t.Context(), "org:acme"); err != nil {
					t.Fatal(err)
				}
				wantMiss(t, s, 1)
			})
		}
	}
}

func TestALostTagVersionIsAMissAndNotAHit(t *testing.T) {
	m, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New[int64, string](space, "users", nil)
	for _, lost := range []string{"shop:t:{shop:0}:org:acme", "shop:s:{shop:0}"} {
		fill(t, s, 1, entry("a", "org:acme"))
		want(t, s, 1, "a")
		m.Del(lost)
		wantMiss(t, s, 1)
	}
	fill(t, s, 1, entry("a", "org:acme"))
	m.Del("shop:b:{shop:0}") // only fills with late tags need it
	want(t, s, 1, "a")
}

func TestKeysThatCannotBeCachedAreMissesAndLoseNothing(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	var n cache.Counter
	s := redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Observer: &n, Key: func(k string) string {
		return strings.TrimPrefix(k, "none:")
	}})
	ctx := t.Context()
	for _, k := range []string{"", "none:"} {
		wantMiss(t, s, k)
		f, err := s.Reserve(ctx, cache.Slot[string]{Key: k}, cache.Slot[string]{Key: "good"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := f.Commit(ctx, entry("x"), entry("y"))
		if err != nil || out[0] != cache.Refused || out[1] != cache.Stored {
			t.Fatalf("Commit is %v, %v", out, err)
		}
		wantMiss(t, s, k)
		if err := s.Invalidate(ctx, k, "good"); err != nil {
			t.Fatal(err)
		}
		wantMiss(t, s, "good")
		got, err := s.GetMany(ctx, []string{k})
		if got == nil || len(got) != 0 || err != nil {
			t.Fatalf("GetMany is %v, %v", got, err)
		}
		if stored, err := cache.Put(ctx, s, k, entry("x")); stored || err != nil {
			t.Fatalf("Put is %v, %v", stored, err)
		}
	}
	if n.Count(cache.MissKey) != 6 {
		t.Errorf("%d misses by key were counted, not 6", n.Count(cache.MissKey))
	}
}

func TestAValueTooLargeIsNotStored(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	var n cache.Counter
	s := redisstore.New(space, "users", &redisstore.StoreOptions[int, string]{MaxValue: 10, Observer: &n})
	f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: 1}, cache.Slot[int]{Key: 2})
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Commit(t.Context(), entry("eleven bytes"), entry("ten bytes!"))
	if !errors.Is(err, cache.ErrNotStorable) || out[0] != cache.Vouched || out[1] != cache.Stored {
		t.Fatalf("Commit is %v, %v", out, err)
	}
	wantMiss(t, s, 1)
	want(t, s, 2, "ten bytes!")
	if n.Count(cache.EncodeFailed) != 1 {
		t.Error("the failure was not counted")
	}
}

func TestExpiryIsThatOfTheEntryAndNotOfRedis(t *testing.T) {
	m, rdb := mini(t)
	space := open(t, rdb, "shop")
	var n cache.Counter
	s := redisstore.New(space, "users", &redisstore.StoreOptions[int, string]{Observer: &n})
	now := cache.Now()
	for life := 20 * time.Millisecond; ; life *= 2 { // a machine that is busy needs longer to store it
		now = cache.Now()
		f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: 1})
		if err != nil {
			t.Fatal(err)
		}
		out, err := f.Commit(t.Context(), &cache.Entry[string]{Value: "a", Fresh: now, Expires: now.Add(life)})
		if err != nil {
			t.Fatal(err)
		}
		if out[0] == cache.Stored {
			break
		}
		if life > 10*time.Second {
			t.Fatalf("Commit is %v", out)
		}
	}
	// The server's clock stands still, so the key stays; the entry does not.
	for deadline := time.Now().Add(30 * time.Second); ; {
		if e, _ := s.Get(t.Context(), 1); e == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the entry is still there")
		}
	}
	if !m.Exists("shop:v:users:1") || n.Count(cache.MissExpired) != 1 {
		t.Errorf("the key is gone, or the miss is not counted as expired: %d", n.Count(cache.MissExpired))
	}
	f, _ := s.Reserve(t.Context(), cache.Slot[int]{Key: 2})
	out, err := f.Commit(t.Context(), &cache.Entry[string]{Value: "a", Fresh: now, Expires: now})
	if err != nil || out[0] != cache.Refused || m.Exists("shop:v:users:2") && mustGet(m.Get("shop:v:users:2"))[0] != 'M' {
		t.Errorf("an expired entry: %v, %v", out, err)
	}
	fill(t, s, 3, &cache.Entry[string]{Value: "a", Fresh: cache.Forever, Expires: cache.Forever})
	want(t, s, 3, "a")
	if ttl := m.TTL("shop:v:users:3"); ttl != 30*24*time.Hour {
		t.Errorf("an entry without end is kept for %v", ttl)
	}
}

func mustGet(s string, err error) string { return s }
