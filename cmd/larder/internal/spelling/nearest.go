// Package spelling finds what somebody may have meant, and counts things in words.
package spelling

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest returns the names that are spelt most like the one given, at most so many,
// the nearest first. Names that are not like it at all are not among them: more than two
// in five of the letters would have to change. A name that contains the given one, or is
// contained in it, is near.
func Nearest(name string, names []string, most int) []string {
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, n := range names {
		d := Distance(strings.ToLower(name), strings.ToLower(n))
		if name != "" && n != "" && (strings.Contains(n, name) || strings.Contains(name, n)) {
			d = min(d, 1)
		}
		if 5*d <= 2*max(len(name), len(n)) {
			near = append(near, candidate{n, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	var nearest []string
	for _, c := range near[:min(most, len(near))] {
		nearest = append(nearest, c.name)
	}
	return nearest
}

// Distance returns how many bytes must be added, removed or replaced to make a b, where
// two neighbours that change places count once: the optimal string alignment distance.
func Distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			d := row[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			next[j+1] = d
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
