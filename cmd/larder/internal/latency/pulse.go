package latency

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Pulse is a coarse histogram that many goroutines record into, for a look at what is
// going on: its quantiles are right to an eighth.
type Pulse struct {
	counts [64 * 8]atomic.Uint32
}

// Record counts d.
func (p *Pulse) Record(d time.Duration) {
	x := uint64(max(d, 1))
	octave := bits.Len64(x) - 1
	eighth := uint64(0)
	if octave >= 3 {
		eighth = x >> (octave - 3) & 7
	}
	p.counts[octave*8+int(eighth)].Add(1)
}

// Take returns a quantile of what was recorded since it was last called, 0 if nothing
// was.
func (p *Pulse) Take(q float64) time.Duration {
	var counts [len(p.counts)]uint32
	var all uint64
	for i := range p.counts {
		counts[i] = p.counts[i].Swap(0)
		all += uint64(counts[i])
	}
	left := uint64(q * float64(all))
	for i, n := range counts {
		if uint64(n) > left {
			octave, eighth := i/8, uint64(i%8)
			return time.Duration((8+eighth)<<octave/8 + 1<<octave/16)
		}
		left -= uint64(n)
	}
	return 0
}
