package invalidation

import (
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

func TestValidateNamesTheFieldThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		p    Policy
		want string
	}{
		{Policy{Fresh: -1}, "Fresh"},
		{Policy{Fresh: time.Microsecond}, "Fresh"},
		{Policy{Fresh: time.Second, Stale: -1}, "Stale"},
		{Policy{Stale: time.Second}, "Stale"},
		{Policy{Fresh: time.Second, Negative: -time.Second}, "Negative"},
		{Policy{Fresh: time.Second, Jitter: -0.1}, "Jitter"},
		{Policy{Fresh: time.Second, Jitter: 1.1}, "Jitter"},
	} {
		if err := c.p.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v does not name %s", c.p, err, c.want)
		}
	}
	for _, p := range []Policy{{}, TTL(time.Minute), {Fresh: time.Millisecond}, {Fresh: Forever}, {Fresh: time.Second, Stale: time.Hour, Negative: time.Second, Jitter: 1}} {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestJitterShortensAndSpreads(t *testing.T) {
	p := Policy{Fresh: 100 * time.Second, Stale: time.Second, Negative: 10 * time.Second, Jitter: 0.2}
	seen := map[cache.Moment]bool{}
	low, high := cache.Forever, cache.Moment(0)
	for range 2000 {
		fresh, expires := p.Value(0)
		if expires != fresh+1000 {
			t.Fatalf("stale for %d ms, not 1000", expires-fresh)
		}
		if n := p.Absence(0); n > 10_000 || n < 8_000 {
			t.Fatalf("absent for %d ms", n)
		}
		seen[fresh], low, high = true, min(low, fresh), max(high, fresh)
	}
	if low < 80_000 || high > 100_000 || len(seen) < 1000 || low > 84_000 || high < 96_000 {
		t.Errorf("from %d to %d ms in %d values, not spread over 80000 to 100000", low, high, len(seen))
	}
}

func TestTimesWithoutJitterAreExact(t *testing.T) {
	if f, e := (Policy{Fresh: time.Millisecond}).Value(5); f != 6 || e != 6 {
		t.Errorf("1 ms from 5 is %d, %d", f, e)
	}
	if f, e := (Policy{Fresh: Forever}).Value(5); f != cache.Forever || e != cache.Forever {
		t.Errorf("forever is %d, %d", f, e)
	}
	if n := TTL(time.Second).Absence(5); n != 5 {
		t.Errorf("jitter makes %d ms of no time at all", n-5)
	}
	if f, e := (Policy{Fresh: time.Millisecond, Jitter: 1}).Value(5); f < 6 || e < 6 {
		t.Errorf("jitter has taken all of it: %d, %d", f, e)
	}
}
