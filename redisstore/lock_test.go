package redisstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// process is one of several processes of a test.
type process struct {
	*Store[string, string]
	counts *cache.Counter
}

func newProcess(t *testing.T, addr string, o Options) process {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { rdb.Close() })
	p := process{counts: &cache.Counter{}}
	o.Timeout, o.Observer = 10*time.Second, p.counts
	space, err := Open(t.Context(), rdb, "locks", &o)
	must(t, err)
	t.Cleanup(func() { space.Close(context.Background()) })
	space.later = never // the server's clock is not that of the process
	p.Store = New[string, string](space, "s", nil)
	return p
}

// never is a Space.later that does not come.
func never(time.Duration, func()) func() bool { return func() bool { return true } }

// hearing returns a process that never looks by itself: it waits until it is woken.
func newHearing(t *testing.T, addr string) process {
	p := newProcess(t, addr, Options{LockWait: time.Minute})
	for !p.space.Status().Lanes[0].Subscribed {
		must(t, p.space.bus.lanes[0].fence(t.Context()))
	}
	p.space.clock.pause = func(ctx context.Context, woken, closing <-chan struct{}, d time.Duration) error {
		return realClock.pause(ctx, woken, closing, time.Hour)
	}
	return p
}

// timed is a process whose waits take no time: the server's clock moves with them.
type timed struct {
	process
	server *miniredis.Miniredis
	now    time.Time
	pauses int
	during func() // the first wait
}

func newTimed(t *testing.T, server *miniredis.Miniredis, wait time.Duration) *timed {
	p := &timed{process: newProcess(t, server.Addr(), Options{NoBus: true, LockWait: wait}), server: server, now: time.Now()}
	p.space.clock = clock{func() time.Time { return p.now }, func(ctx context.Context, _, _ <-chan struct{}, d time.Duration) error {
		if p.pauses++; p.pauses > 1000 {
			return errors.New("it waits for ever")
		}
		if p.during != nil && p.pauses == 1 {
			p.during()
		}
		p.now = p.now.Add(d)
		p.server.SetTime(p.now)
		return nil
	}}
	server.SetTime(p.now)
	return p
}

func (p process) reserve(t *testing.T, keys ...string) *fill[string, string] {
	t.Helper()
	var slots []cache.Slot[string]
	for _, k := range keys {
		slots = append(slots, cache.Slot[string]{Key: k})
	}
	f, err := p.Reserve(t.Context(), slots...)
	if err != nil {
		t.Fatalf("Reserve(%v): %v", keys, err)
	}
	return f.(*fill[string, string])
}

// later reserves in the background, once it has begun to wait.
func (p process) later(t *testing.T, key string) <-chan *fill[string, string] {
	t.Helper()
	out, waits, pause := make(chan *fill[string, string], 1), make(chan struct{}), p.space.clock.pause
	p.space.clock.pause = func(ctx context.Context, woken, closing <-chan struct{}, d time.Duration) error {
		if waits != nil {
			close(waits)
			waits = nil
		}
		return pause(ctx, woken, closing, d)
	}
	begun := waits
	go func() {
		f, err := p.Reserve(t.Context(), cache.Slot[string]{Key: key})
		if err != nil {
			t.Errorf("Reserve: %v", err)
			close(out)
			return
		}
		out <- f.(*fill[string, string])
	}()
	<-begun
	return out
}

func (f *fill[K, V]) commits(t *testing.T, want cache.Outcome, e *cache.Entry[V]) {
	t.Helper()
	if out, err := f.Commit(t.Context(), e); err != nil || out[0] != want {
		t.Errorf("Commit is %v, %v, not %v", out, err, want)
	}
}

func TestWhatAnotherProcessLoadsIsWaitedFor(t *testing.T) {
	m := miniredis.RunT(t)
	a, b := newHearing(t, m.Addr()), newHearing(t, m.Addr())
	f := a.reserve(t, "k")
	waits := b.later(t, "k")
	f.commits(t, cache.Stored, anEntry("a"))
	g := <-waits
	if e := g.Found(0); e == nil || e.Value != "a" {
		t.Fatalf("it has found %+v", e)
	}
	if b.counts.Count(cache.LockWaited) != 1 || b.counts.Count(cache.LockLost) != 0 || a.counts.Count(cache.LockWaited) != 0 {
		t.Error("one wait should have been observed")
	}
}

func TestALoadThatFailsIsFollowedByTheNextAtOnce(t *testing.T) {
	m := miniredis.RunT(t)
	a, b := newHearing(t, m.Addr()), newHearing(t, m.Addr())
	for name, end := range map[string]func(f *fill[string, string]) error{
		"cancelled": func(f *fill[string, string]) error { return f.Cancel(t.Context()) },
		"nil":       func(f *fill[string, string]) error { _, err := f.Commit(t.Context(), nil); return err },
		"refused": func(f *fill[string, string]) error {
			_, err := f.Commit(t.Context(), anEntry("a", "a tag that nobody has named"))
			return err
		},
	} {
		f := a.reserve(t, name)
		waits := b.later(t, name)
		must(t, end(f))
		if g := <-waits; g == nil || !g.slots[0].locked || g.slots[0].token != f.slots[0].token {
			t.Errorf("%s: the lock is not handed on: %+v", name, g)
		} else {
			g.commits(t, cache.Stored, anEntry("b"))
		}
	}
}

func TestAHolderThatCancelsLeavesNoLock(t *testing.T) {
	p := newTimed(t, miniredis.RunT(t), time.Second)
	for range 2 {
		f := p.reserve(t, "k")
		if !f.slots[0].locked || p.pauses != 0 {
			t.Fatalf("after %d pauses it is %+v", p.pauses, f.slots[0])
		}
		must(t, f.Cancel(t.Context()))
	}
}

// The tag is invalidated while the fill waits, and the load that it waits for is from
// before that.
func TestWhatIsFoundAfterAWaitIsValidThen(t *testing.T) {
	m := miniredis.RunT(t)
	p := newTimed(t, m, time.Second)
	slot := cache.Slot[string]{Key: "k", Tags: []string{"tag"}}
	f, err := p.Reserve(t.Context(), slot)
	must(t, err)
	p.during = func() {
		f.(*fill[string, string]).commits(t, cache.Stored, anEntry("old", "tag"))
		must(t, p.space.InvalidateTags(t.Context(), "tag"))
	}
	g, err := p.Reserve(t.Context(), slot)
	must(t, err)
	if e := g.Found(0); e != nil || p.pauses != 1 {
		t.Errorf("after %d pauses it has found %+v", p.pauses, e)
	}
	g.(*fill[string, string]).commits(t, cache.Stored, anEntry("new", "tag"))
}

func TestAnInvalidationEndsTheWaitForALoadThatItRefuses(t *testing.T) {
	m := miniredis.RunT(t)
	a, b := newHearing(t, m.Addr()), newHearing(t, m.Addr())
	f := a.reserve(t, "k")
	waits := b.later(t, "k")
	must(t, a.Invalidate(t.Context(), "k"))
	g := <-waits
	if !g.slots[0].locked {
		t.Error("it waits no more, and has no lock")
	}
	f.commits(t, cache.Refused, anEntry("old"))
	g.commits(t, cache.Stored, anEntry("new"))
}

func TestAHolderThatDiesCostsLockWait(t *testing.T) {
	m := miniredis.RunT(t)
	b := newTimed(t, m, time.Second)
	a := newProcess(t, m.Addr(), Options{NoBus: true})
	f := a.reserve(t, "k") // and then nothing
	began := b.now
	g := b.reserve(t, "k")
	if waited := b.now.Sub(began); waited < 900*time.Millisecond || waited > time.Second {
		t.Errorf("it has cost %v", waited)
	}
	if !g.slots[0].locked || g.slots[0].token != f.slots[0].token || b.counts.Count(cache.LockWaited) != 1 {
		t.Errorf("the next fill is %+v, and the first %+v", g.slots[0], f.slots[0])
	}
	g.commits(t, cache.Stored, anEntry("b"))
}

// A load that is slower than its lock may still be the first to be stored.
func TestAnExpiredLockIsTakenWithTheSameToken(t *testing.T) {
	m := miniredis.RunT(t)
	now := time.Now()
	m.SetTime(now)
	a, b := newProcess(t, m.Addr(), Options{NoBus: true}), newProcess(t, m.Addr(), Options{NoBus: true})
	f := a.reserve(t, "k")
	m.SetTime(now.Add(2 * time.Second))
	g := b.reserve(t, "k")
	if !g.slots[0].locked || b.counts.Count(cache.LockWaited) != 0 {
		t.Error("the lock has expired, and is not taken")
	}
	f.commits(t, cache.Stored, anEntry("a"))
	g.commits(t, cache.Refused, anEntry("b"))
}

func TestNobodyWaitsLongerThanLockWait(t *testing.T) {
	m := miniredis.RunT(t)
	b := newTimed(t, m, 200*time.Millisecond)
	a := newProcess(t, m.Addr(), Options{NoBus: true, LockWait: time.Minute})
	f := a.reserve(t, "k")
	began := b.now
	g := b.reserve(t, "k")
	if waited := b.now.Sub(began); waited != 200*time.Millisecond {
		t.Errorf("it has waited %v", waited)
	}
	if g.slots[0].locked || g.slots[0].token != f.slots[0].token || b.counts.Count(cache.LockLost) != 1 {
		t.Errorf("it goes on as %+v", g.slots[0])
	}
	g.commits(t, cache.Stored, anEntry("b"))
	f.commits(t, cache.Refused, anEntry("a"))
}

func TestLostKeysEndTheWait(t *testing.T) {
	m := miniredis.RunT(t)
	b := newTimed(t, m, time.Second)
	a := newProcess(t, m.Addr(), Options{NoBus: true})
	f := a.reserve(t, "k")
	b.during = m.FlushAll
	g := b.reserve(t, "k")
	if !g.slots[0].locked || b.pauses != 1 {
		t.Errorf("after %d pauses it is %+v", b.pauses, g.slots[0])
	}
	f.commits(t, cache.Refused, anEntry("a"))
	g.commits(t, cache.Stored, anEntry("b"))
}

func TestAFillWaitsOnlyIfOthersLoadAllOfIt(t *testing.T) {
	m := miniredis.RunT(t)
	p := newTimed(t, m, time.Second)
	waits := func(keys ...string) (*fill[string, string], bool) {
		before := p.pauses
		f := p.reserve(t, keys...)
		return f, p.pauses > before
	}
	a, waited := waits("a", "b")
	if waited {
		t.Error("the first waits")
	}
	if f, waited := waits("b", "c"); waited || f.slots[0].locked || !f.slots[1].locked {
		t.Error("it waits, although it has the lock of a key")
	}
	if f, waited := waits("a", ""); waited || f.slots[0].locked {
		t.Error("it waits, although one of its keys is never locked")
	}
	p.during, p.pauses = func() { a.Commit(t.Context(), anEntry("a"), anEntry("b")) }, 0
	f, waited := waits("b", "a")
	if !waited || f.Found(0) == nil || f.Found(1) == nil {
		t.Error("it does not wait for what others load")
	}
	if f, waited := waits("a", "c"); !waited || f.Found(0) == nil {
		t.Error("it does not wait for the half that it has not found")
	}
}

func TestAWriterEndsTheWait(t *testing.T) {
	m := miniredis.RunT(t)
	a, b := newHearing(t, m.Addr()), newHearing(t, m.Addr())
	a.reserve(t, "k")
	waits := b.later(t, "k")
	w, err := a.Quarantine(t.Context(), cache.Slot[string]{Key: "k"})
	must(t, err)
	g := <-waits
	if g.slots[0].locked || !g.slots[0].nostore {
		t.Errorf("it goes on as %+v", g.slots[0])
	}
	g.commits(t, cache.Passed, anEntry("who knows"))
	must(t, w.Cancel(t.Context()))
}

// After the invalidation of a tag the value is still there, and nobody can use it.
func TestAValueThatIsInvalidIsLoadedOnceToo(t *testing.T) {
	m := miniredis.RunT(t)
	p := newTimed(t, m, time.Second)
	slot := cache.Slot[string]{Key: "k", Tags: []string{"tag"}}
	for _, known := range []bool{true, false} {
		if out := loadDuring(t, p.Store, slot, func() {}, anEntry("old", "tag")); out != cache.Stored {
			t.Fatalf("the value is %v", out)
		}
		must(t, p.space.InvalidateTags(t.Context(), "tag"))
		if known { // by who has read the key since
			if e, err := p.Get(t.Context(), "k"); e != nil || err != nil {
				t.Fatalf("Get is %v, %v", e, err)
			}
		}
		f := p.reserve(t, "k")
		if p.pauses = 0; !f.slots[0].locked || f.Found(0) != nil {
			t.Fatalf("the first is %+v", f.slots[0])
		}
		p.during = func() { f.Commit(t.Context(), anEntry("new")) }
		if g := p.reserve(t, "k"); p.pauses != 1 || g.Found(0) == nil || g.Found(0).Value != "new" {
			t.Fatalf("the second has paused %d times and found %+v", p.pauses, g.Found(0))
		}
		must(t, p.Invalidate(t.Context(), "k"))
	}
}

func TestATokenWithoutALockIsFree(t *testing.T) {
	m := miniredis.RunT(t)
	p := newTimed(t, m, time.Second)
	off := newProcess(t, m.Addr(), Options{NoBus: true, LockWait: -1})
	f := off.reserve(t, "k")
	if raw, _ := m.Get(p.key("k")); len(raw) != headerSize {
		t.Fatalf("the token is %q", raw)
	}
	g := p.reserve(t, "k")
	if raw, _ := m.Get(p.key("k")); len(raw) != headerSize+lockSize || !g.slots[0].locked || g.slots[0].token != f.slots[0].token {
		t.Errorf("it is %+v, and there is %q", g.slots[0], raw)
	}
	if h := off.reserve(t, "k"); h.slots[0].locked || h.slots[0].busy != 0 || p.pauses != 0 {
		t.Errorf("without locks it is %+v", h.slots[0])
	}
	if ttl := m.TTL(p.key("k")); ttl <= 0 || ttl > fillLife {
		t.Errorf("the token lives for %v", ttl)
	}
	if e, err := p.Get(t.Context(), "k"); e != nil || err != nil || p.counts.Count(cache.MissWriter) != 1 {
		t.Errorf("a locked token is read as %v, %v", e, err)
	}
	f.commits(t, cache.Stored, anEntry("a"))
}

func TestWhoLeavesWaitsNoLonger(t *testing.T) {
	m := miniredis.RunT(t)
	a, b := newHearing(t, m.Addr()), newHearing(t, m.Addr())
	a.reserve(t, "k")
	ctx, leave := context.WithCancel(t.Context())
	b.space.clock.pause = func(ctx context.Context, woken, closing <-chan struct{}, d time.Duration) error {
		leave()
		return realClock.pause(ctx, woken, closing, time.Hour)
	}
	if f, err := b.Reserve(ctx, cache.Slot[string]{Key: "k"}); f != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves has %v, %v", f, err)
	}
	b.space.clock.pause = func(ctx context.Context, woken, closing <-chan struct{}, d time.Duration) error {
		go b.space.Close(context.Background())
		return realClock.pause(ctx, woken, closing, time.Hour)
	}
	if f, err := b.Reserve(t.Context(), cache.Slot[string]{Key: "k"}); f != nil || !errors.Is(err, cache.ErrClosed) {
		t.Errorf("when the space is closed, who waits has %v, %v", f, err)
	}
	if n := len(b.space.wakes.waits); n != 0 {
		t.Errorf("%d keys are waited for by nobody", n)
	}
}
