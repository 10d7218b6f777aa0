package invalidation

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/larder-cache/larder/cache"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func valid(g cache.Guard) bool { return g.Trust(time.Now()) == cache.Valid }

func guarded(t testing.TB, w Watch, tags ...string) cache.Guard {
	t.Helper()
	g, ok := w.Guard(tags)
	if !ok || !valid(g) {
		t.Fatalf("the guard of %q does not stand although nothing was invalidated", tags)
	}
	return g
}

func TestEachTagOfAnEntryInvalidatesIt(t *testing.T) {
	for _, known := range [][]string{nil, {"a"}, {"a", "b", "c"}, {"b", "unused"}} {
		for _, tag := range []string{"a", "b", "c"} {
			d := NewDomain()
			g := guarded(t, d.Watch(known...), "a", "b", "c")
			d.Expire("other", "unused")
			if !valid(g) {
				t.Errorf("known %q: an invalidation of another tag is taken for one of ours", known)
			}
			d.Expire(tag)
			if valid(g) {
				t.Errorf("known %q: %q was invalidated and the guard stands", known, tag)
			}
			guarded(t, d.Watch(known...), "a", "b", "c")
		}
	}
}

func TestAnInvalidationBetweenWatchAndGuardRefuses(t *testing.T) {
	for _, known := range [][]string{nil, {"a"}} {
		d := NewDomain()
		w := d.Watch(known...)
		d.Expire("a")
		if _, ok := w.Guard([]string{"a"}); ok {
			t.Errorf("known %q: the guard stands", known)
		}
	}
	d := NewDomain()
	w := d.Watch()
	d.ExpireAll()
	if _, ok := w.Guard(nil); ok {
		t.Error("ExpireAll between watch and guard goes unnoticed")
	}
	w = d.Watch("known")
	d.Expire("other")
	if _, ok := w.Guard([]string{"known"}); !ok {
		t.Error("the invalidation of another tag refuses a fill with known tags")
	}
}

func TestAWatchDoesNotDependOnTheSliceItWasGiven(t *testing.T) {
	d := NewDomain()
	tags := []string{"a"}
	w := d.Watch(tags...)
	tags[0] = "b"
	g := guarded(t, w, "a", "b")
	d.Expire("b")
	if valid(g) {
		t.Error("the guard watches another tag than the one it was asked for")
	}
	if _, ok := w.Guard([]string{"b"}); ok {
		t.Error("a tag that was invalidated since is taken for a known one")
	}
}

func TestExpireAllTakesEntriesWithAndWithoutTags(t *testing.T) {
	d := NewDomain()
	plain, tagged := guarded(t, d.Watch()), guarded(t, d.Watch("a"), "a")
	d.ExpireAll()
	if valid(plain) || valid(tagged) {
		t.Error("a guard stands after ExpireAll")
	}
	guarded(t, d.Watch())
}

// failing is a Remote that fails while its error is set.
type failing struct {
	Remote
	err atomic.Pointer[error]
	// retried has what was repeated
	mu            sync.Mutex
	keys, tags    []string
	all, released int
	held          int
	life          time.Duration
}

func (f *failing) fail(err error) { f.err.Store(&err) }

func (f *failing) error() error {
	if p := f.err.Load(); p != nil {
		return *p
	}
	return nil
}

func (f *failing) InvalidateTags(context.Context, []string) error { return f.error() }
func (f *failing) Status(*Status)                                 {}

func (f *failing) Retry(_ context.Context, keys, tags []string, all bool) error {
	if err := f.error(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys, f.tags = append(f.keys, keys...), append(f.tags, tags...)
	if all {
		f.all++
	}
	return nil
}

func (f *failing) QuarantineTags(_ context.Context, _ []string, life time.Duration) (func(context.Context) error, error) {
	f.mu.Lock()
	f.held, f.life = f.held+1, life
	f.mu.Unlock()
	if err := f.error(); err != nil {
		return nil, err
	}
	return func(context.Context) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.released++
		return f.error()
	}, nil
}

func TestAFailingRemoteIsReportedAndMemoryIsCleanAllTheSame(t *testing.T) {
	down := errors.New("down")
	remote := &failing{}
	remote.fail(down)
	d, control := NewRemoteDomain(remote, RemoteOptions{Lanes: 1})
	defer control.End()
	g := guarded(t, d.Watch(), "a")
	if err := d.InvalidateTags(t.Context(), "a"); !errors.Is(err, down) {
		t.Errorf("the error is %v", err)
	}
	if valid(g) {
		t.Error("the entry in memory stands")
	}
}

func TestAnEmptyTagIsAnErrorAndNothingIsDone(t *testing.T) {
	d := NewDomain()
	g := guarded(t, d.Watch(), "a")
	if err := d.InvalidateTags(t.Context(), "a", ""); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("the error is %v", err)
	}
	if !valid(g) {
		t.Error("something was done")
	}
}

func TestCellsOfNothingDoNotAccumulate(t *testing.T) {
	d := NewDomain()
	guards := make([]any, 0, 100_000)
	for i := range cap(guards) {
		guards = append(guards, guarded(t, d.Watch(), fmt.Sprint("tag", i)))
	}
	if n := d.cells(); n != cap(guards) {
		t.Fatalf("%d cells for %d tags", n, cap(guards))
	}
	runtime.KeepAlive(guards)
	guards = nil
	for deadline := time.Now().Add(30 * time.Second); d.cells() > 0; runtime.Gosched() {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("%d cells are left of tags that nothing has", d.cells())
		}
	}
	for i := range 1000 { // tags that nothing ever had
		d.Expire(fmt.Sprint("unknown", i))
	}
	if n := d.cells(); n != 0 {
		t.Errorf("invalidating unknown tags has made %d cells", n)
	}
}

func TestTheEndOfACellLeavesTheNextCellOfItsTag(t *testing.T) {
	d := NewDomain()
	g := guarded(t, d.Watch("a"), "a")
	for i := range d.shards {
		place{&d.shards[i], "a", weak.Make(&cell{tag: "a"})}.remove()
	}
	d.Expire("a")
	if valid(g) {
		t.Error("the cell is out of the table while a guard depends on it")
	}
}

// A guard that stands after Expire has returned would be a stale entry.
func TestNoGuardSurvivesAnInvalidationThatRunsBesideIt(t *testing.T) {
	for round := range 3000 {
		d := NewDomain()
		var known []string
		if round%2 == 0 {
			known = []string{"a"}
		}
		start := make(chan struct{})
		var wg sync.WaitGroup
		var g cache.Guard
		var ok bool
		w := d.Watch(known...)
		wg.Go(func() { <-start; g, ok = w.Guard([]string{"a"}) })
		wg.Go(func() { <-start; d.Expire("a") })
		close(start)
		wg.Wait()
		if ok && valid(g) {
			t.Fatalf("round %d: the guard stands", round)
		}
	}
}

func TestValidDoesNotAllocate(t *testing.T) {
	d := NewDomain()
	g := guarded(t, d.Watch("a"), "a")
	if n := testing.AllocsPerRun(100, func() { valid(g) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func BenchmarkInvalidateTag(b *testing.B) {
	for _, members := range []int{10, 1000, 100_000} {
		b.Run(fmt.Sprint("members=", members), func(b *testing.B) {
			d := NewDomain()
			var keep []any
			for range members {
				keep = append(keep, guarded(b, d.Watch("a"), "a"))
			}
			for b.Loop() {
				d.Expire("a")
			}
			runtime.KeepAlive(keep)
		})
	}
}
