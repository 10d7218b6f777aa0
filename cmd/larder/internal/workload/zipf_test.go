package workload

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestZipfHasExactFrequencies(t *testing.T) {
	const draws = 200_000
	for _, s := range []float64{0, 0.1, 0.5, 0.99, 1, 1.01, 1.5, 3} {
		for _, n := range []int{1, 2, 10, 1000} {
			z := NewZipf(rand.New(rand.NewPCG(1, 2)), n, s)
			got := make([]int, n)
			for range draws {
				got[z.Rank()]++
			}
			sum := 0.0
			for k := range n {
				sum += math.Pow(float64(k+1), -s)
			}
			for k := range min(n, 5) {
				p := math.Pow(float64(k+1), -s) / sum
				want, deviation := draws*p, math.Sqrt(draws*p*(1-p))
				if math.Abs(float64(got[k])-want) > 5*deviation+1e-6 {
					t.Errorf("s=%v n=%d: rank %d was drawn %d times, expected %.0f±%.0f", s, n, k, got[k], want, deviation)
				}
			}
		}
	}
}

func TestZipfOfManyRanksIsCheap(t *testing.T) {
	z := NewZipf(rand.New(rand.NewPCG(1, 2)), math.MaxInt32, 0.99)
	top := 0
	for range 10_000 {
		k := z.Rank()
		if k < 0 || k >= math.MaxInt32 {
			t.Fatalf("rank %d", k)
		}
		if k < 1000 {
			top++
		}
	}
	if top < 2500 || top > 4500 {
		t.Errorf("%d of 10000 draws are among the first 1000 ranks", top)
	}
}

func TestScatterMeetsEveryKeyOnce(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 1000, 1024, 9973} {
		for seed := range uint64(5) {
			s := newScatter(rand.New(rand.NewPCG(seed, 0)), n)
			seen := make([]bool, n)
			for rank := range n {
				k := s.key(rank)
				if seen[k] {
					t.Fatalf("n=%d seed=%d: key %d twice", n, seed, k)
				}
				seen[k] = true
			}
		}
	}
}

func BenchmarkZipf(b *testing.B) {
	z := NewZipf(rand.New(rand.NewPCG(1, 2)), 1_000_000, 0.99)
	for b.Loop() {
		z.Rank()
	}
}
