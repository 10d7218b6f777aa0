package outage

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestQuantilesAreNearestRanks(t *testing.T) {
	var hundred []time.Duration
	for _, i := range rand.Perm(100) {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, c := range []struct {
		all  []time.Duration
		q    float64
		want time.Duration
	}{
		{nil, 0.99, 0},
		{[]time.Duration{7}, 0.5, 7},
		{[]time.Duration{7}, 0, 7},
		{[]time.Duration{3, 1, 2}, 0.5, 2},
		{[]time.Duration{4, 3, 1, 2}, 0.5, 2},
		{hundred, 0.99, 99},
		{hundred, 0.5, 50},
		{hundred, 1, 100},
		{hundred, 0.991, 100},
	} {
		if got := sorted(c.all).at(c.q); got != c.want {
			t.Errorf("%v of %d times is %v, not %v", c.q, len(c.all), got, c.want)
		}
	}
}

const ms = time.Millisecond

func (b *buckets) add(at time.Duration, hit bool) {
	if b.read(at); hit {
		b.hit(at)
	}
}

func TestRatiosAreOfWholeBuckets(t *testing.T) {
	b := newBuckets(time.Second)
	for at := time.Duration(0); at < time.Second; at += 10 * ms {
		b.add(at, at >= 500*ms)
	}
	b.add(time.Hour, true) // after the end: nobody asks
	for _, c := range []struct {
		from, to time.Duration
		want     float64
		some     bool
	}{
		{0, 500 * ms, 0, true},
		{500 * ms, time.Second, 1, true},
		{400 * ms, 600 * ms, 0.5, true},
		{401 * ms, 699 * ms, 1, true}, // of 500 to 600
		{410 * ms, 490 * ms, 0, false},
		{2 * time.Second, 3 * time.Second, 0, false},
	} {
		if got, some := b.ratio(c.from, c.to); got != c.want || some != c.some {
			t.Errorf("from %v to %v it is %v, %v", c.from, c.to, got, some)
		}
	}
}

func TestRecoveryIsTheEndOfTheFirstGoodWindow(t *testing.T) {
	b := newBuckets(3 * time.Second)
	for at := time.Duration(0); at < 3*time.Second; at += 10 * ms {
		b.add(at, at < 500*ms || at >= 1200*ms)
	}
	for _, c := range []struct {
		back, until, after time.Duration
		ok                 bool
	}{
		{0, 3 * time.Second, 300 * ms, true},
		{600 * ms, 3 * time.Second, 900 * ms, true}, // 1200 to 1500
		{650 * ms, 3 * time.Second, 850 * ms, true},
		{600 * ms, 1500 * ms, 900 * ms, true},
		{600 * ms, 1490 * ms, 0, false},
		{600 * ms, 600 * ms, 0, false},
	} {
		if after, ok := b.recovered(c.back, c.until, 0.95); after != c.after || ok != c.ok {
			t.Errorf("back at %v, until %v: %v, %v", c.back, c.until, after, ok)
		}
	}
	if after, ok := b.recovered(600*ms, 3*time.Second, 0.6); after != 800*ms || !ok { // 1100 to 1400
		t.Errorf("two thirds were back after %v, %v", after, ok)
	}
	if _, ok := newBuckets(time.Second).recovered(0, time.Second, 0); ok {
		t.Error("it has recovered though nobody read")
	}
}
