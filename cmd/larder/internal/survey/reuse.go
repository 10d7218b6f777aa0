package survey

import (
	"context"
	"slices"
)

// Reuse is how many other keys are requested between two requests of the same
// key, which is the number of entries that an LRU cache must have more than to
// answer the second: with more than Median entries it answers half of those that
// can be answered at all.
type Reuse struct {
	Mean   float64 `json:"mean_keys"`
	Median int     `json:"median_keys"`
	// Sampled is the part of the keys that were looked at, by their hash; 1 is all of
	// them. Others count in proportion (Waldspurger and others, "Efficient MRC
	// construction with SHARDS", 2015).
	Sampled float64 `json:"sampled"`
}

// mostReused is how many requests are looked at, about.
const mostReused = 4_000_000

// reuseOf counts with a Fenwick tree over the requests, in which each key stands
// where it was requested last.
func reuseOf(ctx context.Context, ids []uint32, unique, most int) (*Reuse, error) {
	sampled := min(1, float64(most)/float64(max(1, len(ids))))
	limit := uint64(sampled * (1 << 32))
	chosen := func(id uint32) bool { return sampled == 1 || scramble(uint64(id))>>32 < limit }
	n := 0
	for _, id := range ids {
		if chosen(id) {
			n++
		}
	}
	var (
		tree  = make([]int32, n+1)
		last  = make([]int32, unique) // 1 plus the place of the last request
		found []uint32
		total float64
		at    int
	)
	add := func(i int, d int32) {
		for ; i <= n; i += i & -i {
			tree[i] += d
		}
	}
	upTo := func(i int) (s int32) {
		for ; i > 0; i -= i & -i {
			s += tree[i]
		}
		return s
	}
	keys := int32(0)
	for i, id := range ids {
		if i&0xffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !chosen(id) {
			continue
		}
		at++
		if before := int(last[id]); before > 0 {
			between := keys - upTo(before)
			found = append(found, uint32(between))
			total += float64(between)
			add(before, -1)
		} else {
			keys++
		}
		add(at, 1)
		last[id] = int32(at)
	}
	if len(found) == 0 {
		return nil, nil
	}
	slices.Sort(found)
	return &Reuse{
		Mean:   total / float64(len(found)) / sampled,
		Median: int(float64(quantile(found, 0.5)) / sampled), Sampled: sampled,
	}, nil
}

// scramble is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
