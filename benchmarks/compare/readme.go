package main

import (
	"fmt"
	"slices"
)

// inBrief are the rows of the README, of a suite on 2 processors.
var inBrief = []struct {
	suite, row, shown string
}{
	{"memory", "Hit", "hit"},
	{"memory", "Hit64Goroutines", "hit, 64 goroutines"},
	{"memory", "HitOneKey", "hit, all want one key"},
	{"memory", "Mix75", "25 % writes"},
	{"memory", "Mix50", "50 % writes"},
	{"memory", "Set", "set"},
	{"loader", "Hit", "hit through a loading cache, struct"},
}

// compact returns the tables of the README.
func compact(all *results) string {
	var t table
	libs := []string{"larder", "otter", "otter-coarse", "theine", "ristretto", "sturdyc", "golang-lru", "golang-lru-expirable", "go-redis-cache"}
	fmt.Fprintf(&t, "Medians of %d rounds on %s; all of it, with the spread and what was aimed at, is in [docs/benchmarks/compare.md](docs/benchmarks/compare.md).\n\n",
		len(all.rounds), or(all.config["machine"], "an unknown machine"))
	libs = slices.DeleteFunc(libs, func(lib string) bool {
		return !slices.ContainsFunc(all.order, func(k key) bool { return k.lib == lib && (k.suite == "memory" || k.suite == "loader") })
	})
	t.head(append([]string{"in memory, 2 processors, time as a ratio to otter"}, libs...)...)
	for _, r := range inBrief {
		k := key{suite: r.suite, row: r.row, procs: 2}
		cells := []string{r.shown}
		for _, lib := range libs {
			cells = append(cells, emphasize(lib, plain(all.ratio(k.at(lib), k.at("otter"), nanoseconds))))
		}
		t.line(cells...)
	}
	heap := key{suite: "memory", row: "Heap", procs: 2}
	cells := []string{"heap, bytes an entry (80 are the data)"}
	for _, lib := range libs {
		cells = append(cells, emphasize(lib, plain(all.value(heap.at(lib), perEntry))))
	}
	t.line(cells...)

	t.WriteString("\n")
	libs = []string{"larder", "go-redis", "rueidis", "go-redis-cache"}
	t.head(append([]string{"1 KiB from Redis, time as a ratio to go-redis"}, libs...)...)
	for _, r := range []struct {
		row, shown string
		procs      int
	}{
		{"Get", "one goroutine, one processor", 1},
		{"Get64Goroutines", "64 goroutines", 2},
		{"Get512Goroutines", "512 goroutines", 2},
		{"GetMany100", "100 keys at once", 1},
	} {
		k := key{suite: "remote", row: r.row, procs: r.procs}
		cells := []string{r.shown}
		for _, lib := range libs {
			cells = append(cells, emphasize(lib, plain(all.ratio(k.at(lib), k.at("go-redis"), nanoseconds))))
		}
		t.line(cells...)
	}

	t.WriteString("\n")
	libs = []string{"larder", "sturdyc", "go-redis-cache", "get-and-singleflight"}
	t.head(append([]string{"a cold key, a load of 50 ms: loads, p99, commands a process"}, libs...)...)
	for _, r := range []struct{ row, shown string }{
		{"Stampede1x1000", "1 process, 1000 goroutines"},
		{"Stampede4x250", "4 processes, 250 goroutines each"},
	} {
		k := key{suite: "stampede", row: r.row, procs: 2}
		cells := []string{r.shown}
		for _, lib := range libs {
			loads := all.value(k.at(lib), "loads")
			if loads.rounds == 0 {
				cells = append(cells, none)
				continue
			}
			loads.median = loads.most
			cells = append(cells, emphasize(lib, fmt.Sprintf("%s, %s, %s", plain(loads),
				measured(all.value(k.at(lib), p99), p99), plain(all.value(k.at(lib), "commands/process")))))
		}
		t.line(cells...)
	}
	return t.String()
}

func emphasize(lib, text string) string {
	if lib == "larder" && text != none {
		return "**" + text + "**"
	}
	return text
}
