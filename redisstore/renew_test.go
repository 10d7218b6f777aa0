package redisstore

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
)

// virtual is a server and processes whose timers all go by one clock, which a test
// moves.
type virtual struct {
	t      *testing.T
	server *miniredis.Miniredis
	now    time.Time
	timers []*virtualTimer
}

type virtualTimer struct {
	at   time.Time
	of   *Space
	f    func()
	over bool
}

func newVirtual(t *testing.T) *virtual {
	v := &virtual{t: t, server: miniredis.RunT(t), now: time.Now()}
	v.server.SetTime(v.now)
	return v
}

// process returns a process with a history of quick loads.
func (v *virtual) process() process {
	p := newProcess(v.t, v.server.Addr(), Options{NoBus: true, LockWait: time.Second})
	p.space.later = func(d time.Duration, f func()) func() bool {
		timer := &virtualTimer{at: v.now.Add(d), of: p.space, f: f}
		v.timers = append(v.timers, timer)
		return func() bool { was := timer.over; timer.over = true; return !was }
	}
	for range 100 {
		p.loaded(time.Millisecond)
	}
	return p
}

// pass lets time pass, and what is due happen in order.
func (v *virtual) pass(d time.Duration) {
	for end := v.now.Add(d); ; {
		var next *virtualTimer
		for _, timer := range v.timers {
			if !timer.over && (next == nil || timer.at.Before(next.at)) {
				next = timer
			}
		}
		if next == nil || next.at.After(end) {
			v.now = end
			v.server.SetTime(v.now)
			return
		}
		v.now, next.over = next.at, true
		v.server.SetTime(v.now)
		next.f()
		next.of.errands.under.Wait()
	}
}

func (v *virtual) pending() (n int) {
	for _, timer := range v.timers {
		if !timer.over {
			n++
		}
	}
	return n
}

// waits has p wait for others in virtual time, and calls during after each wait.
func (v *virtual) waits(p process, during func(waited time.Duration)) {
	began := v.now
	p.space.clock = clock{func() time.Time { return v.now }, func(_ context.Context, _, _ <-chan struct{}, d time.Duration) error {
		v.pass(d)
		during(v.now.Sub(began))
		return nil
	}}
}

func TestRenewal_OneSlowLoadAmongQuickOnesIsMadeOnce(t *testing.T) {
	v := newVirtual(t)
	a, b := v.process(), v.process()
	f := a.reserve(t, "slow")
	if f.life > 100*time.Millisecond {
		t.Fatalf("the lock lives for %v: the test proves nothing", f.life)
	}
	loaded := false
	v.waits(b, func(waited time.Duration) {
		if waited >= 800*time.Millisecond && !loaded {
			loaded = true
			f.commits(t, cache.Stored, anEntry("a"))
		}
	})
	g := b.reserve(t, "slow")
	if e := g.Found(0); e == nil || e.Value != "a" || b.counts.Count(cache.LockLost) != 0 {
		t.Errorf("who has waited has found %+v", e)
	}
	if n := len(v.timers); n > 6 {
		t.Errorf("a load of 800 ms has waited for %d renewals", n)
	}
	if v.pending() != 0 {
		t.Error("what is stored is still renewed")
	}
}

func TestRenewal_AHolderThatDiesLeavesItsLockForLockWaitAtMost(t *testing.T) {
	for _, after := range []time.Duration{10 * time.Millisecond, 200 * time.Millisecond, 3 * time.Second} {
		v := newVirtual(t)
		a, b := v.process(), v.process()
		f := a.reserve(t, "k")
		v.pass(after)
		f.renewal.end() // which is what its death is
		died, taken := v.now, time.Duration(0)
		v.waits(b, func(waited time.Duration) { taken = waited })
		if g := b.reserve(t, "k"); g.Found(0) != nil {
			t.Fatalf("it has found %+v", g.Found(0))
		}
		if most := min(4*max(after, leastLock), time.Second); taken > most {
			t.Errorf("who dies after %v costs those who wait %v, more than %v (until %v)", after, taken, most, died.Add(taken))
		}
	}
}

func TestRenewal_AQuickLoadNeedsNone(t *testing.T) {
	v := newVirtual(t)
	a := v.process()
	f := a.reserve(t, "k")
	if v.pending() != 1 {
		t.Fatalf("%d timers", v.pending())
	}
	f.commits(t, cache.Stored, anEntry("x"))
	g := a.reserve(t, "other")
	must(t, g.Cancel(t.Context()))
	if v.pending() != 0 || len(v.timers) != 2 {
		t.Errorf("%d of %d timers are still there", v.pending(), len(v.timers))
	}
	if e := a.reserve(t, "k").Found(0); e == nil || v.pending() != 0 {
		t.Errorf("a fill without a lock waits for %d renewals", v.pending())
	}
}

// A renewal that comes late brings no lock back.
func TestRenewal_OfALockThatWasLetGoOf(t *testing.T) {
	v := newVirtual(t)
	a, b := v.process(), v.process()
	f := a.reserve(t, "k")
	late := f.renewal
	must(t, f.Cancel(t.Context()))
	late.ended = false
	late.renew()
	if v.pending() > 0 {
		t.Error("it is renewed again")
	}
	v.waits(b, func(time.Duration) { t.Fatal("somebody waits for a fill that has ended") })
	b.reserve(t, "k").commits(t, cache.Stored, anEntry("b"))
	late.renew()
	if e, err := a.Get(t.Context(), "k"); err != nil || e == nil || e.Value != "b" {
		t.Errorf("the value is %+v, %v", e, err)
	}
}

func TestRenewal_ALockOfAServerWhoseClockWasSetBackIsTaken(t *testing.T) {
	v := newVirtual(t)
	a, b := v.process(), v.process()
	a.reserve(t, "k").renewal.end()
	v.server.SetTime(v.now.Add(-time.Hour))
	v.waits(b, func(time.Duration) { t.Fatal("somebody waits for a lock of an hour") })
	if g := b.reserve(t, "k"); !g.slots[0].locked {
		t.Error("the lock is not taken")
	}
}
