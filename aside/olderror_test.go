package aside_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/writethrough"
)

// row is a row of the origin that is not there until it is written. Each load takes
// ten seconds, and says what was there when it began.
type row struct {
	there atomic.Bool
	loads atomic.Int64
	fail  func(ctx context.Context) error // if it is not there
}

func (r *row) load(ctx context.Context, _ int) (int, error) {
	r.loads.Add(1)
	there := r.there.Load()
	time.Sleep(10 * time.Second)
	if !there {
		return 0, r.fail(ctx)
	}
	return 7, nil
}

func (r *row) many(ctx context.Context, keys []int) (map[int]int, error) {
	v, err := r.load(ctx, 0)
	if err != nil {
		return nil, err
	}
	rows := map[int]int{}
	for _, k := range keys {
		rows[k] = v
	}
	return rows, nil
}

// failures of a load, by name.
var failures = map[string]func(context.Context) error{
	"no rows":      func(context.Context) error { return errRow },
	"origin fails": func(context.Context) error { return errOrigin },
	"panic":        func(context.Context) error { panic("no rows") },
	"timeout":      func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	"too late":     func(context.Context) error { time.Sleep(time.Minute); return errRow },
}

// changes are the ways in which what a row depends on is invalidated.
var changes = map[string]func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error{
	"Invalidate":          func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error { return l.Invalidate(ctx, 1) },
	"Invalidate of store": func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error { return p.Store.Invalidate(ctx, 1) },
	"tag of the value": func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error {
		return p.Domain().InvalidateTags(ctx, "value")
	},
	"tag of the key": func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error {
		return p.Domain().InvalidateTags(ctx, "key")
	},
	"everything": func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error { p.Store.Clear(); return nil },
	"Mutate of a tag": func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error {
		return p.Domain().Mutate(ctx, []invalidation.Target{invalidation.Tag("value")}, func(context.Context) error { return nil })
	},
	"Mutate of the key": func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error {
		return p.Domain().Mutate(ctx, []invalidation.Target{l.Key(1)}, func(context.Context) error { return nil })
	},
	"Write": func(ctx context.Context, p *probe, l *aside.Batch[int, int]) error {
		w := writethrough.New(p, func(int) int { return 1 }, func(_ context.Context, v int) (int, error) { return v, nil }, invalidation.Policy{}, nil)
		_, err := w.Write(ctx, 7)
		return err
	},
}

// ways are to read through one Batch.
var ways = map[string]func(context.Context, *aside.Batch[int, int]) (int, error){
	"Get": func(ctx context.Context, b *aside.Batch[int, int]) (int, error) { return b.Get(ctx, 1) },
	"GetMany": func(ctx context.Context, b *aside.Batch[int, int]) (int, error) {
		rows, err := b.GetMany(ctx, []int{1})
		return rows[1], err
	},
	"Lookup": func(ctx context.Context, b *aside.Batch[int, int]) (int, error) {
		a, err := b.Lookup(ctx, 1, aside.Wish{MaxAge: time.Hour})
		return a.Value, err
	},
}

func oldErrorOptions(sw *cache.Switch) *aside.Options[int, int] {
	return &aside.Options[int, int]{
		LoadTimeout: 11 * time.Second, Switch: sw,
		KeyTags: func(int) []string { return []string{"key"} },
		Tags:    func(int, int) []string { return []string{"value"} },
	}
}

// Whoever asks after something was invalidated has no error of a load that began
// before it.
func TestOldErrors_NobodyHasTheErrorOfALoadThatBeganBeforeAnInvalidation(t *testing.T) {
	for failure, fail := range failures {
		for change, invalidate := range changes {
			for _, mode := range []string{"on", "shadow", "bypass", "store down", "store cannot tell", "linearizable"} {
				for way, get := range ways {
					if mode == "linearizable" && way == "Lookup" {
						continue // it is not asked differently
					}
					t.Run(fmt.Sprint(failure, "/", change, "/", mode, "/", way), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							p, o, sw := newProbe(nil), &row{fail: fail}, &cache.Switch{}
							opts := oldErrorOptions(sw)
							switch mode {
							case "shadow", "bypass":
								switchTo(t, sw, mode)
							case "store down":
								p.hook = failing(errDown, "Get", "GetMany", "Reserve")
							case "store cannot tell":
								p.hook = failing(errDown, "Validate")
							case "linearizable":
								opts.Linearizable = true
							}
							b := aside.NewBatch(p, o.many, invalidation.Policy{Fresh: time.Minute, Negative: time.Minute, Stale: time.Minute}, opts)
							before := begin(func() (int, error) { return get(t.Context(), b) })
							time.Sleep(5 * time.Second)
							o.there.Store(true)
							if err := invalidate(t.Context(), p, b); err != nil {
								t.Fatal(err)
							}
							var after []*answer[int]
							for range 20 {
								after = append(after, begin(func() (int, error) { return get(t.Context(), b) }))
							}
							time.Sleep(7 * time.Second) // the first load has had its time
							after = append(after, begin(func() (int, error) { return get(t.Context(), b) }))
							time.Sleep(2 * time.Minute)
							synctest.Wait()
							if !before.done() || before.err == nil {
								t.Errorf("who asked before has %v", before)
							}
							for _, a := range after {
								if !a.done() || a.got != 7 || a.err != nil {
									t.Errorf("who asked after it has %v", a)
								}
							}
							if n := o.loads.Load(); n > 3 {
								t.Errorf("%d loads for all of them", n)
							}
							b.Close(t.Context())
						})
					})
				}
			}
		}
	}
}

// A back-off ends with an invalidation, wherever that comes from.
func TestOldErrors_ABackOffEndsWithAnInvalidation(t *testing.T) {
	for change, invalidate := range changes {
		for _, had := range []bool{false, true} {
			for way, get := range ways {
				t.Run(fmt.Sprint(change, "/had a value: ", had, "/", way), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p, o := newProbe(nil), &row{fail: failures["origin fails"]}
						b := aside.NewBatch(p, o.many, invalidation.Policy{Fresh: time.Minute, IfError: time.Hour, Backoff: time.Hour}, oldErrorOptions(nil))
						if had {
							o.there.Store(true)
							get(t.Context(), b)
							synctest.Wait()
							o.there.Store(false)
							time.Sleep(2 * time.Minute)
						}
						loads := o.loads.Load() + 1
						for range 3 {
							v, err := get(t.Context(), b)
							if synctest.Wait(); had && (v != 7 || err != nil) || !had && err == nil || o.loads.Load() != loads {
								t.Fatalf("while the origin fails: %d, %v after %d loads", v, err, o.loads.Load())
							}
						}
						o.there.Store(true)
						if err := invalidate(t.Context(), p, b); err != nil {
							t.Fatal(err)
						}
						if v, err := get(t.Context(), b); v != 7 || err != nil {
							t.Errorf("after it: %d, %v", v, err)
						}
						b.Close(t.Context())
					})
				})
			}
		}
	}
}

// A store that cannot tell whether something was invalidated ends a back-off, unless it
// has a value that can be served.
func TestOldErrors_WithoutAStoreThatCanTellTheOriginIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(failing(errDown, "Validate")), &switchboard{do: fails}
		l := aside.New(p, o.load, invalidation.Policy{Fresh: time.Minute, IfError: time.Hour, Backoff: time.Hour}, nil)
		for n := range 3 {
			want(t, "without a value", func() (int, error) { return l.Get(t.Context(), 1) }, 0, errOrigin)
			if synctest.Wait(); o.count() != n+1 {
				t.Errorf("%d loads", o.count())
			}
		}
		o.set(nil)
		want(t, "when the origin is back", func() (int, error) { return l.Get(t.Context(), 1) }, 4, nil)
		synctest.Wait()
		time.Sleep(2 * time.Minute)
		o.set(fails)
		for range 3 {
			want(t, "with a value", func() (int, error) { return l.Get(t.Context(), 1) }, 4, nil)
			if synctest.Wait(); o.count() != 5 {
				t.Errorf("%d loads", o.count())
			}
		}
	})
}

// Those who wait for a load that fails share what comes after it, and do not ask one
// after the other; nor does anybody who comes while they wait.
func TestOldErrors_AllWhoAreCarriedShareOneLoad(t *testing.T) {
	for _, hook := range []func(string) error{nil, failing(errDown, "Validate")} {
		synctest.Test(t, func(t *testing.T) {
			o := &row{fail: failures["origin fails"]}
			l := aside.New(newProbe(hook), o.load, minute, nil)
			get := func() (int, error) { return l.Get(t.Context(), 1) }
			all := []*answer[int]{begin(get)}
			for range 99 {
				time.Sleep(100 * time.Millisecond)
				all = append(all, begin(get))
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			for i, a := range all {
				if !a.done() || !errors.Is(a.err, errOrigin) || a.took > 20*time.Second {
					t.Errorf("caller %d has %v", i, a)
				}
			}
			if n := o.loads.Load(); n != 1 && (hook == nil || n != 2) {
				t.Errorf("%d loads", n)
			}
		})
	}
}

// What is shown of the failure of one row says nothing of the others.
func TestOldErrors_OneRowOfABatchIsInvalidated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &row{fail: failures["origin fails"]}
		b := aside.NewBatch(p, o.many, backsOff, &aside.Options[int, int]{KeyTags: func(k int) []string { return []string{fmt.Sprint("of ", k)} }})
		b.GetMany(t.Context(), []int{1, 2, 3, 4})
		o.there.Store(true)
		p.Store.Invalidate(t.Context(), 1)
		p.Domain().InvalidateTags(t.Context(), "of 2")
		rows, err := b.GetMany(t.Context(), []int{1, 2, 3, 4})
		if len(rows) != 2 || rows[1] != 7 || rows[2] != 7 || !errors.Is(err, errOrigin) || o.loads.Load() != 2 {
			t.Errorf("the rows are %v, %v after %d loads", rows, err, o.loads.Load())
		}
		synctest.Wait()
	})
}

// What the store says holds when it is asked: who comes later cannot have it.
func TestOldErrors_NobodyJoinsWhileTheStoreIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := make(chan struct{})
		p := newProbe(func(verb string) error {
			if verb == "Validated" {
				<-said
			}
			return nil
		})
		o := &switchboard{do: fails}
		l := aside.New(p, o.load, backsOff, nil)
		get := func() (int, error) { return l.Get(t.Context(), 1) }
		want(t, "the first", get, 0, errOrigin)
		before := begin(get)
		o.set(nil)
		p.Store.Invalidate(t.Context(), 1)
		after := begin(get)
		close(said)
		synctest.Wait()
		if !before.done() || !same(before.err, errOrigin) {
			t.Errorf("who asked before has %v", before)
		}
		if !after.done() || after.got != 2 || after.err != nil {
			t.Errorf("who asked after the invalidation has %v", after)
		}
	})
}

// Who invalidates here need not ask the store.
func TestOldErrors_InvalidateEndsABackOffByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &switchboard{do: fails}
		l := aside.New(p, o.load, backsOff, nil)
		want(t, "the first", func() (int, error) { return l.Get(t.Context(), 1) }, 0, errOrigin)
		o.set(nil)
		l.Invalidate(t.Context(), 1)
		want(t, "the next", func() (int, error) { return l.Get(t.Context(), 1) }, 2, nil)
		synctest.Wait()
		if n := p.count("Validate"); n != 0 {
			t.Errorf("the store was asked %d times", n)
		}
	})
}
