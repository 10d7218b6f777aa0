package latency

import (
	"math"
	"sync"
	"testing"
	"time"
)

func TestPulseKnowsQuantilesToAnEighth(t *testing.T) {
	var p Pulse
	for _, unit := range []time.Duration{1, 100, time.Microsecond, time.Millisecond, time.Minute} {
		var workers sync.WaitGroup
		for w := range 4 {
			workers.Go(func() {
				for i := w; i < 1000; i += 4 {
					p.Record(time.Duration(i+1) * unit)
				}
			})
		}
		workers.Wait()
		if got, want := p.Take(0.99), 990*unit; math.Abs(float64(got-want)) > float64(want)/8 {
			t.Errorf("the p99 is %v, not %v", got, want)
		}
		if again := p.Take(0.99); again != 0 {
			t.Errorf("taken again, the p99 is %v", again)
		}
	}
	p.Record(-1)
	if got := p.Take(0.5); got != 1 {
		t.Errorf("less than nothing is %v", got)
	}
}
