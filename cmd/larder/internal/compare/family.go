package compare

import (
	"cmp"
	"slices"
)

// adjust returns p values that may be held against a level although there are many of
// them: those of Benjamini and Hochberg, "Controlling the false discovery rate", Journal
// of the Royal Statistical Society B 57 (1995).
//
// Among the metrics that it calls changed, the share of those that are not is at most the
// level, on average. If nothing has changed at all, any call is a false one, so the
// chance of a false alarm is at most the level too, if the metrics are independent or go
// up and down together; whatever they do, it is at most the level times 1 + 1/2 + ... +
// 1/m for m metrics (Benjamini and Yekutieli, Annals of Statistics 29, 2001): at a level
// of 0.01, less than 0.1 for up to 12,000 metrics.
//
// Holm's method would bound the chance of even one false call among true ones. But with
// six samples a side no p is below 0.0022, so that with more than 23 metrics it could
// never find anything at a level of 0.05. A slower build moves many metrics at once, which
// is what this method gains from.
func adjust(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	adjusted := make([]float64, len(p))
	least := 1.0
	for k := len(order) - 1; k >= 0; k-- {
		least = min(least, p[order[k]]*float64(len(p))/float64(k+1))
		adjusted[order[k]] = least
	}
	return adjusted
}

// together returns how many of m metrics must change at once, each as clearly as can be,
// so that they are called changed at level alpha, if no p can be less than least. It is
// more than m if that cannot be.
func together(m int, least, alpha float64) int {
	for k := 1; k <= m; k++ {
		if least*float64(m)/float64(k) <= alpha {
			return k
		}
	}
	return m + 1
}
