package redisstore

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

func TestFillsAreNotBegunOnAServerThatRefusesToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r refusals
		full := fmt.Errorf("%w: %w", errUnavailable, answered("OOM command not allowed"))
		for range refusedRow - 1 {
			if r.took(full); r.refuses() {
				t.Fatal("fills are kept from it too soon")
			}
		}
		r.took(io.EOF) // says nothing of this
		r.took(full)
		tries := 0
		for range 10_000 { // one each millisecond
			if !r.refuses() {
				tries++
				r.took(full)
			}
			time.Sleep(time.Millisecond)
		}
		if tries < 9 || tries > 20 {
			t.Errorf("%d fills have tried in 10s", tries)
		}
		for r.refuses() {
			time.Sleep(time.Millisecond)
		}
		r.took(nil)
		if r.refuses() {
			t.Error("a server that writes again is not believed")
		}
	})
	for _, why := range []string{"READONLY You can't", "MISCONF Redis", "NOREPLICAS Not"} {
		if !refusal(answered(why)) {
			t.Errorf("%q is no refusal", why)
		}
	}
	if refusal(answered("LOADING Redis")) || refusal(io.EOF) || refusal(nil) {
		t.Error("something else is taken for a refusal")
	}
}

func TestReadersOfAServerThatRefusesToWriteStillHaveHits(t *testing.T) {
	space, s := scriptStore(t)
	if out := loadDuring(t, s, cache.Slot[string]{Key: "k"}, func() {}, anEntry("a")); out != cache.Stored {
		t.Fatalf("the value is %v", out)
	}
	for range refusedRow {
		space.servers.single.writes.took(answered("OOM command not allowed"))
	}
	if e, err := s.Get(t.Context(), "k"); err != nil || e == nil || e.Value != "a" {
		t.Errorf("Get is %+v, %v", e, err)
	}
	if _, err := s.Reserve(t.Context(), cache.Slot[string]{Key: "l"}); !errors.Is(err, cache.ErrBreakerOpen) {
		t.Errorf("Reserve: %v", err)
	}
	must(t, s.Invalidate(t.Context(), "k"))
}

func TestALockLivesAsLongAsLoadsTake(t *testing.T) {
	_, s := scriptStore(t)
	if got := s.lockLife(); got != defaultLockWait {
		t.Errorf("before any load it lives %v", got)
	}
	for cost, want := range map[time.Duration]time.Duration{
		time.Millisecond: leastLock, 100 * time.Millisecond: 400 * time.Millisecond, time.Minute: defaultLockWait,
	} {
		s.longest.Store(0)
		if s.loaded(cost); s.lockLife() != want {
			t.Errorf("after a load of %v it lives %v", cost, s.lockLife())
		}
	}
	for range 200 { // a slow load is forgotten
		s.loaded(20 * time.Millisecond)
	}
	if got := s.lockLife(); got > 600*time.Millisecond {
		t.Errorf("long after a load of a minute it lives %v", got)
	}
	s.loaded(0) // not known
	if s.lockLife() == defaultLockWait {
		t.Error("a load of which nothing is known changes it")
	}
}
