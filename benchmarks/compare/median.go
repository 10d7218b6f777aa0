package main

import (
	"math"
	"slices"
)

// figure is the median of the rounds, and how far they lie apart.
type figure struct {
	median, least, most float64
	rounds              int // that had it; 0 says that it was not measured
}

// summarize returns the figure of what was measured in the rounds.
func summarize(of []float64) figure {
	if len(of) == 0 {
		return figure{}
	}
	of = slices.Clone(of)
	slices.Sort(of)
	middle := len(of) / 2
	f := figure{median: of[middle], least: of[0], most: of[len(of)-1], rounds: len(of)}
	if len(of)%2 == 0 {
		f.median = (of[middle-1] + of[middle]) / 2
	}
	return f
}

// spread is half of the distance between the rounds that lie furthest apart, as a
// part of the median.
func (f figure) spread() float64 {
	if f.most == f.least {
		return 0
	}
	return (f.most - f.least) / 2 / math.Abs(f.median)
}

// value returns the figure of one benchmark.
func (all *results) value(k key, unit string) figure {
	var of []float64
	for _, round := range all.rounds {
		if v, ok := round[k][unit]; ok {
			of = append(of, v)
		}
	}
	return summarize(of)
}

// ratio returns the figure of a divided by b, each round by itself. Rounds in which
// one of them is missing, or b is zero, do not count.
func (all *results) ratio(a, b key, unit string) figure {
	var of []float64
	for _, round := range all.rounds {
		x, ok := round[a][unit]
		y, also := round[b][unit]
		if ok && also && y != 0 {
			of = append(of, x/y)
		}
	}
	return summarize(of)
}

// rows returns the rows of a suite that have the unit, without their libraries,
// and the libraries, both as they came first.
func (all *results) rows(suite, unit string) (rows []key, libs []string) {
	for _, k := range all.order {
		if k.suite != suite || all.value(k, unit).rounds == 0 {
			continue
		}
		if row := k.at(""); !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
		if !slices.Contains(libs, k.lib) {
			libs = append(libs, k.lib)
		}
	}
	return rows, libs
}
