package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
)

// What is stored says until when it is fresh and when it expires by the clock of its
// lane, which all processes share: that of the server, made so that it never goes back
// (see lua/time.lua). Each process knows by how much that is ahead of its own clock,
// from beats, from new connections, or because it has asked. Then a value costs no
// question of its own, and no clock of a process is compared with that of another.

const (
	// likeOurs is how far a lane's clock may be from what was taken for it until it is
	// taken for another. What is stored therefore lives by so much, and the time that
	// a command takes to the server, longer or shorter.
	likeOurs = 10 * time.Millisecond
	// fading is after which time a use has the clock looked at in the background, and
	// faded after which it waits for that: the clocks of machines run at rates of their
	// own.
	fading, faded = 20 * time.Second, time.Minute
	// apart is from which difference on the wall clock was set or the machine has slept
	// since the lane's clock was looked at.
	apart = time.Second
	// latest is the last time that a lane can have, in milliseconds: in the year 2200.
	latest = 7_258_118_400_000
)

// laneTime is the clock of a lane as this process knows it.
type laneTime struct {
	known  atomic.Pointer[knownTime] // nil if it is not known at all
	mu     sync.Mutex                // held by who asks
	asking atomic.Bool               // in the background
}

type knownTime struct {
	ahead time.Duration // of our own clock, in whole milliseconds
	last  cache.Moment  // of the lane's clock, that was heard of
	at    time.Time     // when that was
}

// heard notes that the lane's clock was at m at some time between two moments.
func (l *laneTime) heard(m cache.Moment, sent, received time.Time) {
	least, most := m.Sub(cache.MomentOf(received)), m.Sub(cache.MomentOf(sent))
	for {
		old := l.known.Load()
		now := knownTime{last: m, at: received}
		if old != nil {
			if m < old.last {
				return // it has overtaken a later one
			}
			now.ahead = old.ahead
		}
		// A clock that may be the same as ours is, so that what was stored comes back
		// with the same moments.
		if now.ahead < least-likeOurs || now.ahead > most+likeOurs {
			now.ahead = ((least + most) / 2).Round(time.Millisecond)
		}
		if l.known.CompareAndSwap(old, &now) {
			return
		}
	}
}

// last returns the last time of the lane that was heard of, for a script.
func (l *laneTime) last() int64 {
	if k := l.known.Load(); k != nil {
		return int64(k.last)
	}
	return 0
}

// age returns how old what is known is. If the wall clock and the monotonic one do not
// agree on that, nothing is known.
func (k *knownTime) age(now time.Time) time.Duration {
	age := now.Sub(k.at)
	if wall := now.Round(0).Sub(k.at.Round(0)); max(age-wall, wall-age) > apart {
		return faded + 1
	}
	return age
}

// ahead returns by how much the clock of a lane is ahead of cache.Now. It asks the
// server, in a round trip, only if this process has not heard of it for long.
func (s *Space) ahead(ctx context.Context, lane int) (time.Duration, error) {
	l := &s.times[lane]
	if k := l.known.Load(); k != nil {
		switch age := k.age(time.Now()); {
		case age <= fading:
			return k.ahead, nil
		case age <= faded:
			if !l.asking.Swap(true) {
				s.errands.run(func() {
					defer l.asking.Store(false)
					s.askTime(context.Background(), lane) // if it fails, the next who needs it asks
				})
			}
			return k.ahead, nil
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.known.Load(); k != nil && k.age(time.Now()) <= fading {
		return k.ahead, nil // somebody else has just asked
	}
	if err := s.askTime(ctx, lane); err != nil {
		return 0, err
	}
	return l.known.Load().ahead, nil
}

func (s *Space) askTime(ctx context.Context, lane int) error {
	c := s.timeCall(ctx, lane)
	sent := time.Now()
	if err := s.run(ctx, c); err != nil {
		return err
	}
	m, err := parseTime(c.text())
	if err != nil {
		return err
	}
	s.times[lane].heard(m, sent, time.Now())
	return nil
}

// timeCall returns the call that asks for the time of a lane.
func (s *Space) timeCall(ctx context.Context, lane int) *call {
	return clockScript.call(ctx, []string{s.laneKey(lane)}, s.tagLife.Load(), s.times[lane].last())
}

// parseTime returns the time of a lane as a script writes it.
func parseTime(text string) (cache.Moment, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms <= 0 || ms > latest {
		return 0, fmt.Errorf("%w: %.20q is not the time of a lane", errUnavailable, text)
	}
	return cache.Moment(ms), nil
}
