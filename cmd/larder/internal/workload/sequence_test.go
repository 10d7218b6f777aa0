package workload

import (
	"math"
	"strings"
	"testing"
	"time"
)

func settings() Settings {
	return Settings{Seed: 7, Ops: 50_000, Keys: 1000, Groups: 100, Popularity: Popularity{Shape: Zipfian, Skew: 0.99}, Mix: Mix{94, 4, 2}}
}

func TestSameSettingsSameSequence(t *testing.T) {
	first, again := Record(settings()), Record(settings())
	if first.Digest() != again.Digest() {
		t.Error("two records of the same settings differ")
	}
	// A change of this digest makes all earlier results incomparable.
	if want := "9492c7"; !strings.HasPrefix(first.Digest(), want) {
		t.Errorf("the digest is %s, it was %s…", first.Digest(), want)
	}
	other := settings()
	other.Seed++
	if Record(other).Digest() == first.Digest() {
		t.Error("another seed gives the same sequence")
	}
	longer := settings()
	longer.Ops *= 2
	if Record(longer)[:len(first)].Digest() != first.Digest() {
		t.Error("a longer sequence begins otherwise")
	}
}

func TestSequenceKeepsTheMix(t *testing.T) {
	s := settings()
	var got Mix
	for _, op := range Record(s) {
		got[op.Kind]++
		if limit := map[bool]int{true: s.Groups, false: s.Keys}[op.Kind == InvalidateTag]; int(op.On) >= limit {
			t.Fatalf("%s on %d of %d", op.Kind, op.On, limit)
		}
	}
	for k, share := range s.Mix {
		want := float64(share) / 100 * float64(s.Ops)
		if math.Abs(float64(got[k])-want) > 5*math.Sqrt(want) {
			t.Errorf("%d of %d operations are %s, expected %.0f", got[k], s.Ops, Kind(k), want)
		}
	}
}

func TestSequenceBeginsAgain(t *testing.T) {
	s := Sequence{{On: 1}, {On: 2}, {On: 3}}
	if s.At(4) != s[1] {
		t.Errorf("the fifth of three is %v", s.At(4))
	}
}

func TestParseMix(t *testing.T) {
	m, err := ParseMix("get=9, invtag=1")
	if want := (Mix{Get: 9, InvalidateTag: 1}); err != nil || m != want {
		t.Errorf("got %v, %v", m, err)
	}
	var again Mix
	if text, err := m.MarshalText(); err != nil || again.UnmarshalText(text) != nil || again != m {
		t.Errorf("%q is read as %v, %v", m, again, err)
	}
	for text, part := range map[string]string{
		"":               "none of get, write, invtag, mget, scan, insert, rmw",
		"get":            "share of get",
		"get=-1":         "share of get",
		"get=1,get=2":    "twice",
		"get=1,fly=2":    `"fly"`,
		"write=1":        "reads nothing",
		"get=9999999999": "share of get",
	} {
		if _, err := ParseMix(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want %q", text, err, part)
		}
	}
}

func TestPlan(t *testing.T) {
	constant := Constant.Plan(1, 5, 1000, Profile{})
	for i, at := range constant {
		if want := time.Duration(i) * time.Millisecond; at.Round(time.Microsecond) != want {
			t.Errorf("operation %d is due at %v, not %v", i, at, want)
		}
	}
	const n = 100_000
	poisson, again := Poisson.Plan(1, n, 1000, Profile{}), Poisson.Plan(1, n, 1000, Profile{})
	for i := range n {
		if poisson[i] != again[i] {
			t.Fatal("two plans of the same seed differ")
		}
		if i > 0 && poisson[i] < poisson[i-1] {
			t.Fatalf("operation %d is due before the one before", i)
		}
	}
	if last := poisson[n-1].Seconds(); math.Abs(last-100) > 2 {
		t.Errorf("100000 operations at 1000/s take %.1f s", last)
	}
	if _, err := ParseArrivals("bursts"); err == nil {
		t.Error("bursts are arrivals")
	}
}
