// Command hitratio replays request traces and prints, as markdown, the share of hits
// that the eviction policies of several libraries have.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

func main() {
	if err := report(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hitratio:", err)
		os.Exit(1)
	}
}

// cell is a trace at a capacity. Ratios are in percent.
type cell struct {
	name     string
	capacity int
	ratios   []float64 // of policies
	best     float64
}

func report(w io.Writer, paths []string) error {
	if len(paths) == 0 {
		return errors.New("name trace files, in the compact format and gzip")
	}
	var cells []cell
	var traces []trace
	for _, path := range paths {
		t, err := read(path)
		if err != nil {
			return err
		}
		traces = append(traces, t)
		for _, capacity := range t.capacities() {
			cells = append(cells, measure(t, capacity))
		}
	}
	fmt.Fprintln(w, "# Hit ratios")
	fmt.Fprintln(w)
	fmt.Fprintf(w, "Made by `make hitratio` on %s, %s, GOMAXPROCS %d, of which Larder makes its shards.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOMAXPROCS(0))
	fmt.Fprintln(w, "Each request is a read and, if it is a miss, a store. Capacities are 1, 5, 10 and 25 % of the keys, at least 100.")
	fmt.Fprintln(w, "The optimum knows the future. Hits in percent; bold is the best but that, within 0.05.")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| trace | requests | keys |\n|---|---:|---:|")
	for _, t := range traces {
		fmt.Fprintf(w, "| %s | %d | %d |\n", t.name, len(t.ids), t.keys)
	}
	fmt.Fprintln(w)
	row(w, "", "", func(p policy) string { return p.name }, "optimum")
	fmt.Fprintln(w, "|---|---:|"+strings.Repeat("---:|", len(policies)+1))
	row(w, "version", "", func(p policy) string { return version(p.module) }, "")
	for _, c := range cells {
		c.print(w)
	}
	summarise(w, cells)
	return nil
}

func row(w io.Writer, name, capacity string, cell func(policy) string, best string) {
	fmt.Fprintf(w, "| %s | %s |", name, capacity)
	for _, p := range policies {
		fmt.Fprintf(w, " %s |", cell(p))
	}
	fmt.Fprintf(w, " %s |\n", best)
}

func measure(t trace, capacity int) cell {
	ratio := func(hits int) float64 { return 100 * float64(hits) / float64(len(t.ids)) }
	c := cell{name: t.name, capacity: capacity, best: ratio(optimum(t.ids, t.keys, capacity))}
	for _, p := range policies {
		request, end := p.open(capacity)
		hits := 0
		for _, id := range t.ids {
			if request(id) {
				hits++
			}
		}
		end()
		c.ratios = append(c.ratios, ratio(hits))
	}
	return c
}

func (c cell) print(w io.Writer) {
	most := 0.0
	for _, r := range c.ratios {
		most = max(most, r)
	}
	fmt.Fprintf(w, "| %s | %d |", c.name, c.capacity)
	for _, r := range c.ratios {
		if r > most-0.05 {
			fmt.Fprintf(w, " **%.2f** |", r)
		} else {
			fmt.Fprintf(w, " %.2f |", r)
		}
	}
	fmt.Fprintf(w, " %.2f |\n", c.best)
}

// summarise prints what each policy gains on the first one, and where it loses most.
func summarise(w io.Writer, cells []cell) {
	fmt.Fprintln(w)
	fmt.Fprintf(w, "*Gap closed* is sum(hits - LRU) / sum(optimum - LRU) over all rows, *worst* the row that is farthest below the LRU,\nin points.\n\n")
	fmt.Fprintln(w, "| | gap closed | worst | where |\n|---|---:|---:|---|")
	for i, p := range policies {
		gained, possible, worst := 0.0, 0.0, cells[0]
		for _, c := range cells {
			gained += c.ratios[i] - c.ratios[0]
			possible += c.best - c.ratios[0]
			if c.ratios[i]-c.ratios[0] < worst.ratios[i]-worst.ratios[0] {
				worst = c
			}
		}
		fmt.Fprintf(w, "| %s | %.3f | %.2f | %s at %d |\n", p.name, gained/max(possible, 1e-9), worst.ratios[i]-worst.ratios[0], worst.name, worst.capacity)
	}
}

// version returns the version of a module that was built in.
func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module && d.Replace == nil && d.Version != "(devel)" {
				return d.Version
			}
		}
	}
	return "this one"
}
