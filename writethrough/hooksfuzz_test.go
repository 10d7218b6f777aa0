package writethrough_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/writethrough"
)

// mischief makes functions of the user's end as the bytes of a fuzzer say. While there are
// bytes, each call of a function takes one: most of them do nothing.
type mischief struct {
	mu     sync.Mutex // what has expired leaves on a goroutine of its own
	script []byte
}

func (m *mischief) set(script []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.script = script
}

// next returns the next byte, 0 if there is none.
func (m *mischief) next() (b byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.script) > 0 {
		b, m.script = m.script[0], m.script[1:]
	}
	return b
}

// here is called by every function.
func (m *mischief) here(string) {
	switch m.next() {
	case 1:
		panic("boom")
	case 2:
		runtime.Goexit()
	case 3:
		panic(rudeError{[]int{1}}) // which Go cannot compare, and of which a method panics
	case 4:
		panic(cache.ErrNotStarted) // which would say that nothing was written
	case 5:
		panic(context.DeadlineExceeded) // which would say that it is in doubt
	case 6:
		panic(&cache.PostCommitError{Err: errNo})
	}
}

func (m *mischief) Observe(e cache.Event) { m.here("Observer") }

// thing is a value with a version and any key.
type thing struct {
	key     any
	version int
}

// scene is a database of versions, and everything in front of it, of which no function is
// to be trusted.
type scene struct {
	mischief
	versions map[any]int
	store    *memstore.Store[any, thing]
	loader   *aside.Loader[any, thing]
	batch    *aside.Batch[any, thing]
	writer   *writethrough.Writer[any, thing]
	remove   func(context.Context, any) error
}

func newScene() *scene {
	s := &scene{versions: map[any]int{}}
	tags := func(k any, v thing) []string { s.here("Tags"); return []string{"all"} }
	s.store = memstore.New(nil, 4, &memstore.Options[any, thing]{Observer: s, // so that each fill evicts something
		Weight:  func(any, thing) int { s.here("Weight"); return 1 },
		OnEvict: func(any, *cache.Entry[thing], memstore.Reason) { s.here("OnEvict") }})
	policy := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, Backoff: time.Second}
	o := &aside.Options[any, thing]{Observer: s, Tags: tags, LoadTimeout: time.Minute, Limits: aside.Limits{Loads: 1, Refreshes: 1},
		KeyTags: func(any) []string { s.here("KeyTags"); return nil },
		TTL:     func(any, thing) time.Duration { s.here("TTL"); return time.Minute }}
	s.loader = aside.New(s.store, func(_ context.Context, k any) (thing, error) { s.here("load"); return thing{k, s.versions[k]}, nil }, policy, o)
	s.batch = aside.NewBatch(s.store, func(_ context.Context, keys []any) (map[any]thing, error) {
		s.here("load")
		out := map[any]thing{}
		for _, k := range keys {
			out[k] = thing{k, s.versions[k]}
		}
		return out, nil
	}, policy, o)
	write := func(_ context.Context, v thing) (thing, error) {
		s.here("write, before")
		s.versions[v.key]++
		v.version = s.versions[v.key]
		s.here("write, after")
		return v, nil
	}
	s.writer = writethrough.New(s.store, func(v thing) any { s.here("key"); return v.key }, write, policy, &writethrough.Options[any, thing]{
		Tags: tags, Invalidates: func(any, thing) []string { s.here("Invalidates"); return []string{"list"} }, Domain: s.store.Domain(),
		InDoubt: func(error) bool { s.here("InDoubt"); return false }, DecidedWithin: time.Second, Observer: s})
	s.remove = writethrough.Delete(s.store, func(_ context.Context, k any) error { s.versions[k]++; s.here("delete"); return nil },
		&writethrough.DeleteOptions[any]{Invalidates: func(any) []string { s.here("Invalidates"); return nil }, Domain: s.store.Domain(),
			DecidedWithin: time.Second, Observer: s})
	return s
}

// call makes one call, and checks what it says of the database.
func (s *scene) call(t *testing.T, ctx context.Context, what byte, k any) {
	before := s.versions["a"] + s.versions["b"] + s.versions["c"]
	var err error
	returned, writes := false, false
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		switch what % 8 {
		case 0:
			_, err = s.loader.Get(ctx, k)
		case 1:
			_, err = s.batch.GetMany(ctx, []any{k, "b", "c"})
		case 2:
			err = s.loader.Invalidate(ctx, k)
		case 3, 4:
			writes = true
			_, err = s.writer.Write(ctx, thing{key: k})
		case 5:
			writes = true
			err = s.remove(ctx, k)
		case 6:
			writes = true
			err = s.store.Domain().Run(ctx, invalidation.Mutation{Targets: []invalidation.Target{invalidation.Keys(s.store, k)}, Observer: s,
				DecidedWithin: time.Second}, func(context.Context) error { s.versions[k]++; s.here("change"); return nil })
		case 7:
			_, err = s.loader.Lookup(ctx, k, aside.Wish{MaxAge: time.Second})
		}
		returned = true
	}()
	value := <-done
	if value != nil && !writes {
		t.Errorf("call %d: a panic went through to the caller: %v", what%8, value)
	}
	if wrote := s.versions["a"]+s.versions["b"]+s.versions["c"] > before; returned && writes {
		var post *cache.PostCommitError
		switch notStarted := isOne(err, cache.ErrNotStarted) && !errors.As(err, &post); {
		case err == nil && !wrote, post != nil && !wrote:
			t.Errorf("call %d: nothing was written, and the error is %v", what%8, err)
		case notStarted && wrote:
			t.Errorf("call %d: it was written, and the error is %v", what%8, err)
		}
	}
}

// isOne is errors.Is for errors of which methods panic.
func isOne(err, target error) (is bool) {
	defer func() {
		if recover() != nil {
			is = false
		}
	}()
	return errors.Is(err, target)
}

// Whatever functions of the user's do, in whatever order: nobody waits for good, nothing is
// held, no value is older than what was written, and a write says what it was.
func FuzzHooks(f *testing.F) {
	for end := range byte(7) {
		for at := range 12 {
			script := make([]byte, at+1)
			script[at] = end
			f.Add([]byte{0, 3, 5, 0, 6, 1, 2, 7}, script, byte(at))
		}
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, calls, script []byte, keys byte) {
		calls = calls[:min(len(calls), 12)]
		synctest.Test(t, func(t *testing.T) {
			s := newScene()
			ctx := t.Context()
			all := []any{"a", "b", "c", math.NaN(), []int{1}, [1]any{[]int{1}}}
			for i, c := range calls {
				s.set(script)
				s.call(t, ctx, c, all[(int(keys)+i*int(c>>3))%len(all)])
				synctest.Wait()
			}
			s.set(nil)
			time.Sleep(time.Hour) // writes in doubt are decided
			for _, k := range []any{"a", "b", "c"} {
				began := time.Now()
				if v, err := s.loader.Get(ctx, k); err != nil || v.version != s.versions[k] {
					t.Errorf("Get(%v) is %v, %v, want version %d", k, v, err, s.versions[k])
				}
				want := s.versions[k] + 1
				if v, err := s.writer.Write(ctx, thing{key: k}); err != nil || v.version != want {
					t.Errorf("Write(%v) is %v, %v", k, v, err)
				}
				got, err := s.batch.GetMany(ctx, []any{k})
				if err != nil || got[k].version != want || time.Since(began) > 500*time.Millisecond {
					t.Errorf("GetMany(%v) is %v, %v after %v", k, got, err, time.Since(began))
				}
				fill, err := s.store.Reserve(ctx, cache.Slot[any]{Key: fmt.Sprint(k, "new")})
				if err != nil {
					t.Fatal(err)
				}
				if out, err := fill.Commit(ctx, &cache.Entry[thing]{Fresh: cache.Forever, Expires: cache.Forever}); err != nil || out[0] != cache.Stored {
					t.Errorf("a fill is %v, %v", out, err)
				}
			}
			for _, close := range []func(context.Context) error{s.loader.Close, s.batch.Close} {
				if err := close(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	})
}
