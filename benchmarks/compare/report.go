package main

import (
	"fmt"
	"strings"
)

// report returns the page with all tables.
func report(all *results) string {
	var t table
	fmt.Fprintf(&t, `# Larder beside other libraries

Made by %smake bench-compare%s on %s: %s, %s. Absolute times
on shared machines mean nothing, so these are ratios: each within one round, then the median of %d rounds, and ± half of what
lies between the rounds that are furthest apart. [raw.txt](raw.txt) has all lines, for %sbenchstat -col /lib%s;
[hitratio.md](hitratio.md) has hit ratios.

Heap, round trips and commands of a call do not vary, and were taken in one round.

otter is otter with its defaults, otter-coarse otter with its own coarse clock of 10 ms: the fair rival for what does not read the
clock on every hit. Larder's set is Reserve and Commit. All have a TTL, but for golang-lru, which has none.
`, "`", "`", or(all.config["date"], "an unknown day"), or(all.config["machine"], "an unknown machine"),
		or(all.config["redis"], "no Redis"), len(all.rounds), "`", "`")
	if why := all.config["no-pinning"]; why != "" {
		fmt.Fprintf(&t, "\nWhat is called pinned was not pinned to one processor: %s.\n", why)
	}

	t.section("Targets", "A ratio is Larder's figure divided by that of what is named beside it.")
	t.targets(all)

	t.section("Memory: time an operation, as a ratio to otter", "")
	t.ratios(all, "memory", nanoseconds, "otter")
	t.section("The same as a ratio to otter-coarse", "")
	t.ratios(all, "memory", nanoseconds, "otter-coarse")
	t.section("Memory: allocations an operation", "")
	t.absolute(all, "memory", allocations)
	t.section("Memory: heap an entry", "One million entries, of a key of 16 bytes and a value of 64, which are included. As a ratio to golang-lru, and in bytes.")
	t.ratios(all, "memory", perEntry, "golang-lru")
	t.WriteString("\n")
	t.absolute(all, "memory", perEntry)
	t.WriteString("\n")
	t.absolute(all, "memory", "objects/entry")

	t.section("Loaders: a hit of a struct with ten fields, as a ratio to otter", "larder has memory over Redis, a live bus and one tag; larder-memory-alone has no Redis.")
	t.ratios(all, "loader", nanoseconds, "otter")
	t.section("The same as a ratio to otter-coarse", "")
	t.ratios(all, "loader", nanoseconds, "otter-coarse")
	t.section("Loaders: allocations a hit", "")
	t.absolute(all, "loader", allocations)
	t.section("Loaders: what a miss asks of Redis", "larder has tags that are known from the loaded value, larder-key-tags those that are known from the key.")
	t.misses(all)

	t.section("Redis: time an operation, as a ratio to go-redis", "Rows on 1 processor have the program and the server on one and the same. go-redis is a plain GET or MGET of the same bytes; go-redis-mget reads the value and two versions in one MGET, as Larder has to.")
	t.ratios(all, "remote", nanoseconds, "go-redis", "go-redis-incr")
	t.section("Redis: allocations an operation", "")
	t.absolute(all, "remote", allocations)

	t.section("Stampedes", "Medians of the cold keys, for a load of 50 ms; of the loads the most. Executed commands include those of scripts.")
	t.stampedes(all)

	t.section("Versions", "")
	for m := range strings.SplitSeq(all.config["modules"], ", ") {
		fmt.Fprintf(&t, "- %s\n", or(m, "unknown"))
	}
	t.WriteString("\nrueidisaside, eko/gocache and jetcache-go could not be had as modules where this was made.\n")
	return t.String()
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (t *table) section(title, text string) {
	fmt.Fprintf(t, "\n## %s\n\n", title)
	if text != "" {
		fmt.Fprintf(t, "%s\n\n", text)
	}
}

func (t *table) targets(all *results) {
	t.head("path", "beside", "Larder", "at most", "met")
	for _, g := range goals {
		f := g.figure(all)
		shown, verdict := none, "not measured"
		if f.rounds > 0 {
			switch shown = measured(f, g.unit); {
			case g.per.lib != "":
				shown = times(f)
			case g.exact && f.least != f.most:
				shown = digits(f.least) + " to " + digits(f.most)
			}
			if verdict = "**no**"; g.met(f) {
				verdict = "yes"
			}
		}
		limit := digits(g.atMost)
		if g.exact {
			limit = "exactly " + limit
		}
		t.line(g.path, g.beside(), shown, limit, verdict)
	}
}

// ratios shows all libraries of a suite, divided by the first of the bases that a
// row has. Rows with none are left out.
func (t *table) ratios(all *results, suite, unit string, bases ...string) {
	rows, libs := all.rows(suite, unit)
	if len(rows) == 0 {
		t.WriteString("Not measured.\n")
		return
	}
	t.head(append([]string{""}, libs...)...)
	for _, row := range rows {
		for _, base := range bases {
			if all.value(row.at(base), unit).rounds == 0 {
				continue
			}
			cells := []string{label(row)}
			for _, lib := range libs {
				cells = append(cells, times(all.ratio(row.at(lib), row.at(base), unit)))
			}
			t.line(cells...)
			break
		}
	}
}

func (t *table) absolute(all *results, suite, unit string) {
	rows, libs := all.rows(suite, unit)
	if len(rows) == 0 {
		t.WriteString("Not measured.\n")
		return
	}
	t.head(append([]string{unit}, libs...)...)
	for _, row := range rows {
		cells := []string{label(row)}
		for _, lib := range libs {
			cells = append(cells, plain(all.value(row.at(lib), unit)))
		}
		t.line(cells...)
	}
}

func (t *table) misses(all *results) {
	units := []string{"trips/op", "trips-waited-for/op", "commands/op"}
	t.head(append([]string{"library"}, units...)...)
	rows, libs := all.rows("loader", units[0])
	for _, row := range rows {
		for _, lib := range libs {
			cells := []string{lib}
			for _, unit := range units {
				cells = append(cells, plain(all.value(row.at(lib), unit)))
			}
			t.line(cells...)
		}
	}
}

func (t *table) stampedes(all *results) {
	units := []string{"loads", "p50-ns", p99, "commands/process", "executed/process"}
	t.head(append([]string{"", "library", "p99 ratio to sturdyc"}, units...)...)
	rows, libs := all.rows("stampede", p99)
	for _, row := range rows {
		for _, lib := range libs {
			cells := []string{row.row, lib, times(all.ratio(row.at(lib), row.at("sturdyc"), p99))}
			for _, unit := range units {
				f := all.value(row.at(lib), unit)
				if unit == "loads" {
					f.median = f.most
				}
				cells = append(cells, measured(f, unit))
			}
			t.line(cells...)
		}
	}
}
