package policy

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// LeastShare is the least number of entries that a share stands for or, by
// bytes, that many times the mean size.
const LeastShare = 100

// leastAuto is the same for the shares of Auto, which are there for a curve.
const leastAuto = 10

// wholeShare is 100% in the units of Capacity.share.
const wholeShare = 1_000_000

// Capacity is an amount of entries or bytes, or a share of what a load takes.
type Capacity struct {
	amount int64
	share  int64 // in millionths; 0 if amount counts
	least  int64 // entries of a share
	curve  bool  // is there for a curve, not for a table
}

// Auto stands for shares from 0.01% to 30%, which make a curve.
const Auto = "auto"

// autoShares are in per cent; those that the table shows come first.
const (
	autoTable = "0.1,1,5,10,25"
	autoCurve = "0.01,0.02,0.03,0.05,0.07,0.15,0.2,0.3,0.5,0.7,1.5,2,3,7,15,20,30"
)

// ParseCapacities reads capacities separated by commas: "auto"; "1000", which
// is a number of entries or, by bytes, of bytes, then also "64kB", "64MiB" or
// the like; "2.5%", which is a share of all keys or bytes with up to four
// decimals.
func ParseCapacities(list string, bytes bool) ([]Capacity, error) {
	var all []Capacity
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s == Auto {
			all = append(all, autoCapacities()...)
			continue
		}
		c, err := parseCapacity(s, bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func autoCapacities() (all []Capacity) {
	for i, list := range []string{autoTable, autoCurve} {
		for s := range strings.SplitSeq(list, ",") {
			p, _ := strconv.ParseFloat(s, 64)
			all = append(all, Capacity{share: int64(math.Round(p * wholeShare / 100)), least: leastAuto, curve: i == 1})
		}
	}
	return all
}

func parseCapacity(s string, bytes bool) (Capacity, error) {
	if percent, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(percent, 64)
		share := int64(math.Round(min(p, 1000) * wholeShare / 100))
		if err != nil || !(p <= 100) || share < 1 {
			return Capacity{}, fmt.Errorf("capacity %q is no share between 0.0001%% and 100%%", s)
		}
		return Capacity{share: share, least: LeastShare}, nil
	}
	if bytes {
		n, ok := parseBytes(s)
		if !ok {
			return Capacity{}, fmt.Errorf("capacity %q is neither a number of bytes like 1000, 64kB or 1GiB nor a share like 5%%", s)
		}
		return Capacity{amount: n}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return Capacity{}, fmt.Errorf("capacity %q is neither %s, a number of entries from 1 to %d nor a share like 5%%", s, Auto, math.MaxInt32)
	}
	return Capacity{amount: int64(n)}, nil
}

// parseBytes reads a whole number and a unit.
func parseBytes(s string) (int64, bool) {
	digits := strings.TrimRight(s, "kKMGTiB")
	factor := int64(1)
	switch s[len(digits):] {
	case "", "B":
	case "k", "K", "kB", "KB":
		factor = 1e3
	case "M", "MB":
		factor = 1e6
	case "G", "GB":
		factor = 1e9
	case "T", "TB":
		factor = 1e12
	case "Ki", "KiB":
		factor = 1 << 10
	case "Mi", "MiB":
		factor = 1 << 20
	case "Gi", "GiB":
		factor = 1 << 30
	case "Ti", "TiB":
		factor = 1 << 40
	default:
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/factor {
		return 0, false
	}
	return n * factor, true
}

// of returns the amount for a load that takes whole for so many unique keys. A
// share is rounded down.
func (c Capacity) of(whole, unique int64) int64 {
	if c.share == 0 {
		return c.amount
	}
	share := whole/wholeShare*c.share + whole%wholeShare*c.share/wholeShare
	return max(c.least*max(1, whole/max(1, unique)), share)
}

// Amounts returns all capacities for a load, rising and without duplicates, and
// of these the ones that a table should show.
func (l *Load) Amounts(all []Capacity) (amounts, table []int64) {
	return amountsOf(all, l.Whole, int64(l.trace.Unique))
}

func amountsOf(all []Capacity, whole, unique int64) (amounts, table []int64) {
	for _, c := range all {
		amounts = append(amounts, c.of(whole, unique))
		if !c.curve {
			table = append(table, c.of(whole, unique))
		}
	}
	slices.Sort(amounts)
	slices.Sort(table)
	return slices.Compact(amounts), slices.Compact(table)
}
