package meter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/larder-cache/larder/cache"
)

type bucket = cache.Bucket

func TestAMeterCountsWhatACounterDoes(t *testing.T) {
	for _, spread := range []bool{false, true} {
		var m Meter
		if spread {
			m.Spread(100)
		}
		var c cache.Counter
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for _, k := range append(cache.Kinds(), 254) {
					for n := range int(k) + i {
						e := cache.Event{Kind: k, N: n}
						m.Observe(e)
						c.Observe(e)
					}
				}
			})
		}
		wg.Wait()
		s := m.Stats()
		for _, k := range cache.Kinds() {
			if s.Counts.Of(k) != c.Count(k) || m.Count(k) != c.Count(k) || c.Count(k) == 0 {
				t.Errorf("spread %v: %v: %d and %d, not %d", spread, k, s.Counts.Of(k), m.Count(k), c.Count(k))
			}
		}
	}
}

func TestEventsGoToTheirHistograms(t *testing.T) {
	var m Meter
	m.Observe(cache.Event{Kind: cache.Load, N: 3, Took: 10})
	m.Observe(cache.Event{Kind: cache.Trip, N: 5, Took: 11})
	m.Observe(cache.Event{Kind: cache.Trip, Took: 11})
	m.Observe(cache.Event{Kind: cache.Heard, N: 1, Took: 12})
	m.Observe(cache.Event{Kind: cache.Invalidated, N: 1, Took: 13})
	s := m.Stats()
	for name, c := range map[string]struct {
		h          cache.Histogram
		count, sum int64
	}{"loads": {s.Loads, 1, 10}, "trips": {s.Trips, 2, 22}, "lag": {s.Lag, 1, 12}, "batch": {s.Batch, 2, 6}} {
		if c.h.Count != c.count || c.h.Sum != c.sum {
			t.Errorf("%s: %+v", name, c.h)
		}
	}
}

func TestFailuresAreCountedOnceByClass(t *testing.T) {
	var m Meter
	for _, e := range []cache.Event{
		{Kind: cache.Load, N: 7, Err: errors.New("no")},
		{Kind: cache.StaleOnError, N: 7, Err: errors.New("no")}, // the same
		{Kind: cache.LoadSpared, Err: errors.New("no")},
		{Kind: cache.BreakerOpened, Err: context.DeadlineExceeded},
		{Kind: cache.Unavailable, N: 3, Err: context.DeadlineExceeded},
		{Kind: cache.Trip, Took: time.Second, Err: context.DeadlineExceeded},
		{Kind: cache.LoadRefused, Err: cache.ErrOverloaded},
		{Kind: 255, Err: errors.New("no")},
	} {
		m.Observe(e)
	}
	s := m.Stats()
	if s.Errors.Of(cache.ClassOther) != 1 || s.Errors.Of(cache.ClassTimeout) != 2 || s.Errors.Of(cache.ClassOverload) != 1 || s.Errors.All() != 4 {
		t.Errorf("the errors are %v", s.Errors)
	}
}

func TestStripesAreApartAndFew(t *testing.T) {
	if size := unsafe.Sizeof(stripe{}); size%128 != 0 || size > 512 {
		t.Errorf("a stripe has %d bytes", size)
	}
	for processors, want := range map[int]int{1: 8, 2: 8, 3: 16, 8: 32, 1000: maxStripes} {
		var m Meter
		if m.Spread(processors); len(m.stripes) != want {
			t.Errorf("for %d processors there are %d stripes", processors, len(m.stripes))
		}
	}
}

func TestGoroutinesSpreadOverTheStripes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Meter
		m.Spread(16)
		all := make(chan struct{})
		for range 64 {
			go func() {
				m.Add(cache.Hit, 1)
				<-all // so that each has a stack of its own
			}()
		}
		synctest.Wait()
		close(all)
		used := 0
		for i := range m.stripes {
			if m.stripes[i].n[cache.Hit].Load() > 0 {
				used++
			}
		}
		if used < 16 || m.Count(cache.Hit) != 64 {
			t.Errorf("64 goroutines use %d stripes of %d for %d events", used, len(m.stripes), m.Count(cache.Hit))
		}
	})
}

func TestObservingAllocatesNothing(t *testing.T) {
	var m Meter
	e := cache.Event{Kind: cache.Trip, N: 2, Took: time.Second, Err: fmt.Errorf("a read: %w", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded})}
	m.Observe(e)
	if n := testing.AllocsPerRun(100, func() { m.Observe(e) }); n != 0 {
		t.Errorf("an event allocates %v times", n)
	}
	if n := m.Stats().Errors.Of(cache.ClassTimeout); n < 100 {
		t.Errorf("%d timeouts are counted", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, spread := range []bool{false, true} {
		var m Meter
		if spread {
			m.Spread(2)
		}
		b.Run(map[bool]string{false: "shared", true: "spread"}[spread], func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					m.Add(cache.Hit, 1)
				}
			})
		})
	}
}
