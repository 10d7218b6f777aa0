package memstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// watcher is an Observer that is a function.
type watcher func(cache.Event)

func (w watcher) Observe(e cache.Event) { w(e) }

// ends are how a function of the user's may end.
var ends = map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit}

// apart runs f on a goroutine that f may end, and returns when it has ended.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// in returns an entry that lives for an hour.
func in[V any](v V) *cache.Entry[V] {
	at := cache.Now().Add(time.Hour)
	return &cache.Entry[V]{Value: v, Fresh: at, Expires: at}
}

// put stores a value under each key.
func put[K comparable](t *testing.T, s *Store[K, int], keys ...K) {
	t.Helper()
	for _, k := range keys {
		f, err := s.Reserve(t.Context(), cache.Slot[K]{Key: k})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Commit(t.Context(), in(1)); err != nil || got[0] != cache.Stored {
			t.Fatalf("%v, %v", got, err)
		}
	}
}

// held returns how many keys writers hold.
func held[K comparable, V any](s *Store[K, V]) (n int) {
	for i := range s.shards {
		s.shards[i].mu.Lock()
		n += len(s.shards[i].held)
		s.shards[i].mu.Unlock()
	}
	return n
}

func TestHooks_OnEvictHoldsNoKeyHoweverItEnds(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			on := false
			var told []cache.Event
			s := New(invalidation.NewDomain(), 10, &Options[string, int]{
				OnEvict: func(string, *cache.Entry[int], Reason) {
					if on {
						end()
					}
				},
				Observer: watcher(func(e cache.Event) {
					if e.Kind == cache.HookPanic {
						told = append(told, e)
					}
				}),
			})
			put(t, s, "a", "b", "c")
			on = true
			var fill cache.Fill[int]
			apart(func() {
				fill, _ = s.Quarantine(t.Context(), cache.Slot[string]{Key: "a"}, cache.Slot[string]{Key: "b"})
			})
			if fill != nil {
				fill.Cancel(t.Context())
			}
			if n := held(s); n != 0 {
				t.Fatalf("%d keys are held after a Quarantine", n)
			}
			on = false
			put(t, s, "a", "b")
			on = true
			apart(func() { s.Invalidate(t.Context(), "a", "b", "c") })
			on = false
			for _, k := range []string{"a", "b", "c"} {
				if e, err := s.Get(t.Context(), k); e != nil || err != nil {
					t.Errorf("%s is still there after its Invalidate: %v", k, err)
				}
			}
			if name == "panic" && len(told) == 0 {
				t.Error("nobody was told of a panic")
			}
			for _, e := range told {
				if !strings.Contains(e.Err.Error(), "Options.OnEvict panicked: boom") {
					t.Errorf("the panic is called %v", e.Err)
				}
			}
			if n := s.Stats().Counts[cache.HookPanic]; n != int64(len(told)) {
				t.Errorf("%d panics are counted, %d told", n, len(told))
			}
		})
	}
}

func TestHooks_ACommitOfAWriterReleasesAllKeysHoweverOnEvictEnds(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := New(invalidation.NewDomain(), 1, &Options[string, int]{OnEvict: func(string, *cache.Entry[int], Reason) { end() }})
			apart(func() {
				f, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "a"}, cache.Slot[string]{Key: "b"}, cache.Slot[string]{Key: "c"})
				if err != nil {
					t.Error(err)
					return
				}
				f.Commit(t.Context(), in(1), in(2), in(3)) // of which the second has to make room
			})
			if n := held(s); n != 0 {
				t.Errorf("%d keys are held", n)
			}
		})
	}
}

func TestHooks_OnEvictKeepsNothingFromBeingRemovedByClearAndClose(t *testing.T) {
	for name, end := range ends {
		for _, verb := range []string{"Clear", "Close"} {
			t.Run(verb+"/"+name, func(t *testing.T) {
				s := New(nil, 100_000, &Options[int, int]{OnEvict: func(int, *cache.Entry[int], Reason) { end() }})
				if len(s.shards) < 2 {
					t.Fatal("there is one shard only")
				}
				open := make([]cache.Fill[int], 100)
				for k := range open {
					put(t, s, k)
					var err error
					if open[k], err = s.Reserve(t.Context(), cache.Slot[int]{Key: k}); err != nil {
						t.Fatal(err)
					}
				}
				apart(func() {
					if verb == "Close" {
						s.Close()
					} else {
						s.Clear()
					}
				})
				if n := s.Len(); n != 0 {
					t.Errorf("%d entries are left", n)
				}
				for k, f := range open {
					if out, err := f.Commit(t.Context(), in(1)); len(out) == 1 && out[0] == cache.Stored || err == nil && verb == "Close" {
						t.Fatalf("a fill of %d from before is %v, %v", k, out, err)
					}
				}
			})
		}
	}
}

func TestHooks_AWeightThatPanicsIsAnErrorOfTheCommit(t *testing.T) {
	for name, end := range ends {
		for _, write := range []bool{false, true} {
			t.Run(fmt.Sprint(name, write), func(t *testing.T) {
				s := New(invalidation.NewDomain(), 10, &Options[string, int]{Weight: func(string, int) int { end(); return 1 }})
				var err error
				apart(func() {
					open := s.Reserve
					if write {
						open = s.Quarantine
					}
					f, _ := open(t.Context(), cache.Slot[string]{Key: "a"})
					_, err = f.Commit(t.Context(), in(1))
				})
				var p *cache.PanicError
				if name == "panic" && (!errors.As(err, &p) || p.Function != "Options.Weight") {
					t.Errorf("%v", err)
				}
				if n := held(s); n != 0 {
					t.Errorf("%d keys are held", n)
				}
				if n := s.Len(); n != 0 {
					t.Errorf("%d entries", n)
				}
			})
		}
	}
}

func TestHooks_AnObserverThatPanicsChangesNoAnswer(t *testing.T) {
	s := New(invalidation.NewDomain(), 1, &Options[string, int]{Observer: watcher(func(cache.Event) { panic("boom") })})
	if e, err := s.Get(t.Context(), "a"); e != nil || err != nil {
		t.Fatal(e, err)
	}
	put(t, s, "a", "b")
	if e, err := s.Get(t.Context(), "b"); e == nil || err != nil {
		t.Fatal(e, err)
	}
	f, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Commit(t.Context(), in(2)); err != nil || got[0] != cache.Stored {
		t.Fatal(got, err)
	}
	if err := s.Invalidate(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats().Counts[cache.HookPanic]; n < 5 {
		t.Errorf("%d panics are counted", n)
	}
}

func TestKeys_WhatNoMapCanHoldIsRefusedAndLeavesNothing(t *testing.T) {
	for name, key := range map[string]any{"a slice": []int{1}, "NaN": math.NaN(), "NaN in an array": [1]any{math.NaN()}} {
		t.Run(name, func(t *testing.T) {
			s := New[any, int](nil, 10, nil)
			put(t, s, any("good"))
			slot := cache.Slot[any]{Key: key}
			_, reserve := s.Reserve(t.Context(), slot)
			_, quarantine := s.Quarantine(t.Context(), slot, cache.Slot[any]{Key: "good"})
			_, get := s.Get(t.Context(), key)
			_, written := cache.Put(t.Context(), s, key, in(1))
			many, getMany := s.GetMany(t.Context(), []any{key, "good"})
			for what, err := range map[string]error{"Reserve": reserve, "Quarantine": quarantine, "Get": get, "GetMany": getMany, "Put": written} {
				if !errors.Is(err, cache.ErrInvalidKey) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if many["good"] == nil {
				t.Error("GetMany has lost the other key")
			}
			if err := s.Invalidate(t.Context(), key, "good"); !errors.Is(err, cache.ErrInvalidKey) {
				t.Errorf("Invalidate: %v", err)
			}
			if e, _ := s.Get(t.Context(), "good"); e != nil {
				t.Error("Invalidate has spared the other key")
			}
			if n, h := s.Len(), held(s); n != 0 || h != 0 {
				t.Errorf("%d entries and %d held keys are left", n, h)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := s.Invalidate(ctx, "good"); err != nil {
				t.Errorf("the store is of no use any more: %v", err)
			}
		})
	}
}
