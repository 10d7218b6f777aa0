package verify

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	ours "github.com/larder-cache/larder/internal/clock"
)

// The processes of a round have clocks of their own: each is started while its wall
// clock is wrong, and some are set while they run. That must not make anything live
// longer.

const (
	// For how long a value that only time ends is fresh, and then stale; life is when it
	// may not be returned any more.
	freshTime = 600 * time.Millisecond
	staleTime = 200 * time.Millisecond
	life      = freshTime + staleTime
	// grace is by how much longer, as a process may be stopped between its load and
	// the moment from which that counts, and while it asks a server for the time.
	grace = 2 * time.Second
)

// skewOf returns by how much the clock of a process is ahead when it is started.
func skewOf(seed uint64, number int) time.Duration {
	r := rand.New(rand.NewPCG(seed, uint64(number)+1<<32))
	skews := []time.Duration{0, time.Minute, -time.Minute, 5 * time.Second, -5 * time.Second, 20 * time.Millisecond, 24 * time.Hour, -time.Hour}
	return skews[r.IntN(len(skews))]
}

// stepClock sets the wall clock of a process, back and forward, until ctx ends.
func stepClock(ctx context.Context, f *field, s step) error {
	r := rand.New(rand.NewPCG(s.Seed, 0))
	return every(ctx, 50*ms, func() error {
		f.crew.stepClock(s.Victim, between(r, -time.Hour, time.Hour))
		return nil
	})
}

// stepClock has process i see a wall clock that was set by d since its start.
func (c *crew) stepClock(i int, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[i].notes.wall.Store(int64(d))
}

// wear starts the process with its clock, and sets it as it is told until done is
// closed.
func (o *orders) wear(j *journal, done <-chan struct{}) (wait func()) {
	ours.Skew(o.Skew)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				ours.Step(time.Duration(j.wall.Load()))
			}
		}
	})
	return wg.Wait
}

// ages is how old what was read has been.
type ages struct {
	reads, late atomic.Int64
	longest     atomic.Int64
}

// read notes a read that began when the value had been loaded for so long.
func (a *ages) read(age time.Duration) {
	a.reads.Add(1)
	if age > life+grace {
		a.late.Add(1)
	}
	for {
		old := a.longest.Load()
		if int64(age) <= old || a.longest.CompareAndSwap(old, int64(age)) {
			return
		}
	}
}

// lives returns what the processes of a round have seen of lives.
func lives(journals []*journal) *Rule {
	r := &Rule{Name: ruleLives}
	for _, j := range journals {
		r.Reads += int(j.ages.reads.Load())
		r.Stale += int(j.ages.late.Load())
		r.Longest = max(r.Longest, time.Duration(j.ages.longest.Load()))
	}
	if r.Stale > 0 {
		r.first = "a value that was loaded " + r.Longest.String() + " ago, of " + life.String()
	}
	return r
}
