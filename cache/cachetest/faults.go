package cachetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrInjected is the error of calls that were made to fail.
var ErrInjected = errors.New("cachetest: the call was made to fail")

// Faults are what goes wrong with calls of a store. The zero Faults are none.
type Faults struct {
	// Fail is the share of calls that fail and have done nothing.
	Fail float64
	// Lose is the share of calls that have done what they should and fail
	// nevertheless: the answer is lost.
	Lose float64
	// Repeat is the share of invalidations that happen once more, up to Delay
	// later, as does a command that was sent again.
	Repeat float64
	// Delay is how long a call takes at most before it does anything.
	Delay time.Duration
	// Hang makes calls wait until their context ends, and do nothing.
	Hang bool
	// Err is the error of calls that fail, ErrInjected by default.
	Err error
}

// check panics on shares that are none.
func (f Faults) check() {
	for name, share := range map[string]float64{"Fail": f.Fail, "Lose": f.Lose, "Repeat": f.Repeat} {
		checkShare("Faults."+name, share)
	}
	checkDelay("Faults.Delay", f.Delay)
}

func checkShare(name string, share float64) {
	if !(share >= 0 && share <= 1) {
		panic(fmt.Sprintf("larder: cachetest: %s is %v: it is a share and must be between 0 and 1", name, share))
	}
}

func checkDelay(name string, d time.Duration) {
	if d < 0 {
		panic(fmt.Sprintf("larder: cachetest: %s is %v: it cannot be negative", name, d))
	}
}

// Counts says how often faults have happened.
type Counts struct {
	Calls, Failed, Lost, Repeated, Hung int
}

// injector makes calls go wrong.
type injector struct {
	mu     sync.Mutex
	r      *rand.Rand
	faults Faults
	counts Counts
	later  sync.WaitGroup
	closed chan struct{}
}

func newInjector(seed uint64) *injector {
	return &injector{r: rand.New(rand.NewPCG(seed, 0)), closed: make(chan struct{})}
}

// Set has faults from now on, in place of those before. Shares are drawn by the
// seed. It panics if a share is not between 0 and 1.
func (i *injector) Set(f Faults) {
	f.check()
	if f.Err == nil {
		f.Err = ErrInjected
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = f
}

// Counts returns how often faults have happened.
func (i *injector) Counts() Counts {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.counts
}

// draw decides what becomes of a call.
func (i *injector) draw() (f Faults, fail, lose, repeat bool, delay, later time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f = i.faults
	i.counts.Calls++
	chance := func(share float64) bool { return share > 0 && i.r.Float64() < share }
	fail, lose, repeat = chance(f.Fail), chance(f.Lose), chance(f.Repeat)
	if f.Delay > 0 {
		delay, later = time.Duration(i.r.Int64N(int64(f.Delay)+1)), time.Duration(i.r.Int64N(int64(f.Delay)+1))
	}
	return
}

func (i *injector) count(n *int) {
	i.mu.Lock()
	*n++
	i.mu.Unlock()
}

// do makes a call, or not. What is called again is done by again, if that is not
// nil.
func (i *injector) do(ctx context.Context, call func() error, again func()) error {
	f, fail, lose, repeat, delay, later := i.draw()
	if f.Hang {
		i.count(&i.counts.Hung)
		<-ctx.Done()
		return ctx.Err()
	}
	if err := pause(ctx, delay); err != nil {
		return err
	}
	if fail {
		i.count(&i.counts.Failed)
		return f.Err
	}
	err := call()
	if err == nil && repeat && again != nil {
		i.count(&i.counts.Repeated)
		i.later.Go(func() {
			timer := time.NewTimer(later)
			defer timer.Stop()
			select {
			case <-timer.C:
				again()
			case <-i.closed:
			}
		})
	}
	if err == nil && lose {
		i.count(&i.counts.Lost)
		return f.Err
	}
	return err
}

// close ends what is to happen later.
func (i *injector) close() {
	close(i.closed)
	i.later.Wait()
}

func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
