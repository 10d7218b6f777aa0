package invalidation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

var ends = map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit}

// shop is a store that notes what it is told, and of which a verb does not return.
type shop struct {
	cache.Cache[any, int]
	at  string
	end func()
	mu  sync.Mutex
	log []string
}

func (s *shop) here(verb string) {
	s.mu.Lock()
	s.log = append(s.log, verb)
	s.mu.Unlock()
	if s.at == verb {
		s.end()
	}
}

func (s *shop) said(verb string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.log, " "), verb)
}

func (s *shop) Quarantine(context.Context, ...cache.Slot[any]) (cache.Fill[int], error) {
	s.here("quarantine")
	return shopFill{s: s}, nil
}

func (s *shop) Invalidate(context.Context, ...any) error { s.here("invalidate"); return nil }

type shopFill struct {
	cache.Fill[int]
	s *shop
}

func (f shopFill) Cancel(context.Context) error { f.s.here("cancel"); return nil }

// A store of somebody else's that panics, which it does on a goroutine of ours, is an error
// that names it, and everything is done that concerns the other targets.
func TestMutate_AStoreThatPanicsIsAnErrorThatNamesItsTarget(t *testing.T) {
	for _, at := range []string{"quarantine", "cancel", "invalidate"} {
		for name, end := range ends {
			for _, alone := range []bool{false, true} {
				t.Run(fmt.Sprint(at, "/", name, "/", alone), func(t *testing.T) {
					d := NewDomain()
					good, bad := &shop{}, &shop{at: at, end: end}
					m := Mutation{Targets: []Target{Tag("a"), Keys(good, any(1)), Keys(bad, any(1))}}
					which := 2
					if alone {
						m.Targets, which = m.Targets[2:], 0
					}
					if at == "invalidate" { // what is done if there is no quarantine
						m.FailOpen = true
						m.Targets[which] = Target{quarantine: func(context.Context, time.Duration) (func(context.Context) error, error) {
							return nil, io.EOF
						}, invalidate: m.Targets[which].invalidate}
					}
					var seen watching
					m.Observer = &seen
					called := false
					err := d.Run(t.Context(), m, func(context.Context) error { called = true; return nil })
					var p *cache.PanicError
					if !errors.As(err, &p) || p.Function != fmt.Sprintf("the store of Mutation.Targets[%d]", which) || (p.Value == nil) != (name == "Goexit") {
						t.Fatalf("the error is %v", err)
					}
					if started := at != "quarantine"; called != started || errors.Is(err, cache.ErrNotStarted) == started || errors.As(err, new(*cache.PostCommitError)) != started {
						t.Errorf("the change was called: %v, and the error is %v", called, err)
					}
					if !alone && (!good.said("quarantine") || !good.said("cancel")) || d.Status().Held != 0 {
						t.Errorf("the other store was told %q, %d tags are held", good.log, d.Status().Held)
					}
					if len(seen.of(cache.HookPanic)) != 1 || len(seen.of(cache.Unavailable)) == 0 {
						t.Errorf("observed: %+v", seen.seen)
					}
				})
			}
		}
	}
}

func TestMutate_AnObserverThatPanicsOrEndsGoroutinesChangesNothing(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				remote, d, control := remoteDomain(t)
				told := 0
				o := observing(func(cache.Event) { told++; end() })
				err := d.Run(t.Context(), Mutation{Targets: []Target{Tag("a")}, Observer: o, DecidedWithin: time.Second},
					func(context.Context) error { return io.EOF })
				e := doubtful(t, err)
				<-e.Settled
				remote.fail(io.EOF)
				err = d.Run(t.Context(), Mutation{Targets: []Target{Tag("a")}, Observer: o}, func(context.Context) error { return nil })
				if !errors.Is(err, cache.ErrNotStarted) || told < 3 {
					t.Errorf("%v, told %d times", err, told)
				}
				control.End()
			})
		})
	}
}

type observing func(cache.Event)

func (f observing) Observe(e cache.Event) { f(e) }

func TestMutate_ARuleThatPanicsLeavesTheChangeInDoubt(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, d, control := remoteDomain(t)
				var seen watching
				err := d.Run(t.Context(), Mutation{Targets: []Target{Tag("a")}, Observer: &seen, InDoubt: func(error) bool { end(); return false }},
					func(context.Context) error { return errors.New("no") })
				e := doubtful(t, err)
				all := seen.of(cache.HookPanic)
				if len(all) != 1 || !strings.HasPrefix(all[0].Err.Error(), "larder: Mutation.InDoubt") || !d.Held("a") {
					t.Errorf("observed %+v, held: %v", all, d.Held("a"))
				}
				<-e.Settled
				if d.Held("a") {
					t.Error("it is held for good")
				}
				control.End()
			})
		})
	}
}

// rogueRemote is a Remote of which every method does what it should not, while it is on.
type rogueRemote struct {
	failing
	mu  sync.Mutex
	end func()
}

func (r *rogueRemote) set(end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end = end
}

func (r *rogueRemote) here() {
	r.mu.Lock()
	end := r.end
	r.mu.Unlock()
	if end != nil {
		end()
	}
}

func (r *rogueRemote) InvalidateTags(ctx context.Context, tags []string) error {
	r.here()
	return r.failing.InvalidateTags(ctx, tags)
}

func (r *rogueRemote) Retry(ctx context.Context, keys, tags []string, all bool) error {
	r.here()
	return r.failing.Retry(ctx, keys, tags, all)
}

func (r *rogueRemote) QuarantineTags(ctx context.Context, tags []string, life time.Duration) (func(context.Context) error, error) {
	r.here()
	release, err := r.failing.QuarantineTags(ctx, tags, life)
	return func(ctx context.Context) error { r.here(); return release(ctx) }, err
}

// What a Remote does not answer is an error and repeated, on a goroutine that it cannot
// end, and nothing is held after it.
func TestDomain_ARemoteThatPanicsIsOneThatHasFailed(t *testing.T) {
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				remote := &rogueRemote{end: end}
				d, control := NewRemoteDomain(remote, RemoteOptions{Lanes: 1})
				defer control.End()
				w := d.Watch("a")
				var p *cache.PanicError
				if err := d.InvalidateTags(t.Context(), "a"); !errors.As(err, &p) || p.Function != "the Remote" {
					t.Fatalf("InvalidateTags: %v", err)
				}
				if _, ok := w.Guard([]string{"a"}); ok || !d.Held("a") {
					t.Errorf("what was loaded before can be stored: %v, held: %v", ok, d.Held("a"))
				}
				if _, err := d.QuarantineTags(t.Context(), "b"); !errors.As(err, &p) || d.Held("b") {
					t.Fatalf("QuarantineTags: %v, held: %v", err, d.Held("b"))
				}
				remote.set(nil)
				release, err := d.QuarantineTags(t.Context(), "c")
				if err != nil {
					t.Fatal(err)
				}
				remote.set(end)
				if err := release(t.Context()); !errors.As(err, &p) || !d.Held("c") {
					t.Errorf("release: %v, held: %v", err, d.Held("c"))
				}
				control.RetryKeys("k")
				time.Sleep(time.Minute)
				synctest.Wait()
				if s := d.Status(); s.Retries != 3 {
					t.Errorf("while it panics: %+v", s)
				}
				remote.set(nil)
				time.Sleep(2 * retryCap)
				synctest.Wait()
				if s := d.Status(); s.Held != 0 || s.Retries != 0 || len(remote.tags) != 1 || len(remote.keys) != 1 || remote.released != 1 {
					t.Errorf("afterwards: %+v; repeated were %q, %q, %d releases", s, remote.tags, remote.keys, remote.released)
				}
			})
		})
	}
}

// rudeError is an error of which the methods panic.
type rudeError struct{}

func (*rudeError) Error() string               { return "rude" }
func (*rudeError) Is(error) bool               { panic("boom") }
func (*rudeError) Unwrap() []error             { panic("boom") }
func (*rudeError) Unfinished() (a, b []string) { panic("boom") }

func TestDomain_AnErrorOfARemoteThatPanicsSaysNothing(t *testing.T) {
	remote, d, control := remoteDomain(t)
	remote.fail(&rudeError{})
	w := d.Watch("a")
	if err := d.InvalidateTags(t.Context(), "a"); err == nil || !d.Held("a") {
		t.Errorf("%v, held: %v", err, d.Held("a"))
	}
	if _, ok := w.Guard([]string{"a"}); ok {
		t.Error("what was loaded before can be stored")
	}
	err := d.Run(t.Context(), Mutation{Targets: []Target{Tag("a")}, Observer: &watching{}}, func(context.Context) error { return nil })
	if err == nil || !strings.HasPrefix(err.Error(), cache.ErrNotStarted.Error()) {
		t.Errorf("Mutate: %v", err)
	}
	control.End()
}

func TestMutate_AKeyThatNoMapCanHoldIsNotStarted(t *testing.T) {
	for name, key := range map[string]any{"a slice": []int{1}, "NaN": math.NaN()} {
		s := &shop{}
		err := NewDomain().Run(t.Context(), Mutation{Targets: []Target{Keys(s, any("good"), key)}, FailOpen: true}, func(context.Context) error {
			t.Error("the change was called")
			return nil
		})
		if !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, cache.ErrInvalidKey) || len(s.log) != 0 {
			t.Errorf("%s: %v, the store was told %q", name, err, s.log)
		}
	}
}
