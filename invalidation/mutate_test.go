package invalidation

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

func remoteDomain(t testing.TB) (*failing, *Domain, Control) {
	remote := &failing{}
	d, control := NewRemoteDomain(remote, RemoteOptions{Lanes: 1})
	t.Cleanup(func() { control.End() })
	return remote, d, control
}

func nothing(context.Context) error { return nil }

func TestMutateHoldsItsTagsUntilTheChangeIsDone(t *testing.T) {
	d := NewDomain()
	before := d.Watch()
	var during Watch
	err := d.Mutate(t.Context(), []Target{Tag("a")}, func(ctx context.Context) error {
		if !cache.Bypassed(ctx) {
			t.Error("reads inside the change do not go around the cache")
		}
		during = d.Watch()
		w := d.Watch("a")
		if _, ok := w.Guard([]string{"a"}); ok {
			t.Error("an entry of the tag can be stored while it changes")
		}
		w = d.Watch("b")
		if _, ok := w.Guard([]string{"b"}); !ok {
			t.Error("an entry of another tag cannot be stored")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for what, w := range map[string]Watch{"before": before, "during": during} {
		if _, ok := w.Guard([]string{"a"}); ok {
			t.Errorf("what was loaded %s the change can be stored after it", what)
		}
	}
	guarded(t, d.Watch(), "a")
	if s := d.Status(); s.Held != 0 {
		t.Errorf("%d are held for good", s.Held)
	}
}

func TestMutateDoesNotStartIfTheStoreCannotBeAsked(t *testing.T) {
	remote, d, _ := remoteDomain(t)
	down := errors.New("down")
	remote.fail(down)
	called := false
	fn := func(context.Context) error { called = true; return nil }
	if err := d.Mutate(t.Context(), []Target{Tag("a")}, fn); !errors.Is(err, cache.ErrNotStarted) || !errors.Is(err, down) || called {
		t.Errorf("%v, called: %v", err, called)
	}
	err := d.Run(t.Context(), Mutation{Targets: []Target{Tag("a")}, FailOpen: true}, fn)
	var post *cache.PostCommitError
	if !called || !errors.As(err, &post) {
		t.Errorf("fail open: called: %v, %v", called, err)
	}
	if !d.Held("a") || d.Status().Retries == 0 {
		t.Error("the invalidation that has failed is not to be repeated")
	}
}

func TestMutateReturnsTheErrorOfTheChangeAndReleases(t *testing.T) {
	remote, d, _ := remoteDomain(t)
	bad := errors.New("bad")
	if err := d.Mutate(t.Context(), []Target{Tag("a")}, func(context.Context) error { return bad }); err != bad {
		t.Error(err)
	}
	func() {
		defer func() { recover() }()
		d.Mutate(t.Context(), []Target{Tag("a")}, func(context.Context) error { panic("change") })
	}()
	if remote.released != 2 || d.Held("a") {
		t.Errorf("%d releases, held: %v", remote.released, d.Held("a"))
	}
}

func TestAReleaseThatFailsIsRepeatedAndTheTagHeldMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remote, d, control := remoteDomain(t)
		down := errors.New("down")
		err := d.Mutate(t.Context(), []Target{Tag("a")}, func(context.Context) error { remote.fail(down); return nil })
		var post *cache.PostCommitError
		if !errors.As(err, &post) || !errors.Is(err, down) {
			t.Fatalf("%v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := d.Status(); !d.Held("a") || s.Retries != 1 {
			t.Errorf("held: %v, %+v", d.Held("a"), s)
		}
		remote.fail(nil)
		time.Sleep(2 * retryCap)
		synctest.Wait()
		if s := d.Status(); d.Held("a") || s.Retries != 0 {
			t.Errorf("after the store is back: held: %v, %+v", d.Held("a"), s)
		}
		control.End()
	})
}

func TestAnInvalidationThatFailsIsRepeatedUntilItSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remote, d, control := remoteDomain(t)
		remote.fail(errors.New("down"))
		d.InvalidateTags(t.Context(), "a", "b")
		d.InvalidateTags(t.Context(), "a")
		control.RetryKeys("k")
		if !d.Held("a") || !d.Held("b") || !d.HeldKey("k") || d.Held("k") {
			t.Error("what is to be repeated is not held")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := d.Status().Retries; n != 3 {
			t.Errorf("%d wait, not 3", n)
		}
		remote.fail(nil)
		time.Sleep(2 * retryCap)
		synctest.Wait()
		if d.Held("a") || d.HeldKey("k") || d.Status().Retries != 0 || len(remote.tags) != 2 || len(remote.keys) != 1 {
			t.Errorf("%+v, repeated %q %q", d.Status(), remote.tags, remote.keys)
		}
		control.RetryAll()
		if !d.Held("anything") {
			t.Error("everything is to be repeated and something is not held")
		}
		time.Sleep(2 * retryCap)
		synctest.Wait()
		if remote.all != 1 || d.Held("anything") {
			t.Errorf("everything was invalidated %d times", remote.all)
		}
		control.End()
	})
}

func TestWhatHasFailedIsRepeatedAtOnceWhenTheRemoteStoreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remote, d, control := remoteDomain(t)
		remote.fail(errors.New("down"))
		d.InvalidateTags(t.Context(), "a")
		time.Sleep(time.Minute) // the pauses are long by now
		synctest.Wait()
		remote.fail(nil)
		control.RetryNow()
		control.RetryNow() // it waits for nobody
		synctest.Wait()
		if d.Held("a") || d.Status().Retries != 0 {
			t.Errorf("%+v", d.Status())
		}
		control.End()
	})
}

func TestTooManyFailedInvalidationsBecomeOneOfEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remote, d, control := remoteDomain(t)
		remote.fail(errors.New("down"))
		names := make([]name, retryMost+1)
		for i := range names {
			names[i] = name{aKey, strconv.Itoa(i)}
		}
		d.retries.add(names[:retryMost])
		if d.Held("other") {
			t.Error("everything is held too early")
		}
		d.retries.add([]name{{aTag, "one more"}, {aTag, "and more"}})
		if !d.Held("other") || d.Status().Retries > 2 {
			t.Errorf("%+v", d.Status())
		}
		remote.fail(nil)
		time.Sleep(2 * retryCap)
		synctest.Wait()
		if remote.all != 1 || d.Held("other") || d.Status().Held != 0 {
			t.Errorf("%d, %+v", remote.all, d.Status())
		}
		control.End()
	})
}

func TestEndSaysHowManyWereNotRepeated(t *testing.T) {
	remote, d, control := remoteDomain(t)
	remote.fail(errors.New("down"))
	d.InvalidateTags(t.Context(), "a", "b")
	if n := control.End(); n != 2 {
		t.Errorf("%d, not 2", n)
	}
}

func TestTargetsThatMakeNoSenseAreErrors(t *testing.T) {
	d := NewDomain()
	for what, err := range map[string]error{
		"an empty tag":       d.Mutate(t.Context(), []Target{Tag("")}, nothing),
		"a negative timeout": d.Run(t.Context(), Mutation{Timeout: -1}, nothing),
	} {
		if !errors.Is(err, cache.ErrNotStarted) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := d.Mutate(t.Context(), nil, nothing); err != nil {
		t.Errorf("no targets: %v", err)
	}
}
