package main

// suite is one run of the benchmarks of a package.
type suite struct {
	name, pkg string
	bench     string // regular expression
	lib       string // the only library; all if it is empty
	cpu       string // numbers of processors
	time      string // -benchtime: a duration or, as 5x, a number of operations
	counts    bool   // it counts or weighs: its time is not to be changed
	pinned    bool   // the program and what it starts run on one processor
	rounds    int    // at most; 0 is all
}

// The times are such that six rounds take less than twelve minutes on two cores; in
// memory they are numbers of operations, as every change of that number costs a
// garbage collection. What does not vary needs only one round.
var suites = append(memoryWrites(), []suite{
	{name: "memory-hits", pkg: "memory", bench: "^Benchmark(Hit|Hit64Goroutines|HitOneKey|Zipf)$", cpu: "1,2", time: "1000000x"},
	{name: "memory-tags", pkg: "memory", bench: "^BenchmarkInvalidateTag$", cpu: "1", time: "50ms"},
	{name: "heap", pkg: "memory", bench: "^BenchmarkHeap$", cpu: "2", time: "1x", counts: true, rounds: 1},
	{name: "loader", pkg: "loader", bench: "^BenchmarkHit$", cpu: "1,2", time: "200ms"},
	{name: "miss", pkg: "loader", bench: "^BenchmarkMiss$", cpu: "2", time: "20x", counts: true, rounds: 1},
	{name: "remote-pinned", pkg: "remote", bench: "^Benchmark(Get|Tags|Miss|GetMany100|InvalidateTag)$",
		cpu: "1", time: "200ms", pinned: true},
	{name: "remote", pkg: "remote", bench: "^Benchmark(Get64Goroutines|Get512Goroutines)$", cpu: "2", time: "250ms"},
	{name: "commands", pkg: "remote", bench: "^BenchmarkCommands$", cpu: "2", time: "200x", counts: true, rounds: 1},
	{name: "stampede", pkg: "stampede", bench: "^BenchmarkStampede", cpu: "2", time: "5x", counts: true},
}...)

// memoryWrites has a process for each library: what the others keep in memory would
// be work for the collector, and so for who makes the most garbage.
func memoryWrites() (all []suite) {
	for _, lib := range []string{"larder", "otter", "otter-coarse", "theine", "ristretto", "sturdyc", "golang-lru", "golang-lru-expirable"} {
		all = append(all, suite{name: "memory-writes-" + lib, pkg: "memory", lib: lib,
			bench: "^Benchmark(SteepZipf|Mix75|Mix50|Set)$", cpu: "1,2", time: "250000x"})
	}
	return all
}

func suiteNames() (names []string) {
	for _, s := range suites {
		names = append(names, s.name)
	}
	return names
}
