// Package distinct takes repetitions out of lists.
package distinct

// few is how many values are compared with each other rather than put in a set.
const few = 16

// Of returns all without repetitions, each where it is first, in a slice of its
// own; nil if there is nothing.
func Of[T comparable](all []T) (out []T) {
	if len(all) <= few {
	next:
		for _, v := range all {
			for _, o := range out {
				if v == o {
					continue next
				}
			}
			out = append(out, v)
		}
		return out
	}
	seen := make(map[T]struct{}, len(all))
	out = make([]T, 0, len(all))
	for _, v := range all {
		if _, twice := seen[v]; !twice {
			seen[v] = struct{}{}
			out = append(out, v)
		}
	}
	return out
}
