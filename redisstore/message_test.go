package redisstore

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

func aTail(seq uint64) logTail { return logTail{strings.Repeat("l", 16), 7 + seq, seq} }

// framed is what the script makes of a payload.
func framed(previous, next logTail, p payload) string {
	a, b := previous.String(), next.String()
	return string(rune(len(a))) + a + string(rune(len(b))) + b + p.encode()
}

func TestAMessageComesBackAsItWasSent(t *testing.T) {
	for _, want := range []message{
		{aTail(1), aTail(2), payload{}},
		{logTail{}, aTail(1), payload{keys: []uint32{0, 1 << 31}, tags: []string{"", "org:acme", strings.Repeat("t", 300)}}},
		{aTail(9), aTail(10), payload{ack: true, all: true, tags: []string{"kt"}}},
	} {
		got, err := parseMessage(framed(want.previous, want.next, want.payload))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, not %+v", got, err, want)
		}
	}
}

// aLane returns a lane of a space that has no server.
func aLane(t *testing.T) (*lane, *Space) {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { rdb.Close() })
	space, err := Open(t.Context(), rdb, "chain", &Options{NoBus: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return newLane(space, 0), space
}

func TestOnlyAnUnbrokenChainIsTrusted(t *testing.T) {
	l, space := aLane(t)
	guard := func() interface{ stands() bool } {
		w := space.WatchKey(1)
		g, ok := w.Guard(nil)
		if !ok {
			t.Fatal("no guard")
		}
		return guardState{g}
	}
	step := func(what string, previous, next logTail, p payload, stands bool) {
		t.Helper()
		g := guard()
		l.apply(framed(previous, next, p))
		if g.stands() != stands {
			t.Errorf("%s: what was in memory stands: %v", what, !stands)
		}
	}
	step("the first message", logTail{}, aTail(1), payload{}, false)
	step("the next", aTail(1), aTail(2), payload{keys: []uint32{2}}, true)
	step("of this key", aTail(2), aTail(3), payload{keys: []uint32{1}}, false)
	step("after one that was lost", aTail(4), aTail(5), payload{}, false)
	step("the next again", aTail(5), aTail(6), payload{}, true)
	step("after a tail that was lost", logTail{}, aTail(7), payload{}, false)
	step("of everything", aTail(7), aTail(8), payload{all: true}, false)
	nonsense := guard()
	l.apply("nonsense")
	if nonsense.stands() {
		t.Error("a message that cannot be read is no gap")
	}
	step("after nonsense, without a tail", logTail{}, aTail(9), payload{}, false)
	// What wakes those who wait is no part of the log.
	g, messages := guard(), l.messages
	l.apply(wakeMessage([]uint32{1}))
	if !g.stands() || l.messages != messages {
		t.Error("a wake drops what is in memory")
	}
	step("the next after a wake", aTail(9), aTail(10), payload{}, true)
}

func FuzzParseMessage(f *testing.F) {
	f.Add(framed(aTail(1), aTail(2), payload{keys: []uint32{1}, tags: []string{"tag"}}))
	f.Add(framed(logTail{}, aTail(2), payload{ack: true, all: true}))
	f.Add("")
	f.Add(wakeMessage([]uint32{1, 1 << 31}))
	f.Fuzz(func(t *testing.T, raw string) {
		cheap(t, raw, func() { parseMessage(raw) })
		cheap(t, raw, func() { parseWake(raw) })
		m, err := parseMessage(raw)
		if hashes, ok := parseWake(raw); ok && (err == nil || wakeMessage(hashes) != raw) {
			t.Fatalf("a wake of %v is a message, %v, or comes back as another", hashes, err)
		}
		if err != nil {
			return
		}
		again, err := parseMessage(framed(m.previous, m.next, m.payload))
		if err != nil || !reflect.DeepEqual(m.payload, again.payload) {
			t.Fatalf("%+v comes back as %+v, %v", m, again, err)
		}
	})
}

type guardState struct{ g cache.Guard }

func (s guardState) stands() bool { return s.g.Trust(time.Now()) != cache.Invalid }

// The answer to the first beat may come after the first message, which is newer.
func TestALaneThatASlowBeatHasSetBackCatchesUpWithTheNext(t *testing.T) {
	l, _ := aLane(t)
	long := func(messages uint64) asking { return asking{time.Now().Add(-time.Hour), messages, 0} } // ago, so that nothing is waited for
	l.apply(framed(aTail(1), aTail(2), payload{}))
	l.reach(t.Context(), aTail(1), long(0))
	if l.applied != aTail(1) {
		t.Fatalf("the lane is at %v", l.applied)
	}
	l.reach(t.Context(), aTail(2), long(l.messages-1)) // a message has come since, so this may be older
	if l.applied != aTail(1) {
		t.Errorf("the lane is at %v by the answer to a beat that a message has overtaken", l.applied)
	}
	l.reach(t.Context(), aTail(2), long(l.messages))
	if l.applied != aTail(2) {
		t.Errorf("after another beat the lane is at %v", l.applied)
	}
	// A server that comes back with less must be noticed by its next message.
	l.reach(t.Context(), aTail(1), long(l.messages))
	if l.applied != aTail(2) {
		t.Errorf("the lane went back to %v", l.applied)
	}
}

// What is published between a beat and the subscription will not come.
func TestALaneDoesNotWaitForWhatWasPublishedBeforeItsSubscription(t *testing.T) {
	l, _ := aLane(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // less than half of the lease
	defer cancel()
	l.space.lease = time.Hour
	reach := func(seq uint64, a asking) {
		t.Helper()
		l.reach(ctx, aTail(seq), a)
		if ctx.Err() != nil {
			t.Fatal("it was waited for")
		}
		if l.applied != aTail(seq) {
			t.Fatalf("the lane is at %v", l.applied)
		}
	}
	reach(1, l.asks())
	before := l.asks()
	l.subscription(true, nil)
	reach(2, before)
	reach(3, l.asks())
	// From here on it comes, if it takes its time.
	after := l.asks()
	go l.apply(framed(aTail(3), aTail(4), payload{}))
	gaps := l.gaps
	reach(4, after)
	if l.gaps != gaps {
		t.Error("a message that was under way is taken for lost")
	}
	l.subscription(false, nil)
	l.subscription(true, nil)
	reach(5, after)
}
