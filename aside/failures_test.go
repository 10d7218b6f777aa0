package aside

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

func TestTheMemoryOfFailuresIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failures[int]
		err := errors.New("down")
		for k := range 3 * maxFailures {
			f.add(k, time.Second, err, witness{})
		}
		if n := len(f.of); n != maxFailures || f.n.Load() != maxFailures {
			t.Errorf("%d keys are kept, and %d counted", n, f.n.Load())
		}
		if f.get(3*maxFailures-1) != err {
			t.Error("the last is forgotten")
		}
		time.Sleep(time.Second)
		for k := range 3 * maxFailures {
			if f.get(k) != nil {
				t.Fatalf("%d rests after its time", k)
			}
		}
		if len(f.of) != 0 || f.n.Load() != 0 {
			t.Errorf("%d keys are kept after their time", len(f.of))
		}
	})
}

func TestOfTooManyFailuresOneOfThoseThatEndSoonIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failures[int]
		for k := range maxFailures {
			f.add(k, time.Hour-time.Duration(k%2)*time.Minute, errSoft, witness{}) // odd ones end sooner
		}
		for k := range maxFailures / 10 {
			f.add(-1-k, 2*time.Hour, errSoft, witness{})
		}
		lost := 0
		for k := 0; k < maxFailures; k += 2 {
			if f.get(k) == nil {
				lost++
			}
		}
		if lost > maxFailures/100 { // by chance one in 256
			t.Errorf("%d of those that end late are forgotten", lost)
		}
	})
}

func TestTheBucketGivesItsRate(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, rate := range []float64{0.5, 1, 7} {
		b := bucket{rate: rate}
		b.tokens = b.most()
		n := 0
		for ms := range 100_000 {
			if b.take(start.Add(time.Duration(ms) * time.Millisecond)) {
				n++
			}
		}
		if least := 100*rate - 1; float64(n) < least || float64(n) > 100*rate+b.most() {
			t.Errorf("at %v a second, in 100 s: %d", rate, n)
		}
		burst := 0
		for b.take(start.Add(time.Hour)) {
			burst++
		}
		if burst != int(max(1, rate)) {
			t.Errorf("after an hour, at %v a second: %d at once", rate, burst)
		}
	}
}

// The part of the reads that are due is exp(-left / (cost * beta)).
func TestEarlyIsXFetch(t *testing.T) {
	const draws = 20_000
	for _, c := range []struct {
		beta float64
		cost time.Duration
		left time.Duration
	}{{1, time.Second, time.Second}, {1, time.Second, 3 * time.Second}, {2, time.Second, time.Second}, {0.5, 200 * time.Millisecond, 100 * time.Millisecond},
		{1, time.Second, time.Minute}, {1, 0, time.Millisecond}} {
		g := engine[int, int]{policy: invalidation.Policy{Fresh: time.Hour, Early: c.beta}}
		e := &cache.Entry[int]{Cost: c.cost, Fresh: cache.Moment(1_000_000)}
		n := 0
		for range draws {
			if g.isDue(e, e.Fresh.Add(-c.left)) {
				n++
			}
		}
		p := math.Exp(-float64(c.left) / (c.beta * float64(c.cost)))
		if got := float64(n) / draws; math.Abs(got-p) > 6*math.Sqrt(p*(1-p)/draws) {
			t.Errorf("with %+v it is due in %v of the reads, not in %v", c, got, p)
		}
	}
	g := engine[int, int]{policy: invalidation.Policy{Fresh: time.Hour, Early: 100}}
	if g.isDue(&cache.Entry[int]{Cost: time.Hour, Fresh: cache.Forever}, 1) {
		t.Error("what is fresh forever is due")
	}
}

func TestAheadIsAFractionOfTheLife(t *testing.T) {
	g := engine[int, int]{policy: invalidation.Policy{Fresh: time.Hour, Ahead: 0.8}}
	e := &cache.Entry[int]{Fresh: 11_000, Cost: time.Hour}
	if g.isDue(e, 10_999) {
		t.Error("an entry that does not say when it was loaded is due")
	}
	e.SetLoaded(1000)
	if g.isDue(e, 8999) || !g.isDue(e, 9000) || !g.isDue(e, 10_999) {
		t.Error("an entry of ten seconds is not due from the eighth on")
	}
	e.Fresh = cache.Forever
	if g.isDue(e, 1<<60) {
		t.Error("what is fresh forever is due")
	}
}
