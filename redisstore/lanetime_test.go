package redisstore

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
)

func TestLaneTime_AClockThatMayBeOursIs(t *testing.T) {
	var l laneTime
	now := time.Now()
	at := func(d time.Duration) time.Time { return now.Add(d) }
	for _, c := range []struct {
		clock, sent, received, want time.Duration
	}{
		{20 * time.Millisecond, 0, 40 * time.Millisecond, 0},                         // on the way
		{8 * time.Millisecond, 0, 0, 0},                                              // a little ahead
		{time.Minute, 0, 0, time.Minute},                                             // another clock
		{time.Minute + 150*time.Millisecond, 0, 200 * time.Millisecond, time.Minute}, // which this does not contradict
		{time.Minute + 205*time.Millisecond, 200 * time.Millisecond, 200 * time.Millisecond, time.Minute},
		{59 * time.Second, 200 * time.Millisecond, 200 * time.Millisecond, time.Minute}, // an answer that was overtaken
		{2 * time.Minute, 0, 10 * time.Second, 115 * time.Second},                       // the server's clock was set
		{2*time.Minute + time.Second, 10 * time.Second, 10 * time.Second, 111 * time.Second},
	} {
		l.heard(cache.MomentOf(at(c.clock)), at(c.sent), at(c.received))
		if got := l.known.Load().ahead; got.Round(time.Second/100) != c.want.Round(time.Second/100) {
			t.Errorf("a clock that shows %v between %v and %v is ahead by %v, not %v", c.clock, c.sent, c.received, got, c.want)
		}
	}
}

func TestLaneTime_WhatIsKnownFades(t *testing.T) {
	now := time.Now()
	k := knownTime{at: now}
	if got := k.age(now.Add(time.Second)); got != time.Second {
		t.Errorf("after a second it is %v old", got)
	}
	for _, wall := range []time.Duration{2 * time.Second, -2 * time.Second} {
		k := knownTime{at: now.Add(wall).Round(0)} // a wall clock that was set since
		k.at = now
		set := wallSet(now, wall)
		if got := k.age(set); got <= faded {
			t.Errorf("after the wall clock was set by %v it is %v old", wall, got)
		}
	}
}

// What is read never lives for longer than it was to live in all, whatever is known of
// the clock of its lane.
func TestMoments_AnEntryWasSentBeforeItIsRead(t *testing.T) {
	const now, life = cache.Moment(1_700_000_000_000), 10_000
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour, math.MaxInt64, math.MinInt64 + 1} {
		for _, theirs := range []time.Duration{0, time.Minute, -time.Minute, 1000 * time.Hour} {
			var e envelope
			e.at(now, now+life, now+2*life, now-5, theirs)
			fresh, expires, loaded := e.moments(now+1, ahead)
			if fresh > now+1+life || expires > now+1+2*life || loaded > now || loaded <= 0 {
				t.Errorf("with %v instead of %v it is fresh for %v, expires in %v, and was loaded %v ago", ahead, theirs, fresh.Sub(now), expires.Sub(now), now.Sub(loaded))
			}
			if theirs == ahead && (fresh != now+life || expires != now+2*life || loaded != now-5) {
				t.Errorf("with %v: %v, %v and %v", ahead, fresh, expires, loaded)
			}
		}
	}
}

func TestMoments_ForeverIsForever(t *testing.T) {
	var e envelope
	e.at(cache.Now(), cache.Forever, cache.Forever, 0, time.Hour)
	if fresh, expires, loaded := e.moments(cache.Now(), -time.Hour); fresh != cache.Forever || expires != cache.Forever || loaded != 0 {
		t.Errorf("it is %d, %d and %d", fresh, expires, loaded)
	}
}

// An earlier program has written the moments of its own clock.
func TestMoments_OfAnEarlierProgramAreCountedFromWhenItWasStored(t *testing.T) {
	const stored = cache.Moment(1_700_000_000_000)
	nonce := binary.BigEndian.AppendUint64([]byte{kindValue}, uint64(stored)*1000+7)
	for _, skew := range []time.Duration{0, time.Minute, -time.Minute} {
		theirs := stored.Add(skew)
		e := envelope{header: string(nonce) + "12345678", loaded: theirs, fresh: theirs + 2000, expires: theirs + 3000}
		for _, ahead := range []time.Duration{0, time.Hour} { // of our clock
			ours := stored.Add(-ahead)
			fresh, expires, loaded := e.moments(ours+500, ahead)
			if fresh != ours+2000 || expires != ours+3000 || loaded != ours {
				t.Errorf("skew %v, ahead %v: fresh for %d, expires in %d, loaded %d ago", skew, ahead, fresh-ours, expires-ours, ours-loaded)
			}
		}
		e.loaded = 0 // nothing else is known
		if fresh, expires, loaded := e.moments(stored+500, 0); fresh != theirs+2000 || expires != theirs+3000 || loaded != 0 {
			t.Errorf("skew %v: %d, %d and %d", skew, fresh, expires, loaded)
		}
	}
}

// stepping returns two processes, and what sets the clock of their server.
func stepping(t *testing.T) (a, b process, server *miniredis.Miniredis, set func(time.Duration)) {
	server = miniredis.RunT(t)
	o := Options{NoBus: true}
	a, b = newProcess(t, server.Addr(), o), newProcess(t, server.Addr(), o)
	return a, b, server, func(d time.Duration) {
		server.SetTime(time.Now().Add(d))
		for _, p := range []process{a, b} {
			must(t, p.space.askTime(t.Context(), 0))
		}
	}
}

// left returns for how much longer a process takes a value for fresh, -1 if it has none.
func (p process) left(t *testing.T, key string) time.Duration {
	t.Helper()
	e, err := p.Get(t.Context(), key)
	must(t, err)
	if e == nil {
		return -1
	}
	return e.Fresh.Sub(cache.Now())
}

func TestLaneTime_AServerWhoseClockIsSetBackMakesNothingLiveLonger(t *testing.T) {
	for _, lost := range []bool{false, true} {
		a, b, server, set := stepping(t)
		set(0)
		put := func(key string, life time.Duration) {
			now := cache.Now()
			e := &cache.Entry[string]{Fresh: now.Add(life), Expires: now.Add(life)}
			e.SetLoaded(now)
			a.reserve(t, key).commits(t, cache.Stored, e)
		}
		put("before", time.Hour)
		if lost {
			server.Del(a.space.laneKey(0)) // the processes know what the time was
		}
		set(-24 * time.Hour)
		put("after", time.Hour)
		set(-25 * time.Hour)
		c := newProcess(t, server.Addr(), Options{NoBus: true}) // which has never heard of an earlier time
		for _, key := range []string{"before", "after"} {
			for _, p := range []process{b, c} {
				if left := p.left(t, key); left < 59*time.Minute || left > time.Hour+time.Second {
					t.Errorf("lost: %v: what was stored %s the clock was set back is fresh for %v", lost, key, left)
				}
			}
		}
	}
}

// An entry of which half of the life is over has the other half left, whatever happens to
// the server's clock then, and also if the hash of the lane is lost together with that.
func TestLaneTime_AServerWhoseClockIsSetBackMakesNothingYounger(t *testing.T) {
	for _, lost := range []bool{false, true} {
		a, b, server, set := stepping(t)
		set(0)
		now := cache.Now()
		e := &cache.Entry[string]{Fresh: now.Add(time.Hour), Expires: now.Add(time.Hour)}
		e.SetLoaded(now)
		a.reserve(t, "k").commits(t, cache.Stored, e)
		set(30 * time.Minute)
		if lost {
			server.Del(a.space.laneKey(0)) // the processes know what the time was
		}
		set(-24 * time.Hour)
		c := newProcess(t, server.Addr(), Options{NoBus: true}) // which has never heard of an earlier time
		for who, p := range map[string]process{"who stored it": a, "a reader": b, "a newcomer": c} {
			if left := p.left(t, "k"); left < 29*time.Minute || left > 30*time.Minute+time.Second {
				t.Errorf("lost: %v: for %s it is fresh for %v", lost, who, left)
			}
		}
	}
}

func TestLaneTime_AServerWhoseClockIsSetForwardMakesNothingLiveLonger(t *testing.T) {
	a, b, server, set := stepping(t)
	set(0)
	a.reserve(t, "before").commits(t, cache.Stored, anEntry("x"))
	life := anEntry("x").Fresh.Sub(cache.Now())
	set(life / 2)
	if left := b.left(t, "before"); left > life/2+time.Second || left < life/2-time.Second {
		t.Errorf("it is fresh for %v, of %v, after the clock was set forward by a half", left, life)
	}
	// One process does not know of it yet.
	server.SetTime(time.Now().Add(2 * life))
	must(t, a.space.askTime(t.Context(), 0))
	a.reserve(t, "after").commits(t, cache.Stored, anEntry("x"))
	if left := b.left(t, "after"); left > life+time.Second || left < life-time.Second {
		t.Errorf("with an old idea of the clock it is fresh for %v, of %v", left, life)
	}
}

// A process that knows nothing of the clock asks, or does without the value.
func TestLaneTime_IsAskedForOnce(t *testing.T) {
	a, b, server, _ := stepping(t)
	a.reserve(t, "k").commits(t, cache.Stored, anEntry("x"))
	b.left(t, "k") // it has connected
	count := func(f func()) int64 {
		before := b.space.Stats().Trips.Count
		f()
		return int64(b.space.Stats().Trips.Count - before)
	}
	b.space.times[0].known.Store(nil)
	if n := count(func() { b.left(t, "k") }); n != 2 {
		t.Errorf("a hit without the clock takes %d trips", n)
	}
	for range 3 {
		if n := count(func() { b.left(t, "k") }); n != 1 {
			t.Errorf("the next takes %d trips", n)
		}
	}
	old := *b.space.times[0].known.Load()
	old.at = old.at.Add(-faded - time.Second)
	b.space.times[0].known.Store(&old)
	if n := count(func() { b.left(t, "k") }); n != 2 {
		t.Errorf("a hit with a clock that was heard of a minute ago takes %d trips", n)
	}
	b.space.times[0].known.Store(nil)
	server.Set(a.space.laneKey(0), "no hash") // which the script mends
	if left := b.left(t, "k"); left <= 0 {
		t.Errorf("it is fresh for %v", left)
	}
}

// The server's clock says who has died only if nobody has set it.
func TestRoll_AServerWhoseClockIsSetForgetsNobodyAlive(t *testing.T) {
	server := miniredis.RunT(t)
	a, b := newProcess(t, server.Addr(), Options{NoBus: true}), newProcess(t, server.Addr(), Options{NoBus: true})
	now := time.Now()
	listed := func(p process) bool { return server.HGet(a.space.laneKey(0), "m:"+p.space.id) != "" }
	beat := func(p process, r *roll) {
		t.Helper()
		if age, expected := r.due(now, p.space.lease); true {
			c := beatScript.call(t.Context(), []string{p.space.laneKey(0)}, random(8), 3_600_000, p.space.id, "", 0, age, expected)
			must(t, p.space.run(t.Context(), c))
			m, err := parseTime(c.strings()[2])
			must(t, err)
			if age != "" || r.at.IsZero() {
				*r = roll{now, int64(m)}
			}
		}
	}
	theirs := now
	pass := func(real, shown time.Duration) {
		now, theirs = now.Add(real), theirs.Add(shown)
		server.SetTime(theirs)
	}
	pass(0, 0)
	var ra, rb roll
	beat(a, &ra)
	beat(b, &rb)
	for _, set := range []time.Duration{2 * time.Hour, -2 * time.Hour} {
		pass(11*time.Second, set)
		if beat(a, &ra); !listed(b) {
			t.Fatalf("the clock was set by %v, and who beats is forgotten", set)
		}
		beat(b, &rb)
	}
	for range 5 { // b beats no more
		pass(11*time.Second, 11*time.Second)
		if beat(a, &ra); !listed(a) || !listed(b) {
			t.Fatal("who has just beaten is forgotten")
		}
	}
	pass(11*time.Second, 11*time.Second)
	if beat(a, &ra); listed(b) || !listed(a) {
		t.Error("who has not beaten for a minute is still listed")
	}
	beat(b, &rb)
	pass(11*time.Second, -3*time.Hour) // b dies before the clock is set back
	beat(a, &ra)
	pass(11*time.Second, 11*time.Second)
	if beat(a, &ra); listed(b) {
		t.Error("who has died before the clock was set back is listed for hours")
	}
}
