package workload

import (
	"math"
	"math/rand/v2"
)

// Zipf draws ranks from 0 to n-1, of which rank k has a weight of
// 1/(k+1)^s, for any s of 0 or more. It is set up in constant time and draws
// by rejection-inversion (Hörmann and Derflinger, 1996).
//
// The generators of the standard library refuse an s of 1 or less, where the
// skew of real caches lies.
type Zipf struct {
	n, s          float64
	first, last   float64 // of the area under the hat
	shortcut      float64
	uniformInHat  func() float64
	normalisation float64 // last - first
}

// NewZipf returns a source of ranks below n that draws from rng.
func NewZipf(rng *rand.Rand, n int, s float64) *Zipf {
	z := &Zipf{n: float64(n), s: s, uniformInHat: rng.Float64}
	z.first = z.area(1.5) - 1
	z.last = z.area(z.n + 0.5)
	z.normalisation = z.last - z.first
	z.shortcut = 2 - z.inverse(z.area(2.5)-z.weight(2))
	return z
}

// Rank returns the next rank.
func (z *Zipf) Rank() int {
	for {
		u := z.last - z.uniformInHat()*z.normalisation
		x := z.inverse(u)
		k := min(max(math.Floor(x+0.5), 1), z.n)
		if k-x <= z.shortcut || u >= z.area(k+0.5)-z.weight(k) {
			return int(k) - 1
		}
	}
}

// weight is the density of the hat at x, 1/x^s.
func (z *Zipf) weight(x float64) float64 { return math.Exp(-z.s * math.Log(x)) }

// area is the integral of weight from 1 to x.
func (z *Zipf) area(x float64) float64 {
	l := math.Log(x)
	return l * slope(math.Expm1, (1-z.s)*l)
}

// inverse returns the x whose area is a.
func (z *Zipf) inverse(a float64) float64 {
	t := max((1-z.s)*a, -1)
	return math.Exp(a * slope(math.Log1p, t))
}

// slope returns f(x)/x, for the two functions of this file, also near 0 where
// both tend to 1.
func slope(f func(float64) float64, x float64) float64 {
	if math.Abs(x) < 1e-300 {
		return 1
	}
	return f(x) / x
}
