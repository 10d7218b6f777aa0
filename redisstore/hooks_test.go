package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
)

// rogue is a codec, a compressor, an Observer and a writer of keys, of which the method at
// ends as end says.
type rogue struct {
	mu  sync.Mutex
	at  string
	end func()
	ran bool
	off bool
}

func (r *rogue) here(at string) {
	r.mu.Lock()
	now := r.at == at && !r.off
	r.ran = r.ran || now
	r.mu.Unlock()
	if now {
		r.end()
	}
}

func (r *rogue) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off = true
}

func (r *rogue) text(k string) string { r.here("Key"); return k }

func (r *rogue) ID() byte       { r.here("ID"); return 77 }
func (r *rogue) Schema() uint32 { r.here("Schema"); return 1 }
func (r *rogue) Append(dst []byte, v string) ([]byte, error) {
	r.here("Append")
	return append(dst, v...), nil
}
func (r *rogue) Decode(b []byte) (string, error) { r.here("Decode"); return string(b), nil }

func (r *rogue) Compress(dst, src []byte) ([]byte, byte) {
	r.here("Compress")
	return append(dst, src[:len(src)/2]...), 5
}
func (r *rogue) Reads(method byte) bool { r.here("Reads"); return method == 5 }
func (r *rogue) Decompress(dst, src []byte, _ byte, _ int) ([]byte, error) {
	r.here("Decompress")
	return append(append(dst, src...), src...), nil
}

func (r *rogue) Observe(cache.Event) { r.here("Observer") }

// apart runs f on a goroutine that f may end, and returns when it has ended.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// events has those of one kind.
type events struct {
	mu   sync.Mutex
	kind cache.Kind
	of   []cache.Event
}

func (e *events) Observe(one cache.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if one.Kind == e.kind {
		e.of = append(e.of, one)
	}
}

func (e *events) all() []cache.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.of
}

var rogueEnds = map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit}

// After a function of the user's has panicked, or ended its goroutine, nobody waits for a
// lock that it has left behind.
func TestHooks_LeaveNothingLocked(t *testing.T) {
	for _, at := range []string{"Key", "Append", "Decode", "Compress", "Reads", "Decompress"} {
		for name, end := range rogueEnds {
			t.Run(at+"/"+name, func(t *testing.T) {
				_, rdb := mini(t)
				ctx := t.Context()
				space, err := redisstore.Open(ctx, rdb, "shop", &redisstore.Options{Timeout: 10 * time.Second, LockWait: time.Minute})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { space.Close(context.Background()) })
				seen := &events{kind: cache.HookPanic}
				good, bad := &rogue{}, &rogue{at: at, end: end}
				mine := &redisstore.StoreOptions[string, string]{Key: bad.text, Codec: bad, Compressor: bad, Observer: seen}
				s := redisstore.New(space, "users", mine)
				other := redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Key: good.text, Codec: good, Compressor: good})
				fill(t, other, "there", entry("value!"))
				old := entry("stale!")
				old.Fresh = 0
				fill(t, other, "stale", old)

				for _, k := range []string{"there", "stale", "missing"} {
					apart(func() { s.Get(ctx, k) })
					apart(func() { s.GetMany(ctx, []string{k}) })
					apart(func() {
						f, err := s.Reserve(ctx, cache.Slot[string]{Key: k})
						if err == nil {
							f.Commit(ctx, entry("x-"))
						}
					})
					apart(func() { cache.Put(ctx, s, k, entry("y-")) })
				}
				if !bad.ran {
					t.Fatal("it was not called")
				}
				// Another process neither waits for a lock nor meets a writer.
				waits := &events{kind: cache.LockWaited}
				again := redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Key: good.text, Codec: good, Compressor: good, Observer: waits})
				limit, cancel := context.WithTimeout(ctx, 20*time.Second)
				defer cancel()
				for _, k := range []string{"there", "stale", "missing"} {
					for {
						f, err := again.Reserve(limit, cache.Slot[string]{Key: k})
						if err != nil {
							t.Fatalf("%s: %v", k, err)
						}
						out, err := f.Commit(limit, entry("z-"))
						if err != nil {
							t.Fatalf("%s: %v", k, err)
						}
						if out[0] == cache.Stored || f.Found(0) != nil {
							break
						} // what a writer has left behind is released in the background
					}
				}
				if n := len(waits.all()); n != 0 {
					t.Errorf("%d fills have waited", n)
				}
				if name == "panic" && len(seen.all()) == 0 {
					t.Error("nobody was told")
				}
				for _, e := range seen.all() {
					var p *cache.PanicError
					if !errors.As(e.Err, &p) || !strings.HasPrefix(p.Function, "StoreOptions.") {
						t.Errorf("it is blamed on %v", e.Err)
					}
				}
			})
		}
	}
}

func TestHooks_APanicOfACodecIsNamedAndTheValueNotStorable(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Codec: &rogue{at: "Append", end: rogueEnds["panic"]}})
	f, err := s.Reserve(t.Context(), cache.Slot[string]{Key: "a"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Commit(t.Context(), entry("v"))
	var p *cache.PanicError
	if !errors.Is(err, cache.ErrNotStorable) || !errors.As(err, &p) || p.Function != "StoreOptions.Codec" || out[0] == cache.Stored {
		t.Errorf("%v, %v", out, err)
	}
	for _, at := range []string{"ID", "Schema"} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, "StoreOptions.Reads[0] panicked: boom") {
					t.Errorf("New panics with %q", text)
				}
			}()
			redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Reads: []cache.Codec[string]{&rogue{at: at, end: rogueEnds["panic"]}}})
		}()
	}
}

func TestHooks_AKeyWithoutATextIsAnErrorAndTheOthersAreInvalidated(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	s := redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Key: func(k string) string {
		if k == "bad" {
			panic("boom")
		}
		return k
	}})
	fill(t, s, "good", entry("v"))
	got, err := s.GetMany(t.Context(), []string{"bad", "good"})
	var p *cache.PanicError
	if !errors.As(err, &p) || p.Function != "StoreOptions.Key" || got["good"] == nil {
		t.Errorf("GetMany: %v, %v", got, err)
	}
	if err := s.Invalidate(t.Context(), "bad", "good"); !errors.As(err, &p) {
		t.Errorf("Invalidate: %v", err)
	}
	wantMiss(t, s, "good")
}

// An Observer of a space is told on goroutines that others depend on.
func TestHooks_AnObserverOfASpaceCanEndNothing(t *testing.T) {
	for name, end := range rogueEnds {
		t.Run(name, func(t *testing.T) {
			_, rdb := mini(t)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			watching := &rogue{at: "Observer", end: end}
			space, err := redisstore.Open(ctx, rdb, "shop", &redisstore.Options{Timeout: 10 * time.Second, Observer: watching})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { space.Close(context.Background()) })
			s := redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Observer: &cache.Counter{}})
			var wg sync.WaitGroup
			for i := range 50 { // some of which go together
				wg.Go(func() {
					k := string(rune('a' + i%5))
					if _, err := s.Get(ctx, k); err != nil {
						t.Errorf("Get: %v", err)
					}
					if err := s.Invalidate(ctx, k); err != nil {
						t.Errorf("Invalidate: %v", err)
					}
				})
			}
			wg.Wait()
			if err := space.Fence(ctx); err != nil {
				t.Errorf("Fence: %v", err)
			}
			if n := space.Stats().Counts[cache.HookPanic]; n == 0 || !watching.ran {
				t.Errorf("%d panics are counted", n)
			}
		})
	}
}

func TestKeys_WhatNoMapCanHoldIsRefusedByRedis(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	for name, key := range map[string]any{"a slice": []int{1}, "NaN": math.NaN()} {
		t.Run(name, func(t *testing.T) {
			s := redisstore.New(space, "any", &redisstore.StoreOptions[any, string]{Key: func(k any) string { return "text" }})
			slot := cache.Slot[any]{Key: key}
			_, reserve := s.Reserve(t.Context(), slot)
			_, quarantine := s.Quarantine(t.Context(), slot)
			_, get := s.Get(t.Context(), key)
			many, getMany := s.GetMany(t.Context(), []any{key, "good"})
			for what, err := range map[string]error{"Reserve": reserve, "Quarantine": quarantine, "Get": get, "GetMany": getMany,
				"Invalidate": s.Invalidate(t.Context(), key)} {
				if !errors.Is(err, cache.ErrInvalidKey) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if len(many) != 0 {
				t.Errorf("%v", many)
			}
		})
	}
}

// A fill that may not store what it has loaded, because a writer holds a tag, lets go of its lock.
func TestLock_IsNotKeptByAFillThatStoresNothing(t *testing.T) {
	_, rdb := mini(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	space, err := redisstore.Open(ctx, rdb, "shop", &redisstore.Options{Timeout: 10 * time.Second, LockWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	waits := &events{kind: cache.LockWaited}
	s := redisstore.New(space, "users", &redisstore.StoreOptions[string, string]{Observer: waits})
	release, err := space.QuarantineTags(ctx, "t")
	if err != nil {
		t.Fatal(err)
	}
	defer release(context.Background())
	for range 2 {
		f, err := s.Reserve(ctx, cache.Slot[string]{Key: "k", Tags: []string{"t"}})
		if err != nil {
			t.Fatalf("it waits for a lock that nobody has: %v", err)
		}
		if out, err := f.Commit(ctx, entry("v", "t")); err != nil || out[0] == cache.Stored {
			t.Fatalf("Commit is %v, %v", out, err)
		}
	}
	if n := len(waits.all()); n != 0 {
		t.Errorf("%d fills have waited", n)
	}
}

func TestHooks_ListenReturnsWhenItsFunctionDoesNot(t *testing.T) {
	for server, rdb := range servers(t) {
		for name, end := range rogueEnds {
			t.Run(server+"/"+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				ns := fmt.Sprint("listen", namespaces.Add(1))
				space := open(t, rdb, ns)
				i, err := redisstore.NewInspector(rdb, ns)
				if err != nil {
					t.Fatal(err)
				}
				got := make(chan error, 1)
				go func() { got <- i.Listen(ctx, func(redisstore.News) { end() }) }()
				for { // until it listens
					if err := space.InvalidateTags(ctx, "t"); err != nil {
						t.Fatal(err)
					}
					select {
					case err := <-got:
						var p *cache.PanicError
						if !errors.As(err, &p) || p.Function != "the function of Listen" {
							t.Errorf("Listen returns %v", err)
						}
						return
					default:
					}
				}
			})
		}
	}
}
