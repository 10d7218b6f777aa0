package aside_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// The test of a user that counts loads.
func TestWait_LoadsCanBeCounted(t *testing.T) {
	for range 50 {
		loads := 0
		p := newProbe(nil)
		l := aside.New(p, func(context.Context, int) (int, error) { loads++; return loads, nil }, minute, nil)
		for range 3 {
			if v, err := l.Get(t.Context(), 1); v != 1 || err != nil {
				t.Fatalf("Get is %d, %v", v, err)
			}
			if err := l.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if loads != 1 || p.Len() != 1 {
				t.Fatalf("%d loads, %d entries", loads, p.Len())
			}
		}
	}
}

func TestWait_IsForAllThatIsUnderWay(t *testing.T) {
	early := invalidation.Policy{Fresh: time.Minute, Ahead: 0.5}
	onceStale := invalidation.Policy{Fresh: time.Minute, Stale: time.Hour}
	for name, c := range map[string]struct {
		policy invalidation.Policy
		sleep  time.Duration // before the read
		mode   string
	}{
		"commit":        {policy: minute},
		"refresh":       {policy: onceStale, sleep: 2 * time.Minute},
		"early refresh": {policy: early, sleep: 40 * time.Second},
		"shadow":        {policy: minute, mode: "shadow"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, o, sw := newProbe(slow("Commit")), &origin{take: time.Second}, &cache.Switch{}
				l := aside.New(p, o.load, c.policy, &aside.Options[int, int]{Switch: sw})
				b := aside.NewBatch(p, func(ctx context.Context, keys []int) (map[int]int, error) {
					v, err := o.load(ctx, keys[0])
					return map[int]int{keys[0]: v}, err
				}, c.policy, &aside.Options[int, int]{Switch: sw})
				if c.mode != "" {
					switchTo(t, sw, c.mode)
				}
				for _, r := range []struct {
					get  func() error
					wait func(context.Context) error
				}{
					{func() error { _, err := l.Get(t.Context(), 1); return err }, l.Wait},
					{func() error { _, err := b.GetMany(t.Context(), []int{2}); return err }, b.Wait},
				} {
					if c.sleep > 0 {
						r.get()
						r.wait(t.Context())
						time.Sleep(c.sleep)
					}
					commits, loads := p.count("Commit"), o.loads.Load()
					if err := r.get(); err != nil {
						t.Fatal(err)
					}
					began := time.Now()
					if err := r.wait(t.Context()); err != nil || time.Since(began) < time.Second { // as long as a commit takes
						t.Fatalf("%v after %v", err, time.Since(began))
					}
					began = time.Now()
					synctest.Wait()
					if p.count("Commit") != commits+1 || o.loads.Load() != loads+1 {
						t.Errorf("%d commits, %d loads", p.count("Commit")-commits, o.loads.Load()-loads)
					}
					time.Sleep(time.Minute)
					if err := r.wait(t.Context()); err != nil || time.Since(began) != time.Minute {
						t.Errorf("when nothing is under way: %v after %v", err, time.Since(began))
					}
				}
			})
		})
	}
}

// It ends although others go on reading, and says what is left if it may not take as
// long.
func TestWait_DoesNotWaitForWhatBeginsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{take: 10 * time.Second}
		l := aside.New(newProbe(nil), o.load, minute, nil)
		begin(func() (int, error) { return l.Get(t.Context(), 1) })
		time.Sleep(5 * time.Second)
		waits := begin(func() (int, error) { return 0, l.Wait(t.Context()) })
		later := begin(func() (int, error) { return l.Get(t.Context(), 2) })
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := l.Wait(short)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "2 loads are still under way") {
			t.Errorf("after a second: %v", err)
		}
		time.Sleep(4 * time.Second)
		if synctest.Wait(); !waits.done() || waits.err != nil || later.done() {
			t.Errorf("who waits has %v, who came later %v", waits, later)
		}
		err = l.Wait(t.Context())
		if synctest.Wait(); err != nil || !later.done() {
			t.Errorf("%v, and who came later has %v", err, later)
		}
	})
}

func TestWait_IsForLoadsThatWereLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		o := &switchboard{do: stuck(hang, nil)}
		l := aside.New(newProbe(nil), o.load, minute, timed(nil))
		for _, get := range []func() (int, error){
			func() (int, error) { return l.Get(t.Context(), 1) },
			func() (int, error) { return l.Get(cache.Bypass(t.Context()), 2) },
		} {
			if _, err := get(); !errors.Is(err, cache.ErrLoadTimeout) {
				t.Fatal(err)
			}
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Wait(short); !strings.Contains(fmt.Sprint(err), "2 loads are still under way") {
			t.Errorf("it says %v", err)
		}
		close(hang)
		if err := l.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := l.Wait(t.Context()); err != nil {
			t.Errorf("after Close: %v", err)
		}
	})
}
