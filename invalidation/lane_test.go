package invalidation

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

func leased(t testing.TB, o RemoteOptions) (*Domain, Control) {
	o.Leased = true
	d, control := NewRemoteDomain(&failing{}, o)
	t.Cleanup(func() { control.End() })
	return d, control
}

func TestAnEntryIsServedOnlyUnderTheLeasesOfItsKeyAndTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, control := leased(t, RemoteOptions{Lanes: 4})
		other := "t"
		for i := 0; Hash(other)%4 == 1; i++ {
			other += "t"
		}
		w := d.WatchKey(1)
		g, ok := w.Guard([]string{other})
		trust := func() cache.Trust { return g.Trust(time.Now()) }
		if !ok || trust() != cache.Apart {
			t.Fatal("it is served before there is a lease")
		}
		until := time.Now().Add(time.Second)
		control.Renew(1, until)
		if trust() != cache.Apart {
			t.Error("it is served without the lease of its tag")
		}
		control.Renew(int(Hash(other)%4), until)
		if trust() != cache.Valid {
			t.Error("it is not served under both leases")
		}
		control.Renew(1, until.Add(-time.Hour))
		time.Sleep(time.Second)
		if trust() != cache.Valid {
			t.Error("it is not served at the end of the lease")
		}
		time.Sleep(time.Nanosecond)
		if trust() != cache.Apart {
			t.Error("it is served after the lease")
		}
		for lane := range 4 {
			control.Renew(lane, time.Now().Add(time.Second))
		}
		if trust() != cache.Valid {
			t.Error("nothing was missed, and it is not served again")
		}
		control.Drop(int(Hash(other) % 4))
		if trust() != cache.Invalid {
			t.Error("the lane of its tag was dropped, and it stands")
		}
		control.End()
		control.Renew(1, time.Now().Add(time.Hour))
		if !d.Apart() {
			t.Error("a lease was renewed after the end")
		}
	})
}

func TestBehindServesForALimitedTimeAfterTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, control := leased(t, RemoteOptions{Lanes: 1, Behind: time.Minute})
		w := d.WatchKey(1)
		g, _ := w.Guard(nil)
		control.Renew(0, time.Now().Add(time.Second))
		for _, step := range []struct {
			wait time.Duration
			want cache.Trust
		}{{time.Second, cache.Valid}, {time.Minute, cache.Behind}, {time.Nanosecond, cache.Apart}} {
			time.Sleep(step.wait)
			if got := g.Trust(time.Now()); got != step.want {
				t.Errorf("after %v it is %v, not %v", step.wait, got, step.want)
			}
		}
	})
}

func TestALeaseEndsAlsoByTheWallClock(t *testing.T) {
	d, control := leased(t, RemoteOptions{Lanes: 1})
	control.Renew(0, time.Now().Add(time.Hour))
	asleep := time.Now().Add(2 * time.Hour).Round(0) // the wall clock alone: the other one stops while a machine sleeps
	if got := d.lanes[0].trust(asleep); got != cache.Apart {
		t.Errorf("two hours later it is %v", got)
	}
}

func TestKeysOfOtherProcessesLeaveMemory(t *testing.T) {
	d, control := leased(t, RemoteOptions{Lanes: 1})
	control.Renew(0, time.Now().Add(time.Hour))
	w, other := d.WatchKey(1), d.WatchKey(2)
	g, _ := w.Guard(nil)
	o, _ := other.Guard(nil)
	early := d.WatchKey(1)
	control.ExpireKeys(1)
	if valid(g) || !valid(o) {
		t.Errorf("the key stands: %v; another: %v", valid(g), valid(o))
	}
	if _, ok := early.Guard(nil); ok {
		t.Error("what was read before the key was invalidated gets into memory after it")
	}
}

func TestStatusTellsWhatIsTrusted(t *testing.T) {
	if s := NewDomain().Status(); len(s.Lanes) != 1 || !s.Lanes[0].Trusted {
		t.Errorf("a Domain alone: %+v", s)
	}
	d, control := leased(t, RemoteOptions{Lanes: 2})
	control.Renew(0, time.Now().Add(time.Hour))
	s := d.Status()
	if !s.Lanes[0].Trusted || s.Lanes[0].Remains < time.Minute || !s.Lanes[0].Since.IsZero() || s.Lanes[1].Trusted || s.Lanes[1].Since.IsZero() {
		t.Errorf("%+v", s)
	}
}
