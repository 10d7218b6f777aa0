package writethrough_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/writethrough"
)

var ends = map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit}

// apart runs f on a goroutine that f may end, and reports whether it has not.
func apart(t *testing.T, f func()) (returned bool) {
	t.Helper()
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		f()
		returned = true
	}()
	if v := <-done; v != nil {
		t.Errorf("a panic went through to the caller: %v", v)
	}
	return returned
}

// writer makes a Writer of p of which the function called at does end: the first time it
// is called, which is before the write, or the second time, which is after it.
func (p *probe) writer(at string, after bool, end func(), seen cache.Observer) *writethrough.Writer[int, row] {
	calls := 0
	here := func(name string) {
		if name == at {
			if calls++; calls == 2 || !after {
				end()
			}
		}
	}
	return writethrough.New(p, func(r row) int { here("the key function"); return r.id }, p.write, minute, &writethrough.Options[int, row]{
		Tags:        func(int, row) []string { here("Options.Tags"); return []string{"row"} },
		Invalidates: func(int, row) []string { here("Options.Invalidates"); return []string{"list"} },
		Domain:      p, Observer: seen,
	})
}

func TestHooks_BeforeTheWriteAreItsErrorAndNothingIsDone(t *testing.T) {
	for _, at := range []string{"the key function", "Options.Tags", "Options.Invalidates"} {
		for name, end := range ends {
			t.Run(at+"/"+name, func(t *testing.T) {
				var seen cache.Counter
				p := newProbe()
				p.put(t, row{1, 5}, "row")
				w := p.writer(at, false, end, &seen)
				var err error
				if apart(t, func() { _, err = w.Write(t.Context(), row{1, 7}) }) != (name == "panic") {
					t.Error("it has not ended as it should")
				}
				var panicked *cache.PanicError
				if name == "panic" && (!errors.Is(err, cache.ErrNotStarted) || !errors.As(err, &panicked) || panicked.Function != at) {
					t.Errorf("the error is %v", err)
				}
				p.expectLog(t)
				if p.has(1) != 5 {
					t.Errorf("the store has %d", p.has(1))
				}
				if seen.Count(cache.HookPanic) != 1 || w.Stats().Counts[cache.HookPanic] != 1 {
					t.Errorf("%d panics were observed, %d counted", seen.Count(cache.HookPanic), w.Stats().Counts[cache.HookPanic])
				}
			})
		}
	}
}

// What the origin has accepted is told as that, nothing old is left, and nothing held.
func TestHooks_AfterTheWriteLeaveItCommittedAndNothingHeld(t *testing.T) {
	for _, at := range []string{"the key function", "Options.Tags", "Options.Invalidates"} {
		for name, end := range ends {
			t.Run(at+"/"+name, func(t *testing.T) {
				var seen cache.Counter
				p := newProbe()
				p.put(t, row{1, 5}, "row")
				p.put(t, row{2, 5}, "list")
				w := p.writer(at, true, end, &seen)
				var got row
				var err error
				returned := apart(t, func() { got, err = w.Write(t.Context(), row{1, 7}) })
				if returned != (name == "panic") {
					t.Error("it has not ended as it should")
				}
				var panicked *cache.PanicError
				if returned && (!isPostCommit(err) || errors.Is(err, cache.ErrNotStarted) || errors.Is(err, cache.ErrInDoubt) ||
					!errors.As(err, &panicked) || panicked.Function != at || got.version != 8) {
					t.Errorf("Write is %v, %v", got, err)
				}
				p.expectLog(t, "quarantine", "write", "commit", "tags[list]")
				if v := p.has(1); v != 0 && (v != 8 || at != "Options.Invalidates") || p.has(2) != 0 {
					t.Errorf("the store has %d of the row, and %d of the list", p.has(1), p.has(2))
				}
				if seen.Count(cache.HookPanic) != 1 || seen.Count(cache.Unavailable) != 0 || w.Stats().Counts[cache.HookPanic] != 1 {
					t.Errorf("observed: %d panics, %d times that the store is away", seen.Count(cache.HookPanic), seen.Count(cache.Unavailable))
				}
				p.put(t, row{1, 9}) // the key is free
			})
		}
	}
}

// rogue is a probe of which a verb does not return.
type rogue struct {
	*probe
	at  string
	end func()
}

func (r *rogue) here(verb string) {
	if r.at == verb {
		r.end()
	}
}

func (r *rogue) Quarantine(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[row], error) {
	r.here("Quarantine")
	f, err := r.probe.Quarantine(ctx, slots...)
	return &rogueFill{f, r}, err
}

func (r *rogue) Invalidate(ctx context.Context, keys ...int) error {
	r.here("Invalidate")
	return r.probe.Invalidate(ctx, keys...)
}

func (r *rogue) InvalidateTags(ctx context.Context, tags ...string) error {
	r.here("InvalidateTags")
	return r.probe.InvalidateTags(ctx, tags...)
}

type rogueFill struct {
	cache.Fill[row]
	r *rogue
}

func (f *rogueFill) Commit(ctx context.Context, entries ...*cache.Entry[row]) ([]cache.Outcome, error) {
	f.r.here("Commit")
	return f.Fill.Commit(ctx, entries...)
}

func (f *rogueFill) Cancel(ctx context.Context) error {
	f.r.here("Cancel")
	return f.Fill.Cancel(ctx)
}

// A store of somebody else's that panics is one that could not be told, and everything
// else is told.
func TestHooks_AStoreThatPanicsIsOneThatCouldNotBeTold(t *testing.T) {
	for _, c := range []struct {
		at, log string
		open    bool  // FailOpen, and the key in quarantine cannot be had
		fails   error // of the origin
	}{
		{at: "Quarantine"},
		{at: "Quarantine", open: true, log: "write invalidate[1] tags[list]"},
		{at: "Commit", log: "quarantine write cancel tags[list]"},
		{at: "InvalidateTags", log: "quarantine write commit"},
		{at: "Invalidate", open: true, log: "quarantine write tags[list]"},
		{at: "Cancel", fails: errNo, log: "quarantine write tags[list]"},
		{at: "InvalidateTags", fails: errNo, log: "quarantine write cancel"},
	} {
		for name, end := range ends {
			t.Run(fmt.Sprint(c.at, "/", name, "/", c.open, c.fails), func(t *testing.T) {
				var seen cache.Counter
				r := &rogue{newProbe(), c.at, end}
				if c.at == "Invalidate" {
					r.fails = []string{"quarantine"}
				}
				write := func(ctx context.Context, in row) (row, error) {
					out, _ := r.write(ctx, in)
					return out, c.fails
				}
				w := writethrough.New(r, row.key, write, minute, &writethrough.Options[int, row]{Domain: r, FailOpen: c.open, Observer: &seen,
					Invalidates: func(int, row) []string { return []string{"list"} }})
				var got row
				var err error
				returned := apart(t, func() { got, err = w.Write(t.Context(), row{1, 7}) })
				if returned != (name == "panic") {
					t.Error("it has not ended as it should")
				}
				var panicked *cache.PanicError
				named := errors.As(err, &panicked) && strings.Contains(panicked.Function, c.at)
				switch {
				case !returned:
				case c.fails != nil:
					if err != c.fails {
						t.Errorf("the error is %v, not that of the origin", err)
					}
				case c.at == "Quarantine" && !c.open:
					if !errors.Is(err, cache.ErrNotStarted) || !named {
						t.Errorf("the error is %v", err)
					}
				case c.at == "Quarantine":
					if err != nil || got.version != 8 {
						t.Errorf("Write is %v, %v", got, err)
					}
				case !isPostCommit(err) || !named || got.version != 8:
					t.Errorf("Write is %v, %v", got, err)
				}
				if name == "panic" || c.at != "Quarantine" { // Goexit before the write ends it
					r.expectLog(t, strings.Fields(c.log)...)
				}
				if seen.Count(cache.HookPanic) != 1 {
					t.Errorf("%d panics were observed", seen.Count(cache.HookPanic))
				}
				if r.has(1) == 8 && c.at != "InvalidateTags" {
					t.Error("the value was installed")
				}
			})
		}
	}
}

// An Observer, which is told of everything, changes nothing.
func TestHooks_AnObserverThatPanicsOrEndsGoroutinesChangesNoWrite(t *testing.T) {
	for name, end := range ends {
		for _, fails := range [][]string{nil, {"commit"}, {"quarantine"}, {"tags"}} {
			for _, outcome := range []error{nil, errNo, context.DeadlineExceeded} {
				t.Run(fmt.Sprint(name, fails, outcome), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p, quiet := newProbe(fails...), newProbe(fails...)
						made := func(p *probe, o cache.Observer) *writethrough.Writer[int, row] {
							return writethrough.New(p, row.key, func(ctx context.Context, in row) (row, error) {
								out, _ := p.write(ctx, in)
								return out, outcome
							}, minute, &writethrough.Options[int, row]{Domain: p, FailOpen: true, Observer: o, DecidedWithin: time.Second,
								Invalidates: func(int, row) []string { return []string{"list"} }})
						}
						told := 0
						w := made(p, observed(func(cache.Event) { told++; end() }))
						_, want := made(quiet, nil).Write(t.Context(), row{1, 7})
						_, err := w.Write(t.Context(), row{1, 7})
						if fmt.Sprint(err) != fmt.Sprint(want) {
							t.Errorf("the error is %v, not %v", err, want)
						}
						if e, ok := errors.AsType[*cache.InDoubtError](err); ok {
							<-e.Settled
							<-want.(*cache.InDoubtError).Settled
						}
						p.expectLog(t, quiet.log...)
						if n := w.Stats().Counts[cache.HookPanic]; told == 0 || n != int64(told) {
							t.Errorf("%d times it was told, %d panics are counted", told, n)
						}
					})
				})
			}
		}
	}
}

// observed is an Observer that is a function.
type observed func(cache.Event)

func (f observed) Observe(e cache.Event) { f(e) }

// rudeError is an error of which a method panics.
type rudeError struct{ what []int }

func (rudeError) Error() string { return "rude" }
func (rudeError) Is(error) bool { panic("boom") }

// Nobody knows what an error says that cannot be asked, so the write is in doubt.
func TestHooks_AnErrorThatCannotBeJudgedLeavesTheWriteInDoubt(t *testing.T) {
	for want, inDoubt := range map[string]func(error) bool{
		"a method of the error of the write": nil,
		"Options.InDoubt":                    func(error) bool { panic("boom") },
		"Options.InDoubt ":                   func(error) bool { runtime.Goexit(); return false },
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen events
				p := newProbe()
				p.put(t, row{1, 5})
				failed := error(rudeError{[]int{1}}) // which Go cannot compare either
				if inDoubt != nil {
					failed = errNo
				}
				w := writethrough.New(p, row.key, func(context.Context, row) (row, error) { return row{}, failed }, minute,
					&writethrough.Options[int, row]{InDoubt: inDoubt, DecidedWithin: time.Minute, Observer: &seen})
				var err error
				if !apart(t, func() { _, err = w.Write(t.Context(), row{1, 7}) }) {
					t.Fatal("it does not return")
				}
				e, ok := err.(*cache.InDoubtError)
				if !ok {
					t.Fatalf("the error is %v", err)
				}
				at := slices.IndexFunc(seen, func(e cache.Event) bool { return e.Kind == cache.HookPanic })
				var panicked *cache.PanicError
				if at < 0 || !errors.As(seen[at].Err, &panicked) || panicked.Function != strings.TrimSpace(want) {
					t.Errorf("observed: %+v", seen)
				}
				f, err := p.Store.Reserve(t.Context(), cache.Slot[int]{Key: 1})
				if err != nil {
					t.Fatal(err)
				}
				if out, err := f.Commit(t.Context(), &cache.Entry[row]{Fresh: cache.Forever, Expires: cache.Forever}); err != nil || out[0] == cache.Stored {
					t.Errorf("a reader's commit is %v, %v", out, err)
				}
				<-e.Settled
				p.put(t, row{1, 9}) // the key is free
			})
		})
	}
}

func TestHooks_OfADelete(t *testing.T) {
	for name, end := range ends {
		for _, at := range []string{"Invalidates", "Commit", "InvalidateTags"} {
			t.Run(at+"/"+name, func(t *testing.T) {
				var seen cache.Counter
				r := &rogue{newProbe(), at, end}
				r.put(t, row{1, 5})
				deleted := false
				del := writethrough.Delete(r, func(context.Context, int) error { deleted = true; return nil }, &writethrough.DeleteOptions[int]{
					Domain: r, Observer: &seen, Invalidates: func(int) []string { r.here("Invalidates"); return []string{"list"} }})
				var err error
				returned := apart(t, func() { err = del(t.Context(), 1) })
				if returned != (name == "panic") || deleted == (at == "Invalidates") {
					t.Errorf("it has returned: %v, deleted: %v", returned, deleted)
				}
				if returned && (!errors.As(err, new(*cache.PanicError)) || errors.Is(err, cache.ErrNotStarted) != !deleted || isPostCommit(err) != deleted) {
					t.Errorf("the error is %v", err)
				}
				if want := map[bool]int{false: 5}[deleted]; r.has(1) != want || seen.Count(cache.HookPanic) != 1 {
					t.Errorf("the store has %d, %d panics were observed", r.has(1), seen.Count(cache.HookPanic))
				}
				r.put(t, row{1, 9}) // the key is free
			})
		}
	}
}

// What no map can hold is refused: before the write it is not started, after it nothing is
// taken for its failure.
func TestKeys_WhatNoMapCanHoldIsRefusedByWriters(t *testing.T) {
	type thing struct{ id any }
	for name, bad := range map[string]any{"a slice": []int{1}, "NaN": math.NaN()} {
		t.Run(name, func(t *testing.T) {
			store := memstore.New[any, thing](nil, 10, nil)
			wrote := 0
			made := thing{"good"}
			w := writethrough.New(store, func(v thing) any { return v.id }, func(context.Context, thing) (thing, error) { wrote++; return made, nil },
				invalidation.TTL(time.Hour), &writethrough.Options[any, thing]{FailOpen: true})
			if err := w.Save(t.Context(), thing{bad}); !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, cache.ErrInvalidKey) || wrote != 0 {
				t.Errorf("before the write: %v", err)
			}
			del := writethrough.Delete(store, func(context.Context, any) error { wrote++; return nil }, &writethrough.DeleteOptions[any]{FailOpen: true})
			if err := del(t.Context(), bad); !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, cache.ErrInvalidKey) || wrote != 0 {
				t.Errorf("Delete: %v", err)
			}
			made = thing{bad}
			if out, err := w.Write(t.Context(), thing{"good"}); !isPostCommit(err) || !errors.Is(err, cache.ErrInvalidKey) || wrote != 1 || out.id == nil {
				t.Errorf("after the write: %v, %v", out, err)
			}
			e := &cache.Entry[thing]{Fresh: cache.Forever, Expires: cache.Forever}
			if ok, err := cache.Put(t.Context(), store, any("good"), e); !ok || err != nil {
				t.Errorf("the key is held: %v", err)
			}
		})
	}
}

// An origin that cannot be asked is one that has not answered.
func TestHooks_DecidedThatDoesNotReturnLeavesItToTheTime(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen cache.Counter
				p := newProbe()
				open := &cache.InDoubtError{Err: errNo, Decided: func(context.Context) (bool, error) { end(); return true, nil }}
				w := writethrough.New(p, row.key, func(context.Context, row) (row, error) { return row{}, open }, minute,
					&writethrough.Options[int, row]{DecidedWithin: time.Minute, Observer: &seen})
				began := time.Now()
				err := w.Save(t.Context(), row{1, 7})
				e, ok := err.(*cache.InDoubtError)
				if !ok {
					t.Fatalf("the error is %v", err)
				}
				<-e.Settled
				if took := time.Since(began); took < time.Minute || took > time.Minute+5*time.Second || seen.Count(cache.HookPanic) == 0 {
					t.Errorf("it was released after %v, %d panics were observed", took, seen.Count(cache.HookPanic))
				}
				p.put(t, row{1, 9}) // the key is free
			})
		})
	}
}
