package redisstore

import (
	"testing"
	"time"
)

// Without options, a server that is far away has more time than one that is near, up to a
// limit; what an option says stays.
func TestPace_FollowsTheRoundTrip(t *testing.T) {
	for _, c := range []struct {
		trip, timeout, slow, bound, slowness time.Duration
	}{
		{0, 0, 0, 100 * time.Millisecond, 25 * time.Millisecond},
		{5 * time.Millisecond, 0, 0, 120 * time.Millisecond, 35 * time.Millisecond},
		{20 * time.Millisecond, 0, 0, 180 * time.Millisecond, 65 * time.Millisecond},
		{50 * time.Millisecond, 0, 0, 300 * time.Millisecond, 125 * time.Millisecond},
		{time.Second, 0, 0, time.Second, time.Second},
		{50 * time.Millisecond, 200 * time.Millisecond, 0, 200 * time.Millisecond, 150 * time.Millisecond},
		{50 * time.Millisecond, 0, 40 * time.Millisecond, 300 * time.Millisecond, 40 * time.Millisecond},
	} {
		p := pace{timeout: c.timeout, slow: c.slow}
		p.trip.Store(int64(c.trip))
		if p.bound() != c.bound || p.slowness() != c.slowness {
			t.Errorf("%+v: an operation may take %v, and is slow after %v", c, p.bound(), p.slowness())
		}
	}
}
