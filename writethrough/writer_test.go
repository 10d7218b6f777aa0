package writethrough_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/writethrough"
)

func isPostCommit(err error) bool {
	_, ok := err.(*cache.PostCommitError)
	return ok
}

func TestAWriteInstallsWhatTheOriginReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe()
		p.put(t, row{1, 5})
		w := writethrough.New(p, row.key, func(ctx context.Context, r row) (row, error) {
			if p.has(1) != 0 {
				t.Error("the old value is there while the origin is written")
			}
			time.Sleep(time.Second)
			return p.write(ctx, r)
		}, invalidation.Policy{Fresh: time.Minute, Stale: time.Hour}, &writethrough.Options[int, row]{
			Tags: func(_ int, r row) []string { return []string{"rows", fmt.Sprint("v", r.version), "rows"} },
		})
		got, err := w.Write(t.Context(), row{1, 7})
		if got != (row{1, 8}) || err != nil || p.has(1) != 8 {
			t.Errorf("Write is %v, %v and the store has %d", got, err, p.has(1))
		}
		p.expectLog(t, "quarantine", "write", "commit")
		if s := p.slots[0]; !slices.Equal(s.Tags, []string{"rows", "v7"}) || !s.LateTags {
			t.Errorf("the slot is %+v", s)
		}
		now := cache.Now()
		e := p.entries[0]
		if !slices.Equal(e.Tags, []string{"rows", "v8"}) || e.Cost != time.Second || e.Loaded() != now || e.Fresh.Sub(now) != time.Minute || e.Expires.Sub(now) != time.Hour+time.Minute {
			t.Errorf("the entry is %+v", e)
		}
		p.Domain().InvalidateTags(t.Context(), "v8")
		if p.has(1) != 0 {
			t.Error("the entry does not depend on its late tag")
		}
	})
}

func TestTheOldValueGoesIfNothingIsStored(t *testing.T) {
	p := newProbe()
	p.put(t, row{1, 5})
	w := writethrough.New(p, row.key, p.write, invalidation.Policy{}, nil)
	if err := w.Save(t.Context(), row{1, 7}); err != nil || p.has(1) != 0 {
		t.Errorf("Save is %v and the store has %d", err, p.has(1))
	}
	p.expectLog(t, "quarantine", "write", "commit")
}

func TestAWriteThatCannotBeQuarantinedIsNotStarted(t *testing.T) {
	var seen events
	p := newProbe("quarantine")
	w := writethrough.New(p, row.key, p.write, minute, &writethrough.Options[int, row]{
		Name: "rows", Observer: &seen, Domain: p, Invalidates: func(int, row) []string { return []string{"list"} },
	})
	if _, err := w.Write(t.Context(), row{1, 7}); !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("the error is %v", err)
	}
	p.expectLog(t, "quarantine")
	if len(seen) != 1 || seen[0].Kind != cache.Unavailable || seen[0].Cache != "rows" || seen[0].N != 1 || !errors.Is(seen[0].Err, errDown) {
		t.Errorf("observed: %+v", seen)
	}
	p = newProbe()
	p.Close()
	if err := writethrough.New(p, row.key, p.write, minute, nil).Save(t.Context(), row{1, 7}); !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, cache.ErrClosed) {
		t.Errorf("on a closed store: %v", err)
	}
}

func TestFailOpenWritesAndInvalidates(t *testing.T) {
	for _, fails := range [][]string{{"quarantine"}, {"quarantine", "invalidate"}} {
		p := newProbe(fails...)
		p.put(t, row{1, 5})
		w := writethrough.New(p, row.key, p.write, minute, &writethrough.Options[int, row]{FailOpen: true})
		got, err := w.Write(t.Context(), row{1, 7})
		p.expectLog(t, "quarantine", "write", "invalidate[1]")
		if failed := len(fails) == 2; got.version != 8 || isPostCommit(err) != failed || !failed && (err != nil || p.has(1) != 0) {
			t.Errorf("Write is %v, %v and the store has %d", got, err, p.has(1))
		}
	}
	// If the origin fails as well, its error counts.
	p := newProbe("quarantine", "invalidate")
	w := writethrough.New(p, row.key, func(context.Context, row) (row, error) { return row{}, errNo }, minute, &writethrough.Options[int, row]{FailOpen: true})
	if err := w.Save(t.Context(), row{1, 7}); err != errNo {
		t.Errorf("the error is %v", err)
	}
	p.expectLog(t, "quarantine", "invalidate[1]")
}

func TestFailOpenDoesNotWriteForACallerWhoHasLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := newProbe()
	w := writethrough.New(p, row.key, p.write, minute, &writethrough.Options[int, row]{FailOpen: true})
	if err := w.Save(ctx, row{1, 7}); !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	p.expectLog(t, "quarantine")
}

func TestAnErrorOfTheOriginIsUntouchedAndReleasesTheKey(t *testing.T) {
	// Of a caller who has left, only an error that says so shows that nothing is under way.
	undone := fmt.Errorf("%w: %w", errNo, cache.ErrNotCommitted)
	for name, leave := range map[string]bool{"caller waits": false, "caller has left": true} {
		t.Run(name, func(t *testing.T) {
			want := errNo
			if leave {
				want = undone
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p := newProbe()
			p.put(t, row{1, 5})
			w := writethrough.New(p, row.key, func(context.Context, row) (row, error) {
				if leave {
					cancel()
				}
				return row{1, 9}, want
			}, minute, &writethrough.Options[int, row]{Domain: p, Invalidates: func(int, row) []string { return []string{"list"} }})
			if got, err := w.Write(ctx, row{1, 7}); err != want || got.version != 9 {
				t.Errorf("Write is %v, %v", got, err)
			}
			p.expectLog(t, "quarantine", "cancel", "tags[list]")
			if p.has(1) != 0 {
				t.Error("the old value is back")
			}
			p.put(t, row{1, 6}) // the key is free
		})
	}
}

func TestAnOriginThatReturnsAPostCommitErrorHasFailed(t *testing.T) {
	inner := &cache.PostCommitError{Err: errDown} // from a Writer inside of this one
	p := newProbe()
	w := writethrough.New(p, row.key, func(context.Context, row) (row, error) { return row{1, 8}, inner }, minute, nil)
	if got, err := w.Write(t.Context(), row{1, 7}); err != error(inner) || got.version != 8 || p.has(1) != 0 {
		t.Errorf("Write is %v, %v", got, err)
	}
	p.expectLog(t, "quarantine", "cancel")
}

func TestAPanicOfTheOriginReleasesTheKeyAndGoesOn(t *testing.T) {
	for _, fails := range [][]string{nil, {"quarantine"}} {
		p := newProbe(fails...)
		p.put(t, row{1, 5})
		w := writethrough.New(p, row.key, func(context.Context, row) (row, error) { panic("boom") }, minute, &writethrough.Options[int, row]{FailOpen: true})
		func() {
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("the panic is %v", got)
				}
			}()
			w.Save(t.Context(), row{1, 7})
		}()
		if p.has(1) != 0 {
			t.Error("the old value is there")
		}
		p.put(t, row{1, 6})
	}
	p := newProbe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		writethrough.New(p, row.key, func(context.Context, row) (row, error) { runtime.Goexit(); return row{}, nil }, minute, nil).Save(t.Context(), row{1, 7})
	}()
	<-done
	p.expectLog(t, "quarantine", "cancel")
}

func TestWhatTheOriginAcceptedIsNeverReportedAsFailed(t *testing.T) {
	for _, verb := range []string{"commit", "tags"} {
		var seen events
		p := newProbe(verb)
		w := writethrough.New(p, row.key, p.write, minute, &writethrough.Options[int, row]{
			Observer: &seen, Domain: p, Invalidates: func(int, row) []string { return []string{"list"} },
		})
		got, err := w.Write(t.Context(), row{1, 7})
		if got.version != 8 || !isPostCommit(err) || !errors.Is(err, errDown) {
			t.Errorf("%s fails: Write is %v, %v", verb, got, err)
		}
		p.expectLog(t, "quarantine", "write", "commit", "tags[list]")
		if seen.count(cache.Unavailable) != 1 || seen.count(cache.Invalidated) != 1 || !errors.Is(seen[len(seen)-1].Err, errDown) {
			t.Errorf("%s fails: observed: %+v", verb, seen)
		}
	}
	p := newProbe()
	w := writethrough.New(&unstorable{p}, row.key, p.write, minute, nil)
	if _, err := w.Write(t.Context(), row{1, 7}); err != nil {
		t.Errorf("a value that cannot be stored: %v", err)
	}
}

// unstorable is a store that cannot encode a row.
type unstorable struct{ *probe }

func (s *unstorable) Quarantine(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[row], error) {
	f, err := s.probe.Quarantine(ctx, slots...)
	return &unstorableFill{f}, err
}

type unstorableFill struct{ cache.Fill[row] }

func (f *unstorableFill) Commit(ctx context.Context, _ ...*cache.Entry[row]) ([]cache.Outcome, error) {
	f.Cancel(ctx)
	return []cache.Outcome{cache.Refused}, fmt.Errorf("%w: a row", cache.ErrNotStorable)
}

func TestTheCommitOutlivesTheCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := newProbe()
	w := writethrough.New(p, row.key, func(ctx context.Context, r row) (row, error) {
		cancel()
		return p.write(ctx, r)
	}, minute, &writethrough.Options[int, row]{Domain: p, Invalidates: func(int, row) []string { return []string{"list"} }})
	if got, err := w.Write(ctx, row{1, 7}); err != nil || got.version != 8 || p.has(1) != 8 {
		t.Errorf("Write is %v, %v and the store has %d", got, err, p.has(1))
	}
}

func TestAGeneratedKeyIsInvalidatedAndNothingInstalled(t *testing.T) {
	for _, fails := range [][]string{nil, {"invalidate"}} {
		p := newProbe(fails...)
		p.put(t, row{42, 3}) // such as the answer that there is no such row
		w := writethrough.New(p, row.key, func(context.Context, row) (row, error) { return row{42, 8}, nil }, minute, nil)
		got, err := w.Write(t.Context(), row{0, 7})
		if got != (row{42, 8}) || isPostCommit(err) != (fails != nil) {
			t.Errorf("Write is %v, %v", got, err)
		}
		if p.has(0) != 0 || fails == nil && p.has(42) != 0 {
			t.Errorf("the store has %d and %d", p.has(0), p.has(42))
		}
		p.expectLog(t, "quarantine", "commit", "invalidate[42]")
	}
}

func TestTagsOfListsAreInvalidatedAfterTheCommit(t *testing.T) {
	p := newProbe()
	p.put(t, row{100, 1}, "list:7")
	w := writethrough.New(p, row.key, p.write, minute, &writethrough.Options[int, row]{
		Domain:      p,
		Invalidates: func(_ int, r row) []string { return []string{fmt.Sprint("list:", r.version), "lists"} },
	})
	if err := w.Save(t.Context(), row{1, 7}); err != nil || p.has(100) != 0 || p.has(1) != 8 {
		t.Errorf("Save is %v, the store has %d and %d", err, p.has(100), p.has(1))
	}
	p.expectLog(t, "quarantine", "write", "commit", "tags[list:7 lists list:8]")
	q := newProbe()
	writethrough.New(q, row.key, q.write, minute, &writethrough.Options[int, row]{
		Domain: q, Invalidates: func(int, row) []string { return nil },
	}).Save(t.Context(), row{1, 7})
	q.expectLog(t, "quarantine", "write", "commit")
}

func TestWriteTimeoutBoundsTheOriginByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for timeout, want := range map[time.Duration]time.Duration{0: 30 * time.Second, time.Second: time.Second} {
			p := newProbe()
			w := writethrough.New(p, row.key, func(ctx context.Context, r row) (row, error) {
				<-ctx.Done()
				return r, ctx.Err()
			}, minute, &writethrough.Options[int, row]{WriteTimeout: timeout})
			start := time.Now()
			err := w.Save(t.Context(), row{1, 7})
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cache.ErrInDoubt) || time.Since(start) != want {
				t.Errorf("with the timeout %v: %v after %v", timeout, err, time.Since(start))
			}
			p.expectLog(t, "quarantine")
			time.Sleep(2*time.Minute - 1)
			synctest.Wait()
			if k, _ := p.Reserve(t.Context(), cache.Slot[int]{Key: 1}); commits(k) {
				t.Error("the key is free before the write is decided")
			}
			time.Sleep(1)
			synctest.Wait()
			if n := len(p.log); p.log[n-1] != "cancel" {
				t.Errorf("it went %q", p.log)
			}
			p.put(t, row{1, 6}) // the key is free
		}
	})
}

// commits reports whether the store takes a value.
func commits(f cache.Fill[row]) bool {
	out, err := f.Commit(context.Background(), &cache.Entry[row]{Fresh: cache.Forever, Expires: cache.Forever})
	return err == nil && out[0] == cache.Stored
}

func TestAnotherWriterIsNoError(t *testing.T) {
	p := newProbe()
	w := writethrough.New(p, row.key, func(ctx context.Context, r row) (row, error) {
		p.Store.Invalidate(ctx, 1)
		return p.write(ctx, r)
	}, minute, nil)
	if got, err := w.Write(t.Context(), row{1, 7}); err != nil || got.version != 8 || p.has(1) != 0 {
		t.Errorf("Write is %v, %v and the store has %d", got, err, p.has(1))
	}
}

func TestNonsenseIsNamedAtConstruction(t *testing.T) {
	p := newProbe()
	del := func(context.Context, int) error { return nil }
	options := func(o writethrough.Options[int, row]) func() {
		return func() { writethrough.New(p, row.key, p.write, minute, &o) }
	}
	for want, make := range map[string]func(){
		"New: store is nil":     func() { writethrough.New(nil, row.key, p.write, minute, nil) },
		"New: key is nil":       func() { writethrough.New[int](p, nil, p.write, minute, nil) },
		"New: write is nil":     func() { writethrough.New(p, row.key, writethrough.Echo[row](nil), minute, nil) },
		"Policy.Stale":          func() { writethrough.New(p, row.key, p.write, invalidation.Policy{Stale: time.Hour}, nil) },
		"Options.WriteTimeout":  options(writethrough.Options[int, row]{WriteTimeout: -1}),
		"Options.DecidedWithin": options(writethrough.Options[int, row]{DecidedWithin: -1}),
		"Options.Domain":        options(writethrough.Options[int, row]{Invalidates: func(int, row) []string { return nil }}),
		"Delete: store is nil":  func() { writethrough.Delete[int, row](nil, del, nil) },
		"Delete: del is nil":    func() { writethrough.Delete(p, nil, nil) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("the panic %q does not say %q", got, want)
				}
			}()
			make()
		}()
	}
}
