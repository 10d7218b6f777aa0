package compare

import (
	"fmt"
	"math"
	"slices"
)

// exactMost is the greatest number of samples, of both sides together, for which the
// distribution of ranks is counted out. It takes about a million additions then.
const exactMost = 40

// ranks tests whether two sets of samples come from one distribution, by the rank sum of
// the one among both: Mann and Whitney, "On a test of whether one of two random variables
// is stochastically larger than the other", Annals of Mathematical Statistics 18 (1947).
// Nothing is assumed of the distribution, so neither its tail nor its units matter. It
// keeps the distributions that it has counted out, by the ranks that they are of.
type ranks map[string][]float64

// p returns how probable ranks as far from the mean as these are if all samples come from
// one distribution, on either side. Equal samples have the mean of their ranks. With few
// samples the distribution is exact, and given the ties, by counting all ways to choose
// the samples of one side. With more it is the normal approximation with corrections for
// continuity and for ties. least is the smallest p that samples of these numbers and with
// these ties can have.
func (t ranks) p(a, b []float64) (p, least float64) {
	if len(a) > len(b) {
		a, b = b, a
	}
	both := slices.Concat(a, b)
	doubled, ties := rank(both)
	sum := 0
	for _, r := range doubled[:len(a)] {
		sum += r
	}
	n, all := len(a), len(both)
	mean := n * (all + 1) // of the sum of n doubled ranks
	if all > exactMost {
		return normal(sum, mean, n, all-n, ties), 0
	}
	slices.Sort(doubled)
	key := fmt.Sprint(n, doubled)
	ways, ok := t[key]
	if !ok {
		ways = count(doubled, n)
		t[key] = ways
	}
	total, tail, edge := 0.0, 0.0, 0.0
	far := 0
	for s, w := range ways {
		total += w
		if d := abs(s - mean); w > 0 {
			if d >= abs(sum-mean) {
				tail += w
			}
			if d > far {
				far, edge = d, 0
			}
			if d == far {
				edge += w
			}
		}
	}
	return tail / total, edge / total
}

// rank returns twice the rank of each number, which is whole also if it is the mean of
// neighbours that are equal, and the sum of t³-t over the groups of t equal ones.
func rank(x []float64) (doubled []int, ties float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		switch {
		case x[i] < x[j]:
			return -1
		case x[i] > x[j]:
			return 1
		}
		return 0
	})
	doubled = make([]int, len(x))
	for from := 0; from < len(x); {
		to := from + 1
		for to < len(x) && x[order[to]] == x[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			doubled[i] = from + 1 + to // the first rank and the last
		}
		t := float64(to - from)
		ties += t*t*t - t
		from = to
	}
	return doubled, ties
}

// count returns in how many ways n of the ranks have each sum: the shift algorithm, which
// adds one rank after the other. The numbers are exact as long as there are at most
// exactMost ranks, for then they are less than 2^53.
func count(doubled []int, n int) []float64 {
	total := 0
	for _, r := range doubled {
		total += r
	}
	ways := make([][]float64, n+1) // by how many are chosen, then by sum
	for k := range ways {
		ways[k] = make([]float64, total+1)
	}
	ways[0][0] = 1
	reached := 0
	for i, r := range doubled {
		for k := min(i+1, n); k > 0; k-- {
			for s := reached; s >= 0; s-- {
				ways[k][s+r] += ways[k-1][s]
			}
		}
		reached += r
	}
	return ways[n]
}

// normal returns the approximate p of a sum of n doubled ranks among n+m. The variance
// with ties is that of Lehmann, "Nonparametrics" (1975), section 1.4.
func normal(sum, mean, n, m int, ties float64) float64 {
	all := float64(n + m)
	variance := float64(n) * float64(m) / 12 * (all + 1 - ties/(all*(all-1)))
	if variance <= 0 {
		return 1
	}
	// Halves of what is doubled, and one half nearer to the mean for continuity.
	z := max(0, float64(abs(sum-mean))/2-0.5) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}

func abs(x int) int { return max(x, -x) }
