package policy

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// LeastShare is the least capacity that a share of the unique keys stands for.
const LeastShare = 100

// wholeShare is 100% in the units of Capacity.share.
const wholeShare = 1_000_000

// Capacity is a number of entries or a share of the unique keys of a trace.
type Capacity struct {
	entries int
	share   int64 // in millionths; 0 if entries counts
}

// CustomaryCapacities are 1%, 5%, 10% and 25% of the unique keys.
const CustomaryCapacities = "1%,5%,10%,25%"

// ParseCapacities reads capacities separated by commas: "1000" is a number of
// entries, "2.5%" a share of the unique keys with up to four decimals.
func ParseCapacities(list string) ([]Capacity, error) {
	var all []Capacity
	for s := range strings.SplitSeq(list, ",") {
		c, err := parseCapacity(strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func parseCapacity(s string) (Capacity, error) {
	if percent, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(percent, 64)
		share := int64(math.Round(min(p, 1000) * wholeShare / 100))
		if err != nil || !(p <= 100) || share < 1 {
			return Capacity{}, fmt.Errorf("capacity %q is no share between 0.0001%% and 100%%", s)
		}
		return Capacity{share: share}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return Capacity{}, fmt.Errorf("capacity %q is neither a number of entries from 1 to %d nor a share like 5%%", s, math.MaxInt32)
	}
	return Capacity{entries: n}, nil
}

// Entries returns the number of entries for a trace of so many unique keys. A
// share is rounded down and is LeastShare at least.
func (c Capacity) Entries(unique int) int {
	if c.share == 0 {
		return c.entries
	}
	return max(LeastShare, int(int64(unique)*c.share/wholeShare))
}

// EntriesOf returns the entries of all capacities, rising and without
// duplicates.
func EntriesOf(all []Capacity, unique int) []int {
	var entries []int
	for _, c := range all {
		entries = append(entries, c.Entries(unique))
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}
