package main

import (
	"fmt"
	"strconv"
)

// goal is a figure that Larder is to reach.
type goal struct {
	path   string
	of     key
	unit   string
	per    key // what of is divided by; none if its lib is empty
	atMost float64
	exact  bool // atMost is the only figure that will do
}

// figure returns what was measured.
func (g goal) figure(all *results) figure {
	if g.per.lib == "" {
		return all.value(g.of, g.unit)
	}
	return all.ratio(g.of, g.per, g.unit)
}

// met judges a figure by its median.
func (g goal) met(f figure) bool {
	if g.exact {
		return f.least == g.atMost && f.most == g.atMost
	}
	return f.median <= g.atMost
}

// beside says what the figure is of.
func (g goal) beside() string {
	switch {
	case g.per.lib == "":
		return g.unit
	case g.per.row != g.of.row:
		return g.per.lib + ", " + g.per.row
	}
	return g.per.lib
}

func larder(suite, row string, procs int) key {
	return key{suite: suite, row: row, lib: "larder", procs: procs}
}

const (
	nanoseconds = "ns/op"
	allocations = "allocs/op"
	perEntry    = "B/entry"
	p99         = "p99-ns"
)

// goals are those of the issue about speed, in its order.
var goals = concat(
	memoryGoals(),
	loaderGoals(),
	[]goal{ratio("heap per entry, 1M entries", larder("memory", "Heap", 2), perEntry, "golang-lru", 1.07)},
	remoteGoals(),
	stampedeGoals(),
)

func concat(lists ...[]goal) (all []goal) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func ratio(path string, of key, unit, lib string, atMost float64) goal {
	return goal{path: path, of: of, unit: unit, per: of.at(lib), atMost: atMost}
}

func on(procs int) string {
	if procs == 1 {
		return ", 1 processor"
	}
	return fmt.Sprintf(", %d processors", procs)
}

func memoryGoals() (all []goal) {
	for _, c := range []struct {
		path, row string
		otter     [2]float64 // with its coarse clock, on 1 and 2 processors
		defaults  [2]float64 // otter as it is
	}{
		{"memory hit", "Hit", [2]float64{1, 1.15}, [2]float64{0.6, 0.7}},
		{"memory hit, 64 goroutines", "Hit64Goroutines", [2]float64{1, 1.15}, [2]float64{0.6, 0.7}},
		{"memory, 25 % writes", "Mix75", [2]float64{0.75, 0.75}, [2]float64{}},
		{"memory, 50 % writes", "Mix50", [2]float64{0.65, 0.65}, [2]float64{}},
		{"memory, set", "Set", [2]float64{0.5, 0.5}, [2]float64{}},
	} {
		for i := range 2 {
			k := larder("memory", c.row, i+1)
			all = append(all, ratio(c.path+on(k.procs), k, nanoseconds, "otter-coarse", c.otter[i]))
			if c.defaults[i] > 0 {
				all = append(all, ratio(c.path+on(k.procs), k, nanoseconds, "otter", c.defaults[i]))
			}
		}
	}
	return all
}

func loaderGoals() (all []goal) {
	for procs := 1; procs <= 2; procs++ {
		k := larder("loader", "Hit", procs)
		path := "hit through a Loader" + on(procs)
		all = append(all, ratio(path, k, nanoseconds, "otter", 1), goal{path: path, of: k, unit: allocations})
	}
	return all
}

func remoteGoals() []goal {
	get, tags := larder("remote", "Get", 1), larder("remote", "Tags/tags=3", 1)
	all := []goal{
		ratio("Redis hit, 1 goroutine, pinned", get, nanoseconds, "go-redis", 1.06),
		{path: "Redis hit, 1 goroutine, pinned", of: get, unit: allocations, atMost: 8},
	}
	for _, n := range []string{"64", "512"} {
		k := larder("remote", "Get"+n+"Goroutines", 2)
		all = append(all, ratio("Redis hit, "+n+" goroutines", k, nanoseconds, "go-redis", 0.35),
			ratio("Redis hit, "+n+" goroutines", k, nanoseconds, "rueidis", 1))
	}
	all = append(all,
		ratio("GetMany of 100 keys with tags", larder("remote", "GetMany100", 1), nanoseconds, "go-redis", 1.10),
		goal{path: "GetMany of 100 keys with tags", of: larder("remote", "Commands/call=GetMany100/tags=3", 2), unit: "commands/op", atMost: 1, exact: true})
	for _, members := range []int{10, 1000, 100_000} {
		row := "InvalidateTag/members=" + strconv.Itoa(members)
		path := fmt.Sprintf("invalidate a tag of %d", members)
		all = append(all,
			goal{path: path + ", memory", of: larder("memory", row, 1), unit: nanoseconds, atMost: 150},
			ratio(path+", Redis", larder("remote", row, 1), nanoseconds, "go-redis-incr", 1.5))
	}
	miss := larder("loader", "Miss", 2)
	return append(all,
		goal{path: "Redis hit with 3 tags", of: tags, unit: nanoseconds, per: larder("remote", "Tags/tags=0", 1), atMost: 1.06},
		goal{path: "Redis hit with 3 tags", of: larder("remote", "Commands/call=Get/tags=3", 2), unit: "commands/op", atMost: 1, exact: true},
		goal{path: "miss, tags from the value", of: miss, unit: "trips/op", atMost: 3},
		goal{path: "miss, tags from the value", of: miss, unit: "trips-waited-for/op", atMost: 2},
		goal{path: "miss, tags from the key", of: miss.at("larder-key-tags"), unit: "trips/op", atMost: 3},
		goal{path: "miss, tags from the key", of: miss.at("larder-key-tags"), unit: "trips-waited-for/op", atMost: 2})
}

func stampedeGoals() (all []goal) {
	for _, c := range []struct {
		path, row string
		atMost    float64
	}{
		{"stampede, 1 process of 1000", "Stampede1x1000", 1.05},
		{"stampede, 4 processes of 250", "Stampede4x250", 1.10},
	} {
		k := larder("stampede", c.row, 2)
		all = append(all,
			goal{path: c.path, of: k, unit: "loads", atMost: 1, exact: true},
			ratio(c.path, k, p99, "sturdyc", c.atMost),
			goal{path: c.path, of: k, unit: "commands/process", atMost: 5})
	}
	return all
}
