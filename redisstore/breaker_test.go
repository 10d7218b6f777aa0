package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

// testBreaker returns a breaker whose probes do what answer says, and what it tells. It
// makes no more when the test ends.
func testBreaker(t *testing.T, answer func() error) (*breaker, func() []cache.Kind) {
	var mu sync.Mutex
	var told []cache.Kind
	b := &breaker{}
	by := newProbers()
	t.Cleanup(func() {
		by.end()
		by.wait()
	})
	b.init(func() time.Duration { return 25 * time.Millisecond }, false, by)
	b.ask, b.changed = func(context.Context) error { return answer() }, func() {}
	b.tell = func(e cache.Event) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, e.Kind)
	}
	return b, func() []cache.Kind {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(told)
	}
}

func TestWhatOpensABreaker(t *testing.T) {
	const good, slow, fail = 'g', 's', 'f'
	for trips, opens := range map[string]bool{
		"ffff":                             false,
		"fffff":                            true,
		"ffffgffffgffffgffffg":             false, // not in a row, and not many yet
		strings.Repeat("fg", 31):           false,
		strings.Repeat("fg", 32):           true, // a half of the last 64
		strings.Repeat("ggf", 200):         false,
		strings.Repeat("s", 7):             false,
		strings.Repeat("s", 8):             true,
		"ffffssss":                         true,
		strings.Repeat("g", 500):           false,
		strings.Repeat("g", 9e3) + "fffff": true,
	} {
		b, told := testBreaker(t, func() error { return io.EOF })
		for _, kind := range trips {
			switch kind {
			case good:
				b.took(t.Context(), time.Millisecond, 1, 100, nil)
			case slow:
				b.took(t.Context(), 26*time.Millisecond, 1, 100, nil)
			case fail:
				b.took(t.Context(), time.Millisecond, 1, 0, io.EOF)
			}
		}
		if b.open.Load() != opens {
			t.Errorf("after %.70s open is %v", trips, !opens)
		}
		if want := opens; slices.Contains(told(), cache.BreakerOpened) != want || len(told()) > 1 {
			t.Errorf("after %.70s it told %v", trips, told())
		}
	}
}

func TestWhatABreakerDoesNotHoldAgainstServers(t *testing.T) {
	b, _ := testBreaker(t, func() error { return io.EOF })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Millisecond))
	defer cancel()
	for range 100 {
		b.took(gone, time.Second, 1, 0, context.Canceled)                        // the caller has left
		b.took(late, time.Second, 1, 0, context.DeadlineExceeded)                // or had no time
		b.took(t.Context(), 60*time.Millisecond, 1, 1<<20, nil)                  // a MiB
		b.took(t.Context(), time.Millisecond, 1, 0, answered("OOM command not")) // writes alone
		b.took(t.Context(), time.Millisecond, 1, 0, answered("READONLY You"))
	}
	if b.open.Load() {
		t.Error("it is open")
	}
	for _, down := range []string{"LOADING Redis is", "MASTERDOWN Link", "CLUSTERDOWN Hash", "BUSY Redis"} {
		if !failure(fmt.Errorf("%w: %w", errUnavailable, answered(down))) {
			t.Errorf("%q is no failure", down)
		}
	}
}

// answered is an error that a server has answered with.
type answered string

func (a answered) Error() string { return string(a) }
func (answered) RedisError()     {}

func TestABreakerClosesAgainByProbesThatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var asked atomic.Int64
		down.Store(true)
		b, told := testBreaker(t, func() error {
			asked.Add(1)
			if down.Load() {
				time.Sleep(100 * time.Millisecond)
				return io.ErrUnexpectedEOF
			}
			time.Sleep(time.Millisecond)
			return nil
		})
		for range failRow {
			b.took(t.Context(), 0, 1, 0, io.EOF)
		}
		began := time.Now()
		for range 10_000 { // one each millisecond
			if !b.refuses() {
				t.Fatalf("it lets readers through after %v", time.Since(began))
			}
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("readers have waited: 10s took %v", took)
		}
		synctest.Wait()
		if asked.Load() < 9 || asked.Load() > 20 {
			t.Errorf("%d probes in 10s", asked.Load())
		}
		down.Store(false)
		for began = time.Now(); b.refuses(); time.Sleep(time.Millisecond) {
		}
		if took := time.Since(began); took > probeMost+200*time.Millisecond {
			t.Errorf("it has closed after %v", took)
		}
		if want := []cache.Kind{cache.BreakerOpened, cache.BreakerClosed}; !slices.Equal(told(), want) {
			t.Errorf("it told %v", told())
		}
		// What was before does not count any more.
		for range failRow - 1 {
			b.took(t.Context(), 0, 1, 0, io.EOF)
		}
		if b.open.Load() {
			t.Error("it has opened before its time")
		}
	})
}

func TestAHintBringsTheProbeForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := testBreaker(t, func() error { return nil })
		for range failRow {
			b.took(t.Context(), 0, 1, 0, io.EOF)
		}
		if b.refuses(); !b.refuses() {
			t.Fatal("it is closed at once")
		}
		b.hint() // such as by an invalidation that has succeeded
		b.refuses()
		synctest.Wait()
		if b.refuses() {
			t.Error("it is still open")
		}
	})
}

func TestABreakerThatHasEndedAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := testBreaker(t, func() error { t.Error("it has asked"); return nil })
		for range failRow {
			b.took(t.Context(), 0, 1, 0, io.EOF)
		}
		b.probers.end()
		b.hint()
		time.Sleep(time.Minute)
		if !b.refuses() {
			t.Error("it is closed")
		}
		b.probers.wait()
	})
}

func TestBreaker_ClosesThoughNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		var asked atomic.Int64
		down.Store(true)
		b, _ := testBreaker(t, func() error {
			if asked.Add(1); down.Load() {
				return io.EOF
			}
			return nil
		})
		for range failRow {
			b.took(t.Context(), 0, 1, 0, io.EOF)
		}
		time.Sleep(time.Minute)
		if n := asked.Load(); n < 60 || n > 3*125 {
			t.Errorf("%d probes in a minute", n)
		}
		down.Store(false)
		time.Sleep(probeMost + probePause)
		if b.open.Load() {
			t.Error("it stays open although the server is well")
		}
	})
}

func TestBreaker_JudgesByTheMedianOfItsProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for probes, closes := range map[string]bool{
			"ggg": true, "sgsgg": true, "ssggg": true, "gsgsg": true, // a p99 of 30ms, or worse
			"sss": false, "ssgs": false, "ggss" + "s": false, "t": false, // t: it times out
			"eggg": true, "eee": false, // e: a connection that was dead
		} {
			n := 0
			b, _ := testBreaker(t, func() error {
				kind := byte('x')
				if n < len(probes) {
					kind = probes[n]
				}
				n++
				switch kind {
				case 's':
					time.Sleep(30 * time.Millisecond)
				case 't':
					time.Sleep(100 * time.Millisecond)
					return io.ErrUnexpectedEOF
				case 'e':
					return io.EOF
				case 'x':
					t.Errorf("%s: one probe more", probes)
				}
				return nil
			})
			if b.try() != closes {
				t.Errorf("%s closes it: %v", probes, !closes)
			}
			if n != len(probes) {
				t.Errorf("%s: %d probes", probes, n)
			}
		}
	})
}

func TestReadersOfAnOpenSpaceAreToldAtOnceAndWritersAreNot(t *testing.T) {
	space, s := scriptStore(t)
	if out := loadDuring(t, s, cache.Slot[string]{Key: "k"}, func() {}, anEntry("a")); out != cache.Stored {
		t.Fatalf("the value is %v", out)
	}
	breaker := &space.servers.single.breaker
	breaker.probers.end() // no probe
	for range failRow {
		breaker.took(t.Context(), 0, 1, 0, io.EOF)
	}
	if _, err := s.Get(t.Context(), "k"); err != errOpen {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.GetMany(t.Context(), []string{"k"}); err != errOpen {
		t.Errorf("GetMany: %v", err)
	}
	if _, err := s.Reserve(t.Context(), cache.Slot[string]{Key: "k"}); err != errOpen || !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("Reserve: %v", err)
	}
	must(t, s.Invalidate(t.Context(), "k"))
	must(t, space.InvalidateTags(t.Context(), "tag"))
	q, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "k"})
	must(t, err)
	if out, err := q.Commit(t.Context(), anEntry("b")); err != nil || out[0] != cache.Stored {
		t.Errorf("a writer's commit is %v, %v", out, err)
	}
	breaker.close()
	if e, err := s.Get(t.Context(), "k"); err != nil || e == nil || e.Value != "b" {
		t.Errorf("after all: %+v, %v", e, err)
	}
}
