package aside_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// apart runs f on a goroutine that f may end, and returns when it has ended.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

var hookEnds = map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit}

// told is an Observer that is a function.
type told func(cache.Event)

func (f told) Observe(e cache.Event) { f(e) }

// A function of the options that panics, or ends its goroutine, is the error of callers at
// once, by its name, and the next call is none the worse for it.
func TestHooks_AreNamedAndLeaveNothingBehind(t *testing.T) {
	for _, at := range []string{"KeyTags", "Tags", "TTL"} {
		for name, end := range hookEnds {
			for _, linearizable := range []bool{false, true} {
				if linearizable && at == "TTL" {
					continue // is refused
				}
				t.Run(fmt.Sprint(at, "/", name, "/", linearizable), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var off atomic.Bool
						panics := 0
						here := func(hook string) {
							if hook == at && !off.Load() {
								end()
							}
						}
						o := &aside.Options[int, int]{Linearizable: linearizable,
							KeyTags: func(int) []string { here("KeyTags"); return nil },
							Tags:    func(int, int) []string { here("Tags"); return nil },
							Observer: told(func(e cache.Event) {
								if e.Kind == cache.HookPanic {
									panics++
								}
								if e.Kind == cache.LoadPanic {
									t.Errorf("the load function is blamed: %v", e.Err)
								}
							})}
						if at == "TTL" {
							o.TTL = func(int, int) time.Duration { here("TTL"); return time.Hour }
						}
						store := memstore.New[int, int](nil, 10, nil)
						l := aside.New(store, func(context.Context, int) (int, error) { return 7, nil }, invalidation.TTL(time.Hour), o)
						began := time.Now()
						_, err := l.Get(t.Context(), 1)
						var p *cache.PanicError
						if !errors.As(err, &p) || p.Function != "Options."+at || (p.Value == nil) != (name == "Goexit") {
							t.Fatalf("%v", err)
						}
						off.Store(true)
						if v, err := l.Get(t.Context(), 1); v != 7 || err != nil {
							t.Fatalf("the next call: %v, %v", v, err)
						}
						if took := time.Since(began); took > time.Second {
							t.Errorf("it took %v", took)
						}
						synctest.Wait()
						if panics != 1 {
							t.Errorf("%d panics were observed", panics)
						}
					})
				})
			}
		}
	}
}

func TestHooks_ATagFunctionThatPanicsForOneKeyOfABatchFailsThatKey(t *testing.T) {
	for _, at := range []string{"KeyTags", "Tags"} {
		here := func(hook string, k int) {
			if hook == at && k == 2 {
				panic("boom")
			}
		}
		b := aside.NewBatch(memstore.New[int, int](nil, 10, nil), func(_ context.Context, keys []int) (map[int]int, error) {
			out := map[int]int{}
			for _, k := range keys {
				out[k] = k
			}
			return out, nil
		}, invalidation.TTL(time.Hour), &aside.Options[int, int]{
			KeyTags: func(k int) []string { here("KeyTags", k); return nil },
			Tags:    func(k, _ int) []string { here("Tags", k); return nil },
		})
		got, err := b.GetMany(t.Context(), []int{1, 2, 3})
		var p *cache.PanicError
		if !errors.As(err, &p) || p.Function != "Options."+at || len(got) != 2 || got[1] != 1 || got[3] != 3 {
			t.Errorf("%s: %v, %v", at, got, err)
		}
	}
}

func TestHooks_AnObserverThatPanicsOrEndsGoroutinesChangesNoAnswer(t *testing.T) {
	for name, end := range hookEnds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := aside.New(memstore.New[int, int](nil, 10, nil), func(context.Context, int) (int, error) { return 7, nil },
					invalidation.Policy{Fresh: time.Minute, Stale: time.Minute}, &aside.Options[int, int]{Observer: told(func(cache.Event) { end() })})
				var v int
				var err error
				apart(func() { v, err = l.Get(t.Context(), 1) })
				if v != 7 || err != nil {
					t.Errorf("%v, %v", v, err)
				}
				began := time.Now()
				apart(func() { l.Invalidate(t.Context(), 1) })
				apart(func() { v, err = l.Get(t.Context(), 1) })
				if v != 7 || err != nil || time.Since(began) > time.Second {
					t.Errorf("%v, %v after %v", v, err, time.Since(began))
				}
				if err := l.Close(t.Context()); err != nil {
					t.Error(err)
				}
				if name == "panic" && l.Stats().Counts[cache.HookPanic] == 0 {
					t.Error("no panic is counted")
				}
			})
		})
	}
}

func TestHooks_EqualThatPanicsComparesNothing(t *testing.T) {
	sw := cache.NewSwitch(nil)
	var n cache.Counter
	l := aside.New(memstore.New[int, int](nil, 10, nil), func(context.Context, int) (int, error) { return 7, nil },
		invalidation.TTL(time.Hour), &aside.Options[int, int]{Switch: sw, Observer: &n, Equal: func(int, int) bool { panic("boom") }})
	l.Get(t.Context(), 1)
	sw.Set(cache.ModeShadow, 100)
	for range 2 {
		if v, err := l.Get(t.Context(), 1); v != 7 || err != nil {
			t.Fatal(v, err)
		}
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n.Count(cache.HookPanic) == 0 || n.Count(cache.ShadowAgreed)+n.Count(cache.ShadowDiffered) != 0 || n.Count(cache.LoadPanic) != 0 {
		t.Errorf("%d panics, %d agreed, %d differed", n.Count(cache.HookPanic), n.Count(cache.ShadowAgreed), n.Count(cache.ShadowDiffered))
	}
}

// odd is an error that Go cannot compare, which its type does not say.
type odd struct{ what any }

func (odd) Error() string { return "odd" }

// rude is an error of which the methods panic.
type rude struct{}

func (*rude) Error() string   { panic("Error") }
func (*rude) Is(error) bool   { panic("Is") }
func (*rude) Unwrap() []error { panic("Unwrap") }

func TestErrors_ThatGoCannotCompareComeBackUntouched(t *testing.T) {
	for name, err := range map[string]error{"uncomparable": odd{[]int{1}}, "rude": &rude{}} {
		for _, notFound := range []error{nil, odd{1}, cache.ErrNotFound} {
			t.Run(fmt.Sprintf("%s/%T", name, notFound), func(t *testing.T) {
				p := invalidation.Policy{Fresh: time.Minute, IfError: time.Minute, Backoff: time.Millisecond}
				l := aside.New(memstore.New[int, int](nil, 10, nil), func(context.Context, int) (int, error) { return 0, err }, p,
					&aside.Options[int, int]{NotFound: notFound, Observer: cache.Log(slog.New(slog.DiscardHandler), nil)})
				_, got := l.Get(t.Context(), 1)
				_, looked := l.Lookup(t.Context(), 1, aside.Wish{})
				b := aside.NewBatch(memstore.New[int, int](nil, 10, nil), func(context.Context, []int) (map[int]int, error) { return nil, err }, p,
					&aside.Options[int, int]{NotFound: notFound})
				_, many := b.GetMany(t.Context(), []int{1, 2, 3})
				for what, got := range map[string]error{"Get": got, "Lookup": looked, "GetMany": many} {
					var p *cache.PanicError
					if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", err) && !strings.Contains(fmt.Sprintf("%T", got), "join") || name == "uncomparable" && errors.As(got, &p) {
						t.Errorf("%s: %T", what, got)
					}
				}
			})
		}
	}
}

func TestErrors_NotFoundThatGoCannotCompareIsRefused(t *testing.T) {
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "Options.NotFound") || !strings.Contains(text, "compare") {
			t.Errorf("%s", text)
		}
	}()
	aside.New(memstore.New[int, int](nil, 10, nil), func(context.Context, int) (int, error) { return 0, nil }, invalidation.TTL(time.Minute),
		&aside.Options[int, int]{NotFound: odd{[]int{1}}})
}

func TestKeys_WhatNoMapCanHoldIsRefusedAtOnceAndLeavesNothing(t *testing.T) {
	for name, key := range map[string]any{"a slice": []int{1}, "NaN": math.NaN(), "NaN in a struct": struct{ F float64 }{math.NaN()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var n cache.Counter
				loads := 0
				l := aside.New(memstore.New[any, int](nil, 10, nil), func(context.Context, any) (int, error) { loads++; return 7, nil },
					invalidation.TTL(time.Hour), &aside.Options[any, int]{Observer: &n})
				b := aside.NewBatch(memstore.New[any, int](nil, 10, nil), func(_ context.Context, keys []any) (map[any]int, error) {
					return map[any]int{"good": 7}, nil
				}, invalidation.TTL(time.Hour), &aside.Options[any, int]{Observer: &n})
				for ctx, what := range map[context.Context]string{t.Context(): "", cache.Bypass(t.Context()): "bypassed "} {
					_, get := l.Get(ctx, key)
					_, lookup := l.Lookup(ctx, key, aside.Wish{})
					_, one := b.Get(ctx, key)
					many, getMany := b.GetMany(ctx, []any{key, "good", key})
					_, only := b.GetMany(ctx, []any{key})
					for call, err := range map[string]error{"Get": get, "Lookup": lookup, "Batch.Get": one, "GetMany": getMany, "GetMany of it": only,
						"Invalidate": l.Invalidate(ctx, key, "good"), "Batch.Invalidate": b.Invalidate(ctx, key)} {
						if !errors.Is(err, cache.ErrInvalidKey) {
							t.Errorf("%s%s: %v", what, call, err)
						}
					}
					if many["good"] != 7 {
						t.Errorf("%sGetMany has lost the other key: %v", what, many)
					}
				}
				if v, err := l.Get(t.Context(), "good"); v != 7 || err != nil || loads != 1 {
					t.Errorf("the Loader is of no use any more: %v, %v", v, err)
				}
				if err := l.Close(t.Context()); err != nil {
					t.Error(err)
				}
				if n.Count(cache.MissKey) == 0 {
					t.Error("it was not observed")
				}
			})
		})
	}
}
