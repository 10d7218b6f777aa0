package policy

import (
	"math/rand/v2"
	"slices"
)

// referenceLRU keeps ids in a slice, the one requested last at the end.
func referenceLRU(ids []uint32, capacity int) []bool {
	var cached []uint32
	hits := make([]bool, len(ids))
	for i, id := range ids {
		if at := slices.Index(cached, id); at >= 0 {
			hits[i] = true
			cached = slices.Delete(cached, at, at+1)
		} else if len(cached) == capacity {
			cached = slices.Delete(cached, 0, 1)
		}
		cached = append(cached, id)
	}
	return hits
}

// referenceOptimum looks through the rest of the trace at every miss of a full
// cache and gives up whichever id, cached or new, comes last.
func referenceOptimum(ids []uint32, capacity int) []bool {
	var cached []uint32
	hits := make([]bool, len(ids))
	for i, id := range ids {
		if hits[i] = slices.Contains(cached, id); hits[i] {
			continue
		}
		cached = append(cached, id)
		if len(cached) <= capacity {
			continue
		}
		worst, farthest := 0, -1
		for at, c := range cached {
			next := slices.Index(ids[i+1:], c)
			if next < 0 {
				next = len(ids)
			}
			if next > farthest {
				worst, farthest = at, next
			}
		}
		cached = slices.Delete(cached, worst, worst+1)
	}
	return hits
}

// randomTrace draws a trace of one of several shapes, numbered by first
// appearance, and the number of its unique ids.
func randomTrace(r *rand.Rand) (ids []uint32, unique int) {
	keys := 1 + r.IntN(60)
	shape := r.IntN(3)
	known := map[int]uint32{}
	for i := range r.IntN(600) {
		var key int
		switch shape {
		case 0:
			key = r.IntN(keys)
		case 1:
			key = min(r.IntN(keys), r.IntN(keys), r.IntN(keys))
		default:
			key = i % keys
			if r.IntN(5) == 0 {
				key = r.IntN(keys)
			}
		}
		if _, ok := known[key]; !ok {
			known[key] = uint32(len(known))
		}
		ids = append(ids, known[key])
	}
	return ids, len(known)
}
