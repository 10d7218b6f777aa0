package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// enumerated is the p of a test, and the least there is, by trying all choices.
func enumerated(a, b []float64) (p, least float64) {
	both := slices.Concat(a, b)
	below := func(chosen uint) float64 { // U, from its definition: pairs won, ties as halves
		u := 0.0
		for i := range both {
			for j := range both {
				if chosen>>i&1 == 1 && chosen>>j&1 == 0 {
					switch {
					case both[i] > both[j]:
						u++
					case both[i] == both[j]:
						u += 0.5
					}
				}
			}
		}
		return u
	}
	mean := float64(len(a)*len(b)) / 2
	seen := math.Abs(below(1<<len(a)-1) - mean)
	var distances []float64
	for chosen := range uint(1) << len(both) {
		n := 0
		for i := range both {
			n += int(chosen >> i & 1)
		}
		if n == len(a) {
			distances = append(distances, math.Abs(below(chosen)-mean))
		}
	}
	most := slices.Max(distances)
	for _, d := range distances {
		if d >= seen {
			p++
		}
		if d == most {
			least++
		}
	}
	return p / float64(len(distances)), least / float64(len(distances))
}

func TestFewSamplesHaveTheExactDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	test := ranks{}
	for range 300 {
		a, b := make([]float64, 1+rng.IntN(6)), make([]float64, 1+rng.IntN(6))
		values := 1 + rng.IntN(12) // few of them: many ties
		for i := range a {
			a[i] = float64(rng.IntN(values))
		}
		for i := range b {
			b[i] = float64(rng.IntN(values))
		}
		p, least := test.p(a, b)
		if q, floor := enumerated(a, b); math.Abs(p-q) > 1e-12 || math.Abs(least-floor) > 1e-12 {
			t.Fatalf("%v against %v: p is %v and at least %v, not %v and %v", a, b, p, least, q, floor)
		}
		if q, _ := test.p(b, a); math.Abs(p-q) > 1e-12 {
			t.Fatalf("%v against %v: p is %v one way and %v the other", a, b, p, q)
		}
	}
}

func TestKnownValues(t *testing.T) {
	rising := func(from, n int) (x []float64) {
		for i := range n {
			x = append(x, float64(from+i))
		}
		return x
	}
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{rising(0, 6), rising(6, 6), 2.0 / 924},
		{rising(0, 10), rising(10, 10), 2.0 / 184756},
		{[]float64{5, 5, 5, 5, 5, 5}, []float64{5, 5, 5, 5, 5, 5}, 1},
		{[]float64{0, 0, 0, 0, 0, 0}, []float64{3, 3, 3, 3, 3, 3}, 2.0 / 924},
		{rising(0, 3), []float64{0.5, 1.5, 2.5}, 14.0 / 20}, // U is 3 of 9
	} {
		if p, _ := (ranks{}).p(c.a, c.b); math.Abs(p-c.want) > 1e-12 {
			t.Errorf("%v against %v: p is %v, not %v", c.a, c.b, p, c.want)
		}
	}
}

func TestTheApproximationMeetsTheExactDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, values := range []int{3, 1000} {
		for range 40 {
			a, b := make([]float64, 18), make([]float64, 20)
			for i := range a {
				a[i] = float64(rng.IntN(values) + values/3)
			}
			for i := range b {
				b[i] = float64(rng.IntN(values))
			}
			p, _ := (ranks{}).p(a, b)
			doubled, ties := rank(slices.Concat(a, b))
			sum := 0
			for _, r := range doubled[:len(a)] {
				sum += r
			}
			if q := normal(sum, len(a)*(len(a)+len(b)+1), len(a), len(b), ties); math.Abs(p-q) > 0.012 {
				t.Errorf("of %d values: p is %v, approximately %v", values, p, q)
			}
		}
	}
	if p, _ := (ranks{}).p(make([]float64, 50), make([]float64, 50)); p != 1 {
		t.Errorf("p of equal samples is %v", p)
	}
}

func TestAdjust(t *testing.T) {
	// From the definition: the least m/k·p of this and of all greater ones.
	got := adjust([]float64{0.01, 0.04, 0.03, 0.5})
	for i, want := range []float64{0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("adjusted p are %v", got)
			break
		}
	}
	if len(adjust(nil)) != 0 {
		t.Error("nothing is adjusted to something")
	}
	if k := together(60, 2.0/924, 0.05); k != 3 {
		t.Errorf("%d of 60 metrics must change at once with six samples", k)
	}
	if k := together(5, 0.2, 0.05); k != 6 {
		t.Errorf("%d of 5", k)
	}
	for m, want := range map[int]int{1: 6, 60: 7, 100: 8, 1000: 9} {
		if n := enough(m, 0.05); n != want {
			t.Errorf("%d samples are enough for one of %d metrics, not %d", n, m, want)
		}
	}
}
